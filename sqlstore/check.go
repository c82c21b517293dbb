package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxDrift is how far the server's clock may be from this process's.
const maxDrift = time.Minute

// smallPool is a limit that handlers can use up, each with a transaction of its own, so that none of them
// gets the connection that its session needs.
const smallPool = 8

// Check does what sessions do. It creates a session of an owner that nobody has, reads it on a second
// connection, touches, updates, revokes and deletes it, and leaves nothing behind. Its error names
// everything that is wrong with the table, the user's rights, the server and the connection pool, one to a
// line, each with what to do. A table without an owner index is not wrong.
func (s *Store) Check(ctx context.Context) error {
	f := &findings{}
	for _, look := range []func(context.Context, *findings) error{s.checkMemory, s.checkTable, s.checkOwners, s.checkServer, s.checkStatements, s.checkConns, s.tryOut} {
		err := look(ctx, f)
		if err == nil {
			continue
		}
		if other := s.otherKind(ctx, err); other != nil {
			return fmt.Errorf("sqlstore: check: %w", other)
		}
		if behindPooler(err) {
			f.add("a pooler hands out connections by the transaction, and what is prepared is not where it is to be run (%w): "+
				"set Options.NoPrepare, and add default_query_exec_mode=exec to the DSN (pgx), or the driver prepares by itself", cause(err))
			break
		} else if k := s.d.kind(err); k != refused && k != missing || ctx.Err() != nil {
			return errors.Join(append(f.all, s.failed(ctx, "check", err))...)
		} else { // something that others of the checks may do without
			f.unfit = true
			f.add("%w", discreet(err))
		}
	}
	s.checkPool(f)
	return errors.Join(f.all...)
}

// findings are what Check has to say.
type findings struct {
	all   []error
	unfit bool // to save a session would fail, and only say the same again
}

func (f *findings) add(format string, a ...any) {
	f.all = append(f.all, fmt.Errorf("sqlstore: check: "+format, a...))
}

func (s *Store) checkTable(ctx context.Context, f *findings) error {
	if f.unfit {
		return nil // each connection sees another table
	}
	cols, err := s.columns(ctx, s.db, s.w)
	if err != nil {
		return err
	}
	if len(cols) == 0 {
		f.unfit = true
		return s.checkAbsent(ctx, f)
	}
	for _, m := range s.misfits(cols) {
		f.unfit = true
		f.add("%s", m)
	}
	if shape, err := s.shape(ctx, s.db, s.w); err != nil {
		return err
	} else if shape != "" && shape != partitioned {
		f.unfit = f.unfit || s.d.inside // SQLite writes to no view
		f.add("%s is %s, which Migrate does not alter: name the table itself with Options.Table", s.w.table, shape)
		return s.learn(ctx, s.db, cols)
	}
	found, err := s.indexes(ctx, s.db, s.w)
	if err != nil {
		return err
	}
	if _, ok := cols["token"]; ok && !found.unique("token") {
		f.add("column token is not unique: %s", s.key(s.w, "token"))
	}
	if _, ok := cols["expiry"]; ok && !found.leads("expiry") {
		f.add("column expiry has no index, so that every sweep reads the whole table: call Migrate")
	}
	return s.learn(ctx, s.db, cols)
}

// checkAbsent tells a table that is not there from one that this user may not see.
func (s *Store) checkAbsent(ctx context.Context, f *findings) error {
	_, err := number(ctx, s.db, s.w.sql("SELECT COUNT(*) FROM {table} WHERE 1 = 0"))
	if s.denied(err) {
		return s.reportRights(ctx, f, []right{{"SELECT", s.w.table}, {"INSERT", s.w.table}, {"UPDATE", s.w.table}, {"DELETE", s.w.table}})
	}
	f.add("there is no table %s: call Migrate, or correct Options.Table or the database that the DSN names", s.w.table)
	return nil
}

// misfits says what is wrong with the columns of a table of sessions, and how to mend it.
func (s *Store) misfits(cols map[string]column) (bad []string) {
	for _, w := range s.d.wants {
		c, ok := cols[w.column]
		switch {
		case !ok:
			bad = append(bad, fmt.Sprintf("table %s has no column %s: correct Options.Table, or see docs/sqlstore.md for the table", s.w.table, w.column))
		case w.types != nil && !slices.Contains(w.types, c.kind):
			bad = append(bad, fmt.Sprintf("column %s is of type %s: %s", w.column, c.kind, s.w.sql(w.remedy)))
		case c.length != 0 && c.length < int64(w.length):
			bad = append(bad, fmt.Sprintf("column %s holds %d, it must hold %d: %s", w.column, c.length, w.length, s.w.sql(w.remedy)))
		}
	}
	if len(bad) > 0 {
		return bad
	}
	for name, c := range cols {
		ours := name == "owner" || slices.ContainsFunc(s.d.wants, func(w want) bool { return w.column == name })
		if c.needed && !ours {
			bad = append(bad, fmt.Sprintf("column %s of table %s is NOT NULL and has no default, and nobody fills it: %s",
				name, s.w.table, s.about(s.w, s.d.dropNeed, s.d.quoted("", name), c.zero())))
		}
	}
	slices.Sort(bad)
	return bad
}

