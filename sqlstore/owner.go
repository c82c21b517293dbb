package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gosojourn/sojourn"
)

// The owner is in the header, where it counts; column owner is what finds it. Until Migrate has
// added the column, sessions are saved without it; from then on every write fills it, and Migrate
// fills in those written before. Only when that is done may the index be asked, because a list
// with holes would leave sessions alive that somebody meant to end.

// ownerIndex is what this process knows of the table: yes is remembered, no is asked again.
type ownerIndex struct {
	state    atomic.Int32
	complete atomic.Bool
}

const (
	unknown int32 = iota
	absent
	present
)

func (o *ownerIndex) forget() {
	o.state.Store(unknown)
	o.complete.Store(false)
}

// column reports whether to write column owner. It asks once.
func (o *ownerIndex) column(ctx context.Context, s *Store) (bool, error) {
	switch o.state.Load() {
	case present:
		return true, nil
	case absent:
		return false, nil
	}
	return o.look(ctx, s)
}

// look asks the database whether column owner is there.
func (o *ownerIndex) look(ctx context.Context, s *Store) (bool, error) {
	cols, err := s.columns(ctx, s.db, s.w)
	if err != nil {
		return false, err
	}
	if !s.isOwner(cols["owner"]) {
		o.state.CompareAndSwap(unknown, absent)
		return false, nil
	}
	o.state.Store(present)
	_, _ = s.learnPlace(ctx) // RevokeTx asks again
	return true, nil
}

// index completes a write without column owner. If the column is there by now, Migrate may have
// passed before the row was; if not, Migrate will find the row.
func (s *Store) index(ctx context.Context, op string, r *sojourn.Record) error {
	if r.Owner == "" {
		return nil
	}
	there, err := s.owners.look(ctx, s)
	if err == nil && there {
		err = s.fill(ctx, r)
	}
	if err != nil {
		return s.failed(ctx, op, err)
	}
	return nil
}

// fill sets column owner of r, unless r has been written since.
func (s *Store) fill(ctx context.Context, r *sojourn.Record) error {
	return s.again(ctx, patience, func() error {
		_, err := s.exec(ctx, qSetOwner, s.owner(r), r.ID, tag(r.Version, r.ID))
		return err
	})
}

// askIndex answers an error unless the index knows all of owner's sessions.
func (s *Store) askIndex(ctx context.Context, op, owner string) error {
	if err := askable(op, owner); err != nil {
		return err
	}
	there, err := s.indexed(ctx)
	if err != nil {
		return s.failed(ctx, op, err)
	}
	if !there {
		return unindexed(op)
	}
	return nil
}

// askable answers an error for an owner that no session can have.
func askable(op, owner string) error {
	if owner == "" {
		return fmt.Errorf("sqlstore: %s: owner is empty", op)
	}
	if owner == everyone {
		return fmt.Errorf("sqlstore: %s: %w: the owner is the byte 0xff, which stands for everybody here", op, sojourn.ErrRefused)
	}
	if len(owner) > maxOwner {
		return fmt.Errorf("sqlstore: %s: owner is %d bytes long, %d fit", op, len(owner), maxOwner)
	}
	return nil
}

func unindexed(op string) error {
	return fmt.Errorf("sqlstore: %s: the table has no owner index, or that of an earlier version: call (*sqlstore.Store).Migrate once: %w", op, errors.ErrUnsupported)
}

// indexed reports whether Migrate has been completed. It asks until it has.
func (s *Store) indexed(ctx context.Context) (bool, error) {
	if s.owners.complete.Load() {
		return true, nil
	}
	there, err := s.owners.look(ctx, s)
	if err == nil && there {
		there, err = s.isComplete(ctx, s.db)
	}
	if err == nil && there {
		s.owners.complete.Store(true)
	}
	return there, err
}

// ListOwner yields the live records of owner. It reads a page at a time and holds no connection in between.
// Before [Store.Migrate] it returns errors.ErrUnsupported. (promise 15)
func (s *Store) ListOwner(ctx context.Context, owner string) iter.Seq2[sojourn.Record, error] {
	const op = "list owner"
	return func(yield func(sojourn.Record, error) bool) {
		if err := s.askIndex(ctx, op, owner); err != nil {
			yield(sojourn.Record{}, err)
			return
		}
		s.list(ctx, op, func(r *sojourn.Record) bool { return r.Owner == owner }, yield, qListOwner, s.d.bytesValue([]byte(owner)))
	}
}

