package sqlstore

import (
	"context"
	"database/sql"
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
	if owner == "" {
		return fmt.Errorf("sqlstore: %s: owner is empty", op)
	}
	if len(owner) > maxOwner {
		return fmt.Errorf("sqlstore: %s: owner is %d bytes long, %d fit", op, len(owner), maxOwner)
	}
	if s.owners.complete.Load() {
		return nil
	}
	there, err := s.owners.look(ctx, s)
	if err == nil && there {
		there, err = s.isComplete(ctx, s.db)
	}
	if err != nil {
		return s.failed(ctx, op, err)
	}
	if !there {
		return fmt.Errorf("sqlstore: %s: the table has no owner index, call (*sqlstore.Store).Migrate once: %w", op, errors.ErrUnsupported)
	}
	s.owners.complete.Store(true)
	return nil
}

// ListOwner yields the live records of owner, a page at a time; no connection is held meanwhile.
// Before [Store.Migrate] it is errors.ErrUnsupported.
func (s *Store) ListOwner(ctx context.Context, owner string) iter.Seq2[sojourn.Record, error] {
	const op = "list owner"
	return func(yield func(sojourn.Record, error) bool) {
		if err := s.askIndex(ctx, op, owner); err != nil {
			yield(sojourn.Record{}, err)
			return
		}
		after := ""
		for {
			page, err := s.page(ctx, qListOwner, s.d.bytesValue([]byte(owner)), after)
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
				if err == nil && r.Owner == owner && live(&r) && !yield(r, nil) {
					return
				}
			}
			if len(page) < batch {
				return
			}
			after = page[len(page)-1].token
		}
	}
}

// page lists up to batch rows.
func (s *Store) page(ctx context.Context, q query, args ...any) (page []row, err error) {
	err = s.again(ctx, patience, func() error {
		page, err = s.rows(ctx, q, args...)
		return err
	})
	for i := range page {
		page[i].token = strings.TrimRight(page[i].token, " ") // a CHAR may come back padded
	}
	return page, err
}

// Fence returns the number that sessions of owner are stamped with; 0 before the first RevokeOwner.
func (s *Store) Fence(ctx context.Context, owner string) (uint64, error) {
	const op = "fence"
	if err := s.askIndex(ctx, op, owner); err != nil {
		return 0, err
	}
	fence, err := s.fence(ctx, owner)
	if err != nil {
		return 0, s.failed(ctx, op, err)
	}
	return uint64(fence), nil
}

func (s *Store) fence(ctx context.Context, owner string) (fence int64, err error) {
	err = s.again(ctx, patience, func() error {
		return s.one(ctx, qFence, &fence, s.d.bytesValue([]byte(owner)))
	})
	if err == sql.ErrNoRows {
		return 0, nil
	}
	return fence, err
}

// RevokeOwner raises the fence of owner, which is committed when anything is deleted, and deletes
// the owner's sessions except keep. With an error the fence is 0 if it may not have been raised.
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

// raise replaces the fence by a larger one: compare-and-swap, each try a statement that commits by
// itself. Who loses has seen another revocation succeed.
func (s *Store) raise(ctx context.Context, owner string) (uint64, error) {
	key := s.d.bytesValue([]byte(owner))
	for range 100 {
		old, err := s.fence(ctx, owner)
		if err != nil {
			return 0, err
		}
		fence := max(old+1, time.Now().UnixMilli())
		var n int
		err = s.again(ctx, patience, func() error {
			if old == 0 {
				n, err = s.exec(ctx, qFirstFence, key, fence)
			} else {
				n, err = s.exec(ctx, qRaiseFence, fence, key, old)
			}
			return err
		})
		switch {
		case err == nil && n == 1:
			return uint64(fence), nil
		case err != nil && !s.taken(err):
			return 0, err
		}
	}
	return 0, errors.New("others raised the fence 100 times meanwhile")
}

// deleteAll runs q, which takes batch keys, for the keys given.
func (s *Store) deleteAll(ctx context.Context, q query, keys []string, args ...any) (n int, err error) {
	if len(keys) == 0 {
		return 0, nil
	}
	all := make([]any, 0, batch+len(args))
	for i := range batch {
		all = append(all, keys[min(i, len(keys)-1)])
	}
	all = append(all, args...)
	err = s.again(ctx, patience, func() error {
		n, err = s.exec(ctx, q, all...)
		return err
	})
	return n, err
}
