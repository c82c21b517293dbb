package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"math/bits"
	"math/rand/v2"
	"slices"
)

// A saving is a statement that writes one session.
type saving struct {
	q    query
	args []any
	update
	n int // rows that it affected
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
	if s.Local() {
		return newGroup(1, inOneCommit, s.saveInOneTransaction) // it has one writer at a time anyway
	}
	return newGroup(usualLanes(), savesAtOnce, s.saveInOneStatement)
}

// save writes one session together with others who come at the same time: on SQLite in one
// transaction, because what costs there is to make it last; elsewhere, updates in one statement.
func (s *Store) save(ctx context.Context, w saving) (int, error) {
	if w.is == nil && !s.Local() {
		return s.exec(ctx, w.q, w.args...)
	}
	if done, err := s.saves.do(ctx, w); err != errAlone {
		return done.n, err
	}
	return s.exec(ctx, w.q, w.args...)
}

// alone does the only one of calls.
func (s *Store) alone(ctx context.Context, c *call[saving]) {
	c.want.n, c.err = s.exec(ctx, c.want.q, c.want.args...)
}

func tellAll[T any](calls []*call[T], err error) {
	for _, c := range calls {
		c.err = err
	}
}

func (s *Store) saveInOneTransaction(ctx context.Context, calls []*call[saving]) {
	if len(calls) == 1 {
		s.alone(ctx, calls[0])
		return
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		tellAll(calls, errAlone)
		return
	}
	defer tx.Rollback()
	for _, c := range calls {
		if c.want.n, err = s.execIn(ctx, tx, c.want.q, c.want.args...); err != nil {
			tellAll(calls, errAlone) // one is to blame, and nothing was done
			return
		}
	}
	if err := tx.Commit(); err != nil {
		tellAll(calls, s.shared(err))
	}
}

// shared is what all hear who took part in what failed. If nothing was applied, each may try by
// himself. If that is not known each must be told: to try again would only find the session changed.
func (s *Store) shared(err error) error {
	if s.d.transient(err) {
		return errAlone
	}
	return err
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
		if err != nil {
			tellAll(calls, s.shared(err))
		}
		return
	}
	r, err := s.result(ctx, many, args...)
	n, err := affected(ctx, r, err)
	if err != nil {
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
	for i, c := range calls {
		if n == len(calls) || met>>i&1 == 1 {
			c.want.n = 1
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
var errUntold = errors.New("saved together with others, of which some had changed: the database did not tell which")

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