// ListAll yields the live records of everybody, a page at a time; no connection is held meanwhile.
func (s *Store) ListAll(ctx context.Context) iter.Seq2[sojourn.Record, error] {
	return func(yield func(sojourn.Record, error) bool) {
		s.list(ctx, "list all", func(*sojourn.Record) bool { return true }, yield, qListAll)
	}
}

// list yields those records of q that are wanted, up to an error or to the end. Behind its own arguments q takes
// the token that the last page has ended with.
func (s *Store) list(ctx context.Context, op string, wanted func(*sojourn.Record) bool, yield func(sojourn.Record, error) bool, q query, args ...any) {
	for after := ""; ; {
		page, err := s.page(ctx, q, append(args[:len(args):len(args)], after)...)
		if err != nil {
			yield(sojourn.Record{}, s.failed(ctx, op, err))
			return
		}
		for _, x := range page {
			r, err := decode(x.token, x.data)
			if err == errFormat {
				yield(sojourn.Record{}, s.failed(ctx, op, err))
				return
			}
			if err == nil && live(&r) && wanted(&r) && !yield(r, nil) {
				return
			}
		}
		if len(page) < batch {
			return
		}
		after = page[len(page)-1].token
	}
}

// Count answers how many rows have not expired by column expiry, which is late by some hours, whoever made them.
func (s *Store) Count(ctx context.Context) (n int, err error) {
	err = s.again(ctx, patience, func() error {
		return s.only(ctx, qCount, []any{&n}, s.d.expiryValue(time.Now().Unix()))
	})
	if err != nil {
		return 0, s.failed(ctx, "count", err)
	}
	return n, nil
}

// page lists up to batch rows.
func (s *Store) page(ctx context.Context, q query, args ...any) (page []row, err error) {
	passing := func(err error) bool { return s.passing(err) || ended(err) }
	err = s.repeat(ctx, patience, passing, func() error {
		page, err = s.rows(ctx, q, args...)
		return err
	})
	s.gaveUpReading(ctx, err, q, args[0])
	for i := range page {
		page[i].token = strings.TrimRight(page[i].token, " ") // a CHAR may come back padded
	}
	return page, err
}

// RevokeOwner raises the fence of owner, commits that, and then deletes the owner's sessions except keep.
// When it returns an error, the fence is 0 if it may not have been raised. (promise 16)
func (s *Store) RevokeOwner(ctx context.Context, owner, keep string) (uint64, error) {
	const op = "revoke owner"
	if err := s.askIndex(ctx, op, owner); err != nil {
		return 0, err
	}
	fence, err := s.raise(ctx, owner)
	if err != nil {
		return 0, s.failed(ctx, op, err)
	}
	after := ""
	for {
		page, err := s.page(ctx, qListHeads, s.d.bytesValue([]byte(owner)), after)
		if err != nil {
			return fence, s.failed(ctx, op, err)
		}
		var keys []string
		for _, x := range page {
			if r, err := decode(x.token, x.data); x.token != keep && (err != nil || r.Owner == owner) {
				keys = append(keys, x.token)
			}
		}
		if _, err := s.deleteAll(ctx, qDeleteOwned, keys, s.d.bytesValue([]byte(owner))); err != nil {
			return fence, s.failed(ctx, op, err)
		}
		if len(page) < batch {
			return fence, nil
		}
		after = page[len(page)-1].token
	}
}

// deleteAll runs q, which takes batch keys, for the keys given.
func (s *Store) deleteAll(ctx context.Context, q query, keys []string, args ...any) (n int, err error) {
	if len(keys) == 0 {
		return 0, nil
	}
	all := batched(keys, args)
	err = s.again(ctx, lockPatience, func() error {
		n, err = s.exec(ctx, q, all...)
		return err
	})
	return n, err
}

// batched answers the parameters of a statement that takes batch keys, of which the last fills the places left.
func batched(keys []string, args []any) []any {
	all := make([]any, 0, batch+len(args))
	for i := range batch {
		all = append(all, keys[min(i, len(keys)-1)])
	}
	return append(all, args...)
}
