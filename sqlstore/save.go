package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"math/bits"
	"math/rand/v2"
	"slices"
	"strings"
)

// A saving is a statement that writes one session.
type saving struct {
	q    query
	args []any
	update
	tag []byte // that it writes, if it writes one
	n   int    // rows that it affected
}

// An update is what makes up a saving by qUpdate or qUpdateOwned.
type update struct {
	id       string
	was, is  []byte // tags
	data     any
	size     int // of column data, in bytes
	expiry   any
	owner    any
	unlessBy []byte // stamp: what has expired by then is gone
}

const (
	savesAtOnce = 16      // share a statement: the largest of qUpdate2 and so on, each twice the last
	inOneCommit = 64      // share a transaction
	bytesAtOnce = 1 << 17 // fill an exchange
)

func (s *Store) newSaves() *group[saving] {
	if s.d.inside {
		return newGroup(1, inOneCommit, s.saveInOneTransaction)
	}
	return newGroup(usualLanes(), savesAtOnce, s.saveInOneStatement)
}

// save writes one session together with others who come at the same time: on SQLite in one
// transaction, because what costs there is to make it last; elsewhere, updates in one statement. Who meets
// a lock leaves the others and goes on alone, and so does who has lost: that says nothing of the session.
// PostgreSQL gives up a serializable INSERT because of another one on the same page of an index, and InnoDB
// the victim of a deadlock. Nothing was applied then, so the same statement again has an answer that is about
// the session.
func (s *Store) save(ctx context.Context, w saving) (n int, err error) {
	if w.is != nil || s.d.inside {
		if done, err := s.saves.do(ctx, w); err != errAlone {
			return done.n, err
		}
		s.repeats.Add(1)
	}
	err = s.again(ctx, patience, func() error {
		n, err = s.execSaving(ctx, w)
		return err
	})
	return n, err
}

// execSaving leaves nothing of w in the server if its time is over.
func (s *Store) execSaving(ctx context.Context, w saving) (int, error) {
	n, err := s.exec(ctx, w.q, w.args...)
	if w.tag != nil {
		s.gaveUp(ctx, err, markOf(w.tag))
	}
	return n, err
}

// alone does the only one of calls.
func (s *Store) alone(ctx context.Context, c *call[saving]) {
	if c.want.n, c.err = s.execSaving(ctx, c.want); s.passing(c.err) {
		c.err = errAlone
	}
}

func tellAll[T any](calls []*call[T], err error) {
	for _, c := range calls {
		c.err = err
	}
}

// saveInOneTransaction goes on until nobody else writes, with one connection for all who wait; if their time
// is over before, all are told.
func (s *Store) saveInOneTransaction(ctx context.Context, calls []*call[saving]) {
	var tell func(error) error
	err := s.again(ctx, patience, func() (err error) {
		tell, err = s.transaction(ctx, calls)
		return err
	})
	if err != nil {
		tellAll(calls, tell(err))
	}
}

// transaction answers also what an error is for those who took part.
func (s *Store) transaction(ctx context.Context, calls []*call[saving]) (tell func(error) error, err error) {
	if len(calls) == 1 {
		calls[0].want.n, err = s.exec(ctx, calls[0].want.q, calls[0].want.args...)
		return func(err error) error { return err }, err
	}
	if err := s.prepareAll(ctx, calls); err != nil {
		return s.undone, err
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return s.undone, err
	}
	defer tx.Rollback() // after COMMIT too: it only gives the connection back then
	for _, c := range calls {
		if c.want.n, err = s.execIn(ctx, tx, c.want.q, c.want.args...); err != nil {
			return s.undone, err
		}
	}
	// Unlike tx.Commit, which waits for readers as long as busy_timeout says, this ends with ctx.
	_, err = tx.ExecContext(ctx, "COMMIT")
	return s.shared, err
}

// prepareAll prepares what calls run: in a transaction it could wait for the connection that this has.
func (s *Store) prepareAll(ctx context.Context, calls []*call[saving]) error {
	for _, c := range calls {
		if _, err := s.prepared(ctx, c.want.q); err != nil {
			return err
		}
	}
	return nil
}

// shared is what all hear who took part in what failed. If it is not known whether it was applied, each
// must be told: to try again would only find the session changed.
func (s *Store) shared(err error) error {
	if s.d.kind(err) == untold {
		return err
	}
	return s.undone(err)
}

