package sqlstore

import "context"

// pair is for a Check that keeps a connection while it wants another: one at a time does. If as many did as the
// pool has connections, each would wait for the others until its time is over, and every session with them.
func (s *Store) pair(ctx context.Context) (release func(), err error) {
	select {
	case s.pairs <- struct{}{}:
		return func() { <-s.pairs }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
