package sqlstore

import "context"

// checkMemory finds a database in memory of which each connection has one of its own. It looks through two
// connections at once: one alone may be the one that has the table.
func (s *Store) checkMemory(ctx context.Context, f *findings) error {
	if s.d.inMemory == "" || s.db.Stats().MaxOpenConnections == 1 {
		return nil
	}
	if n, err := number(ctx, s.db, s.d.inMemory); err != nil || n == 0 {
		return err
	}
	release, err := s.pair(ctx)
	if err != nil {
		return err
	}
	defer release()
	tables := 0
	for range 2 {
		conn, err := s.db.Conn(ctx)
		if err != nil {
			return err
		}
		defer conn.Close()
		cols, err := s.columns(ctx, conn, s.w)
		if err != nil {
			return err
		}
		if len(cols) > 0 {
			tables++
		}
	}
	if tables < 2 {
		f.unfit = true
		f.add("the database is in memory, and each connection of the pool has one of its own: " +
			"use a file, or the DSN file:sessions?mode=memory&cache=shared, or db.SetMaxOpenConns(1) before Migrate")
	}
	return nil
}
