package integration

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/sqlstore"
)

// A people is an application's own table, beside the sessions, and the pool that it has for it.
type people struct {
	place
	db *sql.DB
	s  *sqlstore.Store // of another pool, as the README has it
}

const (
	peopleTable = "CREATE TABLE people (name VARCHAR(50) PRIMARY KEY, password VARCHAR(50) NOT NULL)"
	withSQLite  = usual + "&_txlock=immediate"
)

var readCommitted = &sql.TxOptions{Isolation: sql.LevelReadCommitted}

func newPeople(t testing.TB, p place) *people {
	t.Helper()
	if p.dialect == sqlstore.SQLite {
		p.dsn = strings.Replace(p.dsn, usual, withSQLite, 1)
	}
	x := &people{p, p.open(t), p.store(t)}
	migrate(t, x.s)
	mustExec(t, x.db, peopleTable)
	return x
}

// withPeople runs f on each dialect.
func withPeople(t *testing.T, f func(t *testing.T, x *people)) {
	everywhere(t, func(t *testing.T, p place) { f(t, newPeople(t, p)) })
}

func (x *people) sql(text string) string {
	if x.dialect != sqlstore.Postgres {
		return text
	}
	return strings.Replace(strings.Replace(text, "?", "$1", 1), "?", "$2", 1)
}

func (x *people) add(t testing.TB, name string) {
	t.Helper()
	mustExec(t, x.db, x.sql("INSERT INTO people (name, password) VALUES (?, ?)"), name, "old")
}

func (x *people) password(t testing.TB, name string) string {
	t.Helper()
	return scan[string](t, x.db, x.sql("SELECT password FROM people WHERE name = ?"), name)
}

func (x *people) begin(t testing.TB) *sql.Tx {
	t.Helper()
	tx, err := x.db.BeginTx(t.Context(), readCommitted)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tx.Rollback() })
	return tx
}

// change is the part of tx that sets a password.
func (x *people) change(ctx context.Context, tx *sql.Tx, name, to string) error {
	_, err := tx.ExecContext(ctx, x.sql("UPDATE people SET password = ? WHERE name = ?"), to, name)
	return err
}