// about writes a statement about a column of w's table.
func (s *Store) about(w writer, text, column, value string) string {
	return w.sql(strings.NewReplacer("{column}", column, "{default}", value).Replace(text))
}

// key writes the statement that makes a column of w's table unique.
func (s *Store) key(w writer, column string) string {
	return s.about(w, s.d.unique, column, s.d.quoted("", w.t.name+"_"+column+"_key"))
}

func (s *Store) checkOwners(ctx context.Context, f *findings) error {
	if f.unfit {
		return nil
	}
	cols, err := s.columns(ctx, s.db, s.w)
	if err != nil {
		return err
	}
	c, ok := cols["owner"]
	if !ok {
		return nil
	}
	if !s.isOwner(c) {
		f.add("column owner is of type %s, not what Migrate adds: rename it and call Migrate", c.kind)
		return nil
	}
	if c.needed {
		f.unfit = true
		f.add("column owner of table %s is NOT NULL, but while nobody is logged in it is NULL: %s", s.w.table, s.w.sql(s.d.freeOwner))
	}
	if _, err := number(ctx, s.db, s.w.sql(s.d.finished)); s.denied(err) {
		f.unfit = true
		return s.reportRights(ctx, f, []right{{"SELECT", s.w.owners().table}, {"INSERT", s.w.owners().table}, {"UPDATE", s.w.owners().table}, {"DELETE", s.w.owners().table}})
	}
	if done, err := s.isComplete(ctx, s.db); err != nil {
		return err
	} else if !done {
		f.add("the owner index was begun and not completed: call Migrate again")
		return nil
	}
	return s.checkOwnerIndexes(ctx, f)
}

// checkOwnerIndexes finds that somebody has taken away what Migrate has made.
func (s *Store) checkOwnerIndexes(ctx context.Context, f *findings) error {
	found, err := s.indexes(ctx, s.db, s.w)
	if err != nil {
		return err
	}
	if !found.leads("owner") {
		f.add("column owner has no index, so that every list and every revocation reads the whole table: call Migrate")
	}
	if found, err = s.indexes(ctx, s.db, s.w.owners()); err != nil {
		return err
	}
	if !found.unique("owner") {
		f.add("column owner of table %s is not unique, so that one person may have two fences: %s", s.w.owners().table, s.key(s.w.owners(), "owner"))
	}
	return nil
}

func (s *Store) checkServer(ctx context.Context, f *findings) error {
	for _, x := range s.d.settings {
		if n, err := number(ctx, s.db, s.w.sql(x.query)); err != nil {
			return err
		} else if n < x.min {
			f.unfit = f.unfit || x.unfit
			f.add("%s", s.w.sql(x.wrong))
		}
	}
	start := time.Now()
	n, err := number(ctx, s.db, s.w.sql("SELECT {now}"), s.now()...)
	if err != nil {
		return err
	}
	here := start.Add(time.Since(start) / 2)
	if drift := time.UnixMicro(n).Sub(here).Round(time.Second); drift.Abs() > maxDrift {
		f.add("the server's clock differs from this host's by %s: let NTP set both", drift)
	}
	return nil
}

// checkConns finds a pool that may want more connections than the server gives.
func (s *Store) checkConns(ctx context.Context, f *findings) error {
	most := int64(s.db.Stats().MaxOpenConnections)
	for _, x := range []struct{ query, whom string }{{s.d.userConns, "this user"}, {s.d.allConns, "all its users together"}} {
		if x.query == "" {
			return nil
		}
		n, err := number(ctx, s.db, x.query)
		if err != nil {
			return err
		}
		switch of := "any number"; {
		case n < 1, most > 0 && most <= n, most == 0 && x.query == s.d.allConns:
		default:
			if most > 0 {
				of = strconv.FormatInt(most, 10)
			}
			f.add("the server gives %s %d connections, and the pool may open %s: db.SetMaxOpenConns(%d) or fewer", x.whom, n, of, n)
			return nil
		}
	}
	return nil
}

func (s *Store) checkPool(f *findings) {
	p := s.db.Stats()
	switch n := p.MaxOpenConnections; {
	case s.ownPool || n == 0 || n >= smallPool:
	case n == 1:
		f.add("the pool has one connection: a handler that holds it (a transaction, rows that are read) and then asks its session waits for itself: " +
			"give the sessions a *sql.DB of their own and say so with Options.OwnPool")
	default:
		f.add("the pool has at most %d connections: as many handlers, each with a transaction open, leave none for their sessions: "+
			"db.SetMaxOpenConns(%d) or more, or give the sessions a *sql.DB of their own and say so with Options.OwnPool", n, smallPool)
	}
	// One a second, all the while, is more than a burst.
	if n := p.MaxIdleClosed; n > 100 && float64(n) > time.Since(s.since).Seconds() && !s.d.inside {
		f.add("the pool has closed %d connections for which it had no idle place: db.SetMaxIdleConns(n) with n near the number in use, the default is 2", n)
	}
}
