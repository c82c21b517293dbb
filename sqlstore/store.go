package sqlstore

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/gosojourn/sojourn"
)

// A Store keeps sessions in a table. It implements [sojourn.Store], [sojourn.OwnerIndex], [sojourn.EveryoneRevoker],
// [sojourn.Sweeper] and [sojourn.Checker]. It is safe for concurrent use. It starts no goroutine, except on MySQL while the
// server still runs a statement that was given up.
//
// Every call ends when its context ends, whatever it waits for. A call of Load, Create, Update, Touch or
// Delete is one exchange with the server.
type Store struct {
	d         *dialect
	w         writer
	room      atomic.Int64 // bytes that column data holds
	owners    ownerIndex
	place     place
	swept     atomic.Int64 // up to where the sweep under way has come in column expiry, seconds since 1970; 0: it begins anew
	forgot    atomic.Int64 // when fences were last forgotten, seconds since 1970
	since     time.Time
	log       *slog.Logger
	ownPool   bool
	loads     *group[wanted]
	saves     *group[saving]
	everyones everyones
	repeats   atomic.Uint64 // see Stats
	statements
	abandoned abandoned
	pairs     chan struct{} // see pair
}

// Options change how a Store uses its table. The zero value is for a table named sessions.
type Options struct {
	// Table is the table's name as it is in the database. If the table is not in the default schema, put the
	// schema and a dot before it. The name is quoted, so on PostgreSQL its case matters. Default:
	// "sessions".
	Table string

	// NoPrepare keeps no prepared statements. Set it behind a pooler that gives out a connection for one
	// transaction only. MySQL then needs two exchanges a call, unless the DSN has interpolateParams=true.
	// The driver pgx still prepares statements by itself, unless the DSN has default_query_exec_mode=exec;
	// Check looks. Default: statements are prepared once for each connection.
	NoPrepare bool

	// OwnPool says that nobody else uses the *sql.DB. Check then does not warn of a small pool. In a shared
	// one the application's transactions could leave no connection for the sessions. Default: the pool is
	// shared.
	OwnPool bool

	// Logger gets each statement by which Migrate changes the tables, and what Migrate waits for. Default:
	// nothing is logged.
	Logger *slog.Logger
}

var (
	_ sojourn.Store           = (*Store)(nil)
	_ sojourn.OwnerIndex      = (*Store)(nil)
	_ sojourn.EveryoneRevoker = (*Store)(nil)
	_ sojourn.Sweeper         = (*Store)(nil)
	_ sojourn.Checker         = (*Store)(nil)
)

// New returns a Store that keeps sessions in a table of db. Its error names every mistake at once. New does
// no I/O; [Store.Migrate] and [Store.Check] do.
func New(db *sql.DB, d Dialect, o Options) (*Store, error) {
	var bad []error
	if db == nil {
		bad = append(bad, errors.New("sqlstore: db is nil: open one with sql.Open"))
	}
	traits := d.traits()
	if traits == nil {
		bad = append(bad, fmt.Errorf("sqlstore: Dialect (%d) is unknown: use MySQL, Postgres or SQLite", int(d)))
	}
	if o.Table == "" {
		o.Table = "sessions"
	}
	t, err := parseTable(o.Table)
	if err != nil {
		bad = append(bad, err)
	}
	if bad != nil {
		return nil, errors.Join(bad...)
	}
	s := &Store{d: traits, w: traits.writer(t), since: time.Now(), pairs: make(chan struct{}, 1)}
	s.db, s.noPrepare = db, o.NoPrepare
	s.ownPool, s.log = o.OwnPool, o.Logger
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	for q, text := range texts {
		s.text[q] = s.w.word(text)
	}
	s.room.Store(int64(traits.maxData))
	s.loads = newGroup(usualLanes(), loadsAtOnce, s.fetchAll)
	s.saves = s.newSaves()
	s.everyones.asks = newGroup(1, 1<<10, s.askTogether)
	return s, nil
}

// Close closes the prepared statements, but not the *sql.DB. No other call may be under way.
func (s *Store) Close() error { return s.close() }

// live reports whether r has not expired, by the clock of this process.
func live(r *sojourn.Record) bool { return time.Now().Before(r.Expiry) }

// Create adds a record. It returns ErrConflict if the id is taken; and, where ctx has no deadline, if the database
// has preferred somebody else for a second. Nothing is written then. (promise 4)
func (s *Store) Create(ctx context.Context, r sojourn.Record) error {
	const op = "create"
	data, expiry, err := s.prepare(op, &r)
	if err != nil {
		return err
	}
	owned, err := s.owners.column(ctx, s)
	if err != nil {
		return s.failed(ctx, op, err)
	}
	w := saving{q: qCreate, args: []any{r.ID, s.d.bytesValue(data), expiry}, tag: data[:tagLen]}
	if owned {
		w.q, w.args = qCreateOwned, append(w.args, s.owner(&r))
	}
	n, err := s.save(ctx, w)
	if err != nil && ctx.Err() == nil && s.taken(err) {
		return sojourn.ErrConflict
	}
	if err = s.wrote(ctx, op, n, err); err != nil || owned {
		return err
	}
	return s.index(ctx, op, &r)
}

