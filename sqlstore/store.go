package sqlstore

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/gosojourn/sojourn"
)

// A Store keeps sessions in a table. It implements [sojourn.Store], [sojourn.OwnerIndex],
// [sojourn.Sweeper], [sojourn.Checker] and [sojourn.Local]. Safe for concurrent use; starts no
// goroutine. One call of Load, Create, Update, Touch or Delete is one exchange with the server.
type Store struct {
	d      *dialect
	w      writer
	room   atomic.Int64 // bytes that column data holds
	owners ownerIndex
	since  time.Time
	loads  *group[wanted]
	saves  *group[saving]
	statements
}

// Options: the zero value is for a table named sessions.
type Options struct {
	// Table is the table's name as it stands in the database, with its schema and a dot before it
	// where it is not in the default one: "sessions". It is quoted, so on PostgreSQL case matters.
	Table string

	// NoPrepare keeps no prepared statements, for a pooler that hands out connections by the
	// transaction. MySQL then takes two exchanges a call, unless the DSN has interpolateParams=true.
	NoPrepare bool
}

var (
	_ sojourn.Store      = (*Store)(nil)
	_ sojourn.OwnerIndex = (*Store)(nil)
	_ sojourn.Sweeper    = (*Store)(nil)
	_ sojourn.Checker    = (*Store)(nil)
	_ sojourn.Local      = (*Store)(nil)
)

// New keeps sessions in a table of db. It reports every mistake at once and does no I/O; [Store.Check]
// does, and [Store.Migrate].
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
	s := &Store{d: traits, w: traits.writer(t), since: time.Now()}
	s.db, s.noPrepare = db, o.NoPrepare
	for q, text := range texts {
		s.text[q] = s.w.sql(text)
	}
	s.room.Store(int64(traits.maxData))
	s.loads = newGroup(usualLanes(), loadsAtOnce, s.fetchAll)
	s.saves = s.newSaves()
	return s, nil
}

// Local reports whether the database is in this process: SQLite.
func (s *Store) Local() bool { return s.d == &sqlite }

// Close lets go of the prepared statements, not of the *sql.DB. No other call may be under way.
func (s *Store) Close() error { return s.close() }

// live reports whether r has not expired, by the clock of this process.
func live(r *sojourn.Record) bool { return time.Now().Before(r.Expiry) }

// Create keeps a new record. ErrConflict: the id is taken, or the database could not agree at once
// with somebody else; nothing is written then.
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
	w := saving{q: qCreate, args: []any{r.ID, s.d.bytesValue(data), expiry}}
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

// Update replaces the record that is there at version, and at no other.
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

// Touch sets Expiry and Seen of the record that is there at r.Version.
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

// Delete removes the record at version; at any version if it is 0.
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
		if version != 0 && ctx.Err() == nil && s.d.transient(err) {
			return sojourn.ErrConflict
		}
		return s.failed(ctx, op, err)
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
	case err == nil, ctx.Err() == nil && s.d.transient(err):
		return sojourn.ErrConflict
	}
	return s.failed(ctx, op, err)
}