// undone is what all hear if nothing was applied: what the database refuses to one, or lacks for one, it
// does for all, and so is SQLite's one lock; with anything else one may be to blame, so each may try by himself.
func (s *Store) undone(err error) error {
	switch s.d.kind(err) {
	case refused, missing:
		return err
	case locked:
		if s.d.inside {
			return err
		}
	}
	return errAlone
}

// saveInOneStatement does updates of one kind, each of another session.
func (s *Store) saveInOneStatement(ctx context.Context, calls []*call[saving]) {
	if len(calls) == 1 {
		s.alone(ctx, calls[0])
		return
	}
	q, size := calls[0].want.q, 0
	for _, c := range calls {
		size += c.want.size
		if c.want.q != q {
			size = bytesAtOnce + 1
		}
	}
	if size > bytesAtOnce {
		tellAll(calls, errAlone)
		return
	}
	many := qUpdate2
	if q == qUpdateOwned {
		many = qUpdateOwned2
	}
	step := bits.Len(uint(len(calls)-1)) - 1
	args := s.d.updateArgs(calls, 2<<step)
	if many += query(step); s.d.returning != "" {
		s.saveReturning(ctx, many, args, calls)
	} else {
		s.saveMarked(ctx, many, args, calls)
	}
}

// saveReturning is told the tags of the rows that it has met.
func (s *Store) saveReturning(ctx context.Context, many query, args []any, calls []*call[saving]) {
	args, sent := s.watched(args)
	err := s.each(ctx, many, args, func(r *sql.Rows) error {
		var met []byte
		err := r.Scan(&met)
		for _, c := range calls {
			if string(met) == string(c.want.is) { // drawn at random, so nobody else's
				c.want.n = 1
			}
		}
		return err
	})
	if err = sent.judge(ctx, err); err != nil {
		tellAll(calls, s.shared(err))
	}
}

// saveMarked is told how many rows it has met, and by marks which.
func (s *Store) saveMarked(ctx context.Context, many query, args []any, calls []*call[saving]) {
	r, err := s.result(ctx, many, args...)
	n, err := affected(ctx, r, err)
	if err != nil {
		s.gaveUp(ctx, err, markOf(calls[0].want.tag))
		tellAll(calls, s.shared(err))
		return
	}
	var met uint64
	if n < len(calls) && n > 0 {
		if met = whichMet(r, args[1].(int64)); bits.OnesCount64(met) != n {
			tellAll(calls, errUntold)
			return
		}
	}
	passed := strings.Contains(s.words(many).sql, "SKIP LOCKED")
	for i, c := range calls {
		if n == len(calls) || met>>i&1 == 1 {
			c.want.n = 1
		} else if passed {
			c.err = errAlone // it has changed, or is locked
		}
	}
}

// whichMet answers a bit for each row that an UPDATE has met which leaves marks, mark among them.
func whichMet(r sql.Result, mark int64) uint64 {
	last, err := r.LastInsertId()
	if err != nil || last>>savesAtOnce != mark>>savesAtOnce {
		return 0
	}
	return uint64(last) & (1<<savesAtOnce - 1)
}

// errUntold may be met where something between here and the server keeps back what it says.
var errUntold = errors.New("one statement saved several sessions, some of them had changed, and the database did not tell which")

// updateArgs puts n updates into the order of qUpdate2 and so on; where there are fewer, the last
// stands in for the rest.
func (d *dialect) updateArgs(calls []*call[saving], n int) []any {
	var expiries, owners, datas, ids, tags []any
	now, mark := "", rand.Int64()&^(1<<savesAtOnce-1)
	for i := range n {
		w := &calls[min(i, len(calls)-1)].want
		expiries = append(expiries, w.was)
		if d.marked != "" {
			expiries = append(expiries, mark|1<<i, mark|1<<i)
		}
		expiries = append(expiries, w.expiry)
		if w.q == qUpdateOwned {
			owners = append(owners, w.was, w.owner)
		}
		datas = append(datas, w.was, w.data)
		ids, tags = append(ids, w.id), append(tags, w.was)
		now = max(now, string(w.unlessBy))
	}
	return append(slices.Concat(expiries, owners, datas, ids, tags), []byte(now))
}