func (x *people) changeAndRevoke(t testing.TB, tx *sql.Tx, name string) {
	t.Helper()
	err := x.change(t.Context(), tx, name, "new")
	if err == nil {
		err = x.s.RevokeTx(t.Context(), tx, name)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func commitTx(t testing.TB, tx *sql.Tx) {
	t.Helper()
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// A new password and the end of the sessions are committed together, or rolled back together; of somebody who
// was never revoked, and of one who was.
func TestRevokeTxWithThePasswordOrNeither(t *testing.T) {
	withPeople(t, func(t *testing.T, x *people) {
		for _, name := range []string{"ann", "bob"} {
			x.add(t, name)
		}
		if _, err := x.s.RevokeOwner(t.Context(), "bob", ""); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"ann", "bob"} {
			var theirs []sojourn.Record
			for range 150 { // more than a page
				theirs = append(theirs, create(t, x.s, newRecord(name)))
			}
			others := []sojourn.Record{create(t, x.s, newRecord(name+"a")), create(t, x.s, newRecord(name[:2])), create(t, x.s, newRecord(""))}
			before, _, err := x.s.Fence(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}

			tx := x.begin(t)
			x.changeAndRevoke(t, tx, name)
			holds(t, x.s, theirs[0]) // until the commit
			if err := tx.Rollback(); err != nil {
				t.Fatal(err)
			}
			fence, _, err := x.s.Fence(t.Context(), name)
			if fence != before || err != nil || x.password(t, name) != "old" || len(owned(t, x.s, name)) != len(theirs) {
				t.Errorf("%s, rolled back: fence %d, was %d, %v; password %q; %d sessions", name, fence, before, err, x.password(t, name), len(owned(t, x.s, name)))
			}

			tx = x.begin(t)
			x.changeAndRevoke(t, tx, name)
			commitTx(t, tx)
			fence, age, err := x.s.Fence(t.Context(), name)
			if fence <= before || age < 0 || age > time.Minute || err != nil || x.password(t, name) != "new" || len(owned(t, x.s, name)) != 0 {
				t.Errorf("%s, committed: fence %d, was %d, %v old, %v; password %q; %d sessions", name, fence, before, age, err, x.password(t, name), len(owned(t, x.s, name)))
			}
			lacks(t, x.s, theirs[0].ID)
			for _, r := range others {
				holds(t, x.s, r)
			}
			if again, err := x.s.RevokeOwner(t.Context(), name, ""); err != nil || again <= fence {
				t.Errorf("%s, revoked again: %d, was %d, %v", name, again, fence, err)
			}
		}
	})
}

// The one who changes the password keeps this session. A row whose column owner is out of date is somebody
// else's, and one in a later format is ended.
func TestRevokeOthersTxKeepsOne(t *testing.T) {
	withPeople(t, func(t *testing.T, x *people) {
		kept, other := create(t, x.s, newRecord("ann")), create(t, x.s, newRecord("ann"))
		bobs, later := create(t, x.s, newRecord("bob")), create(t, x.s, newRecord("ann"))
		column := map[sqlstore.Dialect]string{sqlstore.MySQL: "'ann'", sqlstore.Postgres: "'ann'::bytea", sqlstore.SQLite: "x'616e6e'"}[x.dialect]
		mustExec(t, x.db, "UPDATE sessions SET owner = "+column+", expiry = expiry WHERE token = '"+bobs.ID+"'")
		format := map[sqlstore.Dialect]string{
			sqlstore.MySQL:    "INSERT(data, 9, 1, '9')",
			sqlstore.Postgres: "overlay(data PLACING '9'::bytea FROM 9)",
			sqlstore.SQLite:   "unhex(hex(substr(data, 1, 8)) || '39' || hex(substr(data, 10)))",
		}[x.dialect]
		mustExec(t, x.db, "UPDATE sessions SET data = "+format+", expiry = expiry WHERE token = '"+later.ID+"'")
		tx := x.begin(t)
		if err := x.s.RevokeOthersTx(t.Context(), tx, "ann", kept.ID); err != nil {
			t.Fatal(err)
		}
		commitTx(t, tx)
		holds(t, x.s, kept)
		holds(t, x.s, bobs)
		lacks(t, x.s, other.ID)
		lacks(t, x.s, later.ID)
	})
}

// What cannot be done is an error that says so, and the transaction can be rolled back.
func TestRevokeTxRefuses(t *testing.T) {
	withPeople(t, func(t *testing.T, x *people) {
		r := create(t, x.s, newRecord("ann"))
		says := func(err, want error, words string) {
			t.Helper()
			if err == nil || want != nil && !errors.Is(err, want) || !strings.Contains(err.Error(), words) {
				t.Errorf("%v, want %v that says %q", err, want, words)
			}
		}
		says(x.s.RevokeTx(t.Context(), nil, "ann"), nil, "tx is nil")
		tx := x.begin(t)
		says(x.s.RevokeTx(t.Context(), tx, ""), nil, "owner is empty")
		says(x.s.RevokeTx(t.Context(), tx, strings.Repeat("a", 256)), nil, "255 fit")
		commitTx(t, tx)
		says(x.s.RevokeTx(t.Context(), tx, "ann"), sql.ErrTxDone, "")
		tx = x.begin(t)
		tx.Rollback()
		says(x.s.RevokeTx(t.Context(), tx, "ann"), sql.ErrTxDone, "")

		gone, cancel := context.WithCancel(t.Context())
		cancel()
		tx = x.begin(t)
		says(x.s.RevokeTx(gone, tx, "ann"), context.Canceled, "")
		tx.Rollback()
		ctx, cancel := context.WithCancel(t.Context())
		tx, err := x.db.BeginTx(ctx, readCommitted)
		if err == nil {
			err = x.s.RevokeTx(t.Context(), tx, "ann")
		}
		if err != nil {
			t.Fatal(err)
		}
		cancel() // which rolls back
		if err := tx.Commit(); err == nil {
			t.Error("committed, though the context of the transaction was done")
		}
		holds(t, x.s, r)

		if x.dialect == sqlstore.Postgres {
			for level, name := range map[sql.IsolationLevel]string{sql.LevelRepeatableRead: "REPEATABLE READ", sql.LevelSerializable: "SERIALIZABLE"} {
				tx, err := x.db.BeginTx(t.Context(), &sql.TxOptions{Isolation: level})
				if err != nil {
					t.Fatal(err)
				}
				says(x.s.RevokeTx(t.Context(), tx, "ann"), nil, "the transaction is "+name)
				tx.Rollback()
			}
		}
		holds(t, x.s, r)
		if fence, _, err := x.s.Fence(t.Context(), "ann"); fence != 0 || err != nil {
			t.Errorf("the fence is %d, %v", fence, err)
		}
	})
}

// A table without an owner index, and a transaction of a database without the table.
func TestRevokeTxWithoutAnIndex(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		db, s := p.open(t), p.store(t)
		for _, c := range []struct {
			before func()
			want   error
			words  string
		}{
			{func() {}, errors.ErrUnsupported, "Migrate"},
			{func() { migrate(t, s) }, nil, ""},
			{func() { p.exec(t, "DROP TABLE sessions", "DROP TABLE sessions_owners") }, nil, "of the database that keeps the sessions"},
		} {
			c.before()
			tx, err := db.BeginTx(t.Context(), readCommitted)
			if err != nil {
				t.Fatal(err)
			}
			err = s.RevokeTx(t.Context(), tx, "ann")
			if c.want != nil && !errors.Is(err, c.want) || (err == nil) != (c.words == "") || err != nil && !strings.Contains(err.Error(), c.words) {
				t.Errorf("%v, want %v that says %q", err, c.want, c.words)
			}
			tx.Rollback()
		}
	})
}

