package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// maxDrift is how far the server's clock may be from this process's.
const maxDrift = time.Minute

// Check reports everything about the table, the server and the connection pool that is not as it
// must be, one to a line, each with what to do. A table without an owner index is as it must be.
func (s *Store) Check(ctx context.Context) error {
	var bad []error
	wrong := func(format string, a ...any) { bad = append(bad, fmt.Errorf("sqlstore: check: "+format, a...)) }
	for _, f := range []func(context.Context, func(string, ...any)) error{s.checkTable, s.checkOwners, s.checkServer} {
		if err := f(ctx, wrong); err != nil {
			return errors.Join(append(bad, s.failed(ctx, "check", err))...)
		}
	}
	s.checkPool(wrong)
	return errors.Join(bad...)
}

func (s *Store) checkTable(ctx context.Context, wrong func(string, ...any)) error {
	cols, err := s.columns(ctx, s.db, s.w)
	if err != nil {
		return err
	}
	if len(cols) == 0 {
		wrong("there is no table %s: call Migrate, or correct Options.Table or the database that the DSN names", s.w.table)
		return nil
	}
	for _, w := range s.d.wants {
		c, ok := cols[w.column]
		switch {
		case !ok:
			wrong("table %s has no column %s: correct Options.Table, or see docs/sqlstore.md for the table", s.w.table, w.column)
		case w.types != nil && !slices.Contains(w.types, c.kind):
			wrong("column %s is of type %s: %s", w.column, c.kind, s.w.sql(w.remedy))
		case c.length != 0 && c.length < int64(w.length):
			wrong("column %s holds %d, it must hold %d: %s", w.column, c.length, w.length, s.w.sql(w.remedy))
		}
	}
	found, err := s.indexes(ctx, s.db)
	if err != nil {
		return err
	}
	if _, ok := cols["token"]; ok && !found.unique("token") {
		wrong("column token is not unique: ALTER TABLE %s ADD PRIMARY KEY (token)", s.w.table)
	}
	if _, ok := cols["expiry"]; ok && !found.leads("expiry") {
		wrong("column expiry has no index, so that every sweep reads the whole table: call Migrate")
	}
	return s.learn(ctx, s.db, cols)
}

func (s *Store) checkOwners(ctx context.Context, wrong func(string, ...any)) error {
	cols, err := s.columns(ctx, s.db, s.w)
	if err != nil {
		return err
	}
	c, ok := cols["owner"]
	if !ok {
		return nil
	}
	if !s.isOwner(c) {
		wrong("column owner is of type %s, not what Migrate adds: rename it and call Migrate", c.kind)
		return nil
	}
	done, err := s.isComplete(ctx, s.db)
	if err == nil && !done {
		wrong("the owner index was begun and not completed: call Migrate again")
	}
	return err
}

func (s *Store) checkServer(ctx context.Context, wrong func(string, ...any)) error {
	for _, x := range s.d.settings {
		if n, err := number(ctx, s.db, x.query); err != nil {
			return err
		} else if n < x.min {
			wrong("%s", x.wrong)
		}
	}
	if s.d.clock == "" {
		return nil
	}
	start := time.Now()
	n, err := number(ctx, s.db, s.d.clock)
	if err != nil {
		return err
	}
	here := start.Add(time.Since(start) / 2)
	if drift := time.Unix(n, 0).Sub(here).Round(time.Second); drift.Abs() > maxDrift {
		wrong("the server's clock differs from this host's by %s: let NTP set both", drift)
	}
	return nil
}

func (s *Store) checkPool(wrong func(string, ...any)) {
	// One a second, all the while, is more than a burst.
	if n := s.db.Stats().MaxIdleClosed; n > 100 && float64(n) > time.Since(s.since).Seconds() && !s.Local() {
		wrong("the pool has closed %d connections for which it had no idle place: db.SetMaxIdleConns(n) with n near the number in use, the default is 2", n)
	}
}