// Update replaces the record if it is there at version. (promises 5, 6)
func (s *Store) Update(ctx context.Context, r sojourn.Record, version uint64) error {
	const op = "update"
	if !wellFormed(r.ID) || version == 0 || version > maxVersion {
		return sojourn.ErrConflict
	}
	data, expiry, err := s.prepare(op, &r)
	if err != nil {
		return err
	}
	owned, err := s.owners.column(ctx, s)
	if err != nil {
		return s.failed(ctx, op, err)
	}
	u := update{
		id: r.ID, was: tag(version, r.ID), is: data[:tagLen], unlessBy: stamp(time.Now().UnixMilli()),
		data: s.d.bytesValue(data), size: len(data), expiry: expiry, owner: s.owner(&r),
	}
	w := saving{q: qUpdate, args: []any{u.data, u.expiry, u.id, u.was, u.unlessBy}}
	if owned {
		w = saving{q: qUpdateOwned, args: []any{u.data, u.expiry, u.owner, u.id, u.was, u.unlessBy}}
	}
	w.tag = u.is
	if version != r.Version {
		w.update = u // may be done with others: by its version it can be told whether it was
	}
	n, err := s.save(ctx, w)
	if n == 0 && err == nil && s.d.rowsChanged && version == r.Version {
		return s.unchanged(ctx, op, &r, true)
	}
	if err = s.wrote(ctx, op, n, err); err != nil || owned {
		return err
	}
	return s.index(ctx, op, &r)
}

// Touch sets Expiry and Seen of the record if it is there at r.Version. (promise 7)
func (s *Store) Touch(ctx context.Context, r sojourn.Record) error {
	const op = "touch"
	if !wellFormed(r.ID) || r.Version == 0 || r.Version > maxVersion {
		return sojourn.ErrConflict
	}
	expiry, seen, err := s.times(op, &r)
	if err != nil {
		return err
	}
	times := append(stamp(expiry), stamp(seen)...)
	now := stamp(time.Now().UnixMilli())
	n, err := s.save(ctx, saving{q: qTouch, args: []any{times, s.column(expiry), r.ID, tag(r.Version, r.ID), now}})
	if n == 0 && err == nil && s.d.rowsChanged {
		return s.unchanged(ctx, op, &r, false)
	}
	return s.wrote(ctx, op, n, err)
}

// Delete deletes the record if it is at version, or at any version if that is 0. (promise 8)
func (s *Store) Delete(ctx context.Context, id string, version uint64) error {
	const op = "delete"
	if !wellFormed(id) {
		return nil
	}
	var n int
	err := s.again(ctx, patience, func() (err error) {
		if version == 0 {
			n, err = s.exec(ctx, qDeleteAny, id, []byte(id))
		} else if version <= maxVersion {
			n, err = s.exec(ctx, qDelete, id, tag(version, id))
		}
		return err
	})
	if err != nil {
		if version != 0 && ctx.Err() == nil && s.passing(err) {
			return sojourn.ErrConflict
		}
		return s.failed(ctx, op, unbegun(err))
	}
	if n > 0 || version == 0 {
		return nil
	}
	// Gone, expired, or at another version?
	if _, err = s.load(ctx, id); err == sojourn.ErrNotFound {
		return nil
	} else if err != nil {
		return s.failed(ctx, op, err)
	}
	return sojourn.ErrConflict
}

// unchanged decides about an UPDATE that changed no row of MySQL: where the connection does not
// count the rows that were found, one that had these very values already is not counted.
func (s *Store) unchanged(ctx context.Context, op string, want *sojourn.Record, whole bool) error {
	got, err := s.load(ctx, want.ID)
	if err == sojourn.ErrNotFound {
		return sojourn.ErrConflict
	} else if err != nil {
		return s.failed(ctx, op, err)
	}
	same := got.Version == want.Version && sameTime(got.Expiry, want.Expiry) && sameTime(got.Seen, want.Seen)
	if whole {
		same = same && got.Owner == want.Owner && got.Fence == want.Fence && bytes.Equal(got.Data, want.Data)
	}
	if !same {
		return sojourn.ErrConflict
	}
	return nil
}

func sameTime(a, b time.Time) bool {
	return a.Truncate(time.Millisecond).Equal(b.Truncate(time.Millisecond))
}

// wrote turns the outcome of a statement that must affect a row into an answer.
func (s *Store) wrote(ctx context.Context, op string, n int, err error) error {
	switch {
	case err == nil && n > 0:
		return nil
	case err == nil, ctx.Err() == nil && s.passing(err):
		return sojourn.ErrConflict
	}
	return s.failed(ctx, op, unbegun(err))
}