// One connection for the application and the sessions is enough, but for an owner whom PostgreSQL has to be told of
// outside of the transaction: that is an error in time.
func TestRevokeTxOnOneConnection(t *testing.T) {
	withPeople(t, func(t *testing.T, x *people) {
		db := x.open(t)
		db.SetMaxOpenConns(1)
		s := newStore(t, db, x.dialect, sqlstore.Options{})
		for i, name := range []string{"ann", "bob"} {
			if i == 0 {
				if _, err := s.RevokeOwner(t.Context(), name, ""); err != nil {
					t.Fatal(err)
				}
			}
			r := create(t, s, newRecord(name))
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			tx, err := db.BeginTx(t.Context(), readCommitted)
			if err != nil {
				t.Fatal(err)
			}
			err = s.RevokeTx(ctx, tx, name)
			cancel()
			if i == 1 && x.dialect == sqlstore.Postgres {
				if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "all 1 connections are in use") {
					t.Errorf("%v, want DeadlineExceeded, and why", err)
				}
				tx.Rollback()
				holds(t, s, r)
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			commitTx(t, tx)
			lacks(t, s, r.ID)
		}
	})
}

// Two transactions that lock in another order each wait for the other: one is chosen to lose, and its
// sessions and its password stay. On SQLite the second cannot begin.
func TestRevokeTxDeadlock(t *testing.T) {
	besideEachOther(t, map[string]opener{"MySQL": mysqlPlace(nil, mysqlTable), "Postgres": postgresPlace(postgresTable)}, func(t *testing.T, p place) {
		x := newPeople(t, p)
		x.add(t, "ann")
		first, second := x.begin(t), x.begin(t)
		if err := x.change(t.Context(), first, "ann", "first"); err != nil {
			t.Fatal(err)
		}
		if err := x.s.RevokeTx(t.Context(), second, "ann"); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		errs := make(chan error, 2)
		go func() {
			err := x.s.RevokeTx(ctx, first, "ann")
			if err == nil {
				err = first.Commit()
			} else {
				first.Rollback()
			}
			errs <- err
		}()
		go func() {
			err := x.change(ctx, second, "ann", "second")
			if err == nil {
				err = second.Commit()
			} else {
				second.Rollback()
			}
			errs <- err
		}()
		one, two := <-errs, <-errs
		if (one == nil) == (two == nil) || ctx.Err() != nil {
			t.Fatalf("%v and %v, want that one of the two loses", one, two)
		}
		if got := x.password(t, "ann"); got == "old" {
			t.Error("nobody has changed the password")
		}
		if fence, _, err := x.s.Fence(t.Context(), "ann"); fence == 0 || err != nil {
			t.Errorf("the fence is %d, %v", fence, err)
		}
	})
}

// A RevokeTx that waits for a stranger's lock is over with its context, and leaves nothing locked.
func TestRevokeTxGivesUpInTheServer(t *testing.T) {
	besideEachOther(t, map[string]opener{"MySQL": mysqlPlace(nil, mysqlTable), "Postgres": postgresPlace(postgresTable)}, func(t *testing.T, p place) {
		x := newPeople(t, p)
		x.add(t, "ann")
		r := create(t, x.s, newRecord("ann"))
		release := lockedBy(t, p, "BEGIN", "UPDATE sessions SET expiry = expiry WHERE token = '"+r.ID+"'")
		defer release()
		tx := x.begin(t)
		if err := x.change(t.Context(), tx, "ann", "new"); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		within(t, "RevokeTx", func() {
			if err := x.s.RevokeTx(ctx, tx, "ann"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v, want DeadlineExceeded", err)
			}
		})
		tx.Rollback()
		within(t, "another change of the password", func() {
			for { // what was given up is looked for after a moment
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				_, err := x.db.ExecContext(ctx, "UPDATE people SET password = 'newer' WHERE name = 'ann'")
				cancel()
				if err == nil {
					return
				}
			}
		})
		release()
		holds(t, x.s, r)
		if fence, _, err := x.s.Fence(t.Context(), "ann"); fence != 0 || err != nil {
			t.Errorf("the fence is %d, %v", fence, err)
		}
	})
}
