package sqlstore

import (
	"context"
	"errors"
)

// enter puts into the owner index what was saved without it. Whoever still writes without it looks
// whether the column is there after every write, so what this scan does not meet has seen to itself.
func (s *Store) enter(ctx context.Context) error {
	s.owners.state.Store(present)
	done, err := s.isComplete(ctx, s.db)
	if err != nil || done {
		s.owners.complete.Store(done)
		return err
	}
	after := ""
	for {
		page, err := s.page(ctx, qUnfilled, after, []byte{format}, []byte("000"))
		if err != nil {
			return err
		}
		for _, x := range page {
			r, err := decode(x.token, x.data)
			if err == nil {
				err = s.fill(ctx, &r)
			}
			if err != nil && !errors.Is(err, errForeign) {
				return err
			}
		}
		if len(page) < batch {
			break
		}
		after = page[len(page)-1].token
	}
	err = s.again(ctx, lockPatience, func() error {
		_, err := s.db.ExecContext(ctx, s.w.sql(s.d.finish))
		return err
	})
	if err != nil && !s.taken(err) { // taken: another process was first
		return err
	}
	s.owners.complete.Store(true)
	return nil
}
