package integration

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gosojourn/sojourn/sqlstore"
)

// A transaction of another database that has tables of sessions too ends no session here, nor there: whoever the owner
// is, and whether or not there is a row of theirs in both.
func TestFaultRevokeTxOfAnotherDatabase(t *testing.T) {
	for name, at := range map[string]opener{"MySQL": mysqlPlace(nil), "Postgres": postgresPlace(), "SQLite": sqlitePlace(usual)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x, y := newPeople(t, at(t)), newPeople(t, at(t))
			for _, z := range []*people{x, y} {
				if _, err := z.s.RevokeOwner(t.Context(), "bob", ""); err != nil {
					t.Fatal(err)
				}
			}
			for _, owner := range []string{"ann", "bob"} {
				here, there := create(t, x.s, newRecord(owner)), create(t, y.s, newRecord(owner))
				tx := y.begin(t)
				for what, err := range map[string]error{
					"RevokeTx":       x.s.RevokeTx(t.Context(), tx, owner),
					"RevokeOthersTx": x.s.RevokeOthersTx(t.Context(), tx, owner, "x"),
				} {
					if err == nil || !strings.Contains(err.Error(), "of another database than the sessions") {
						t.Errorf("%s of %s: %v", what, owner, err)
					}
				}
				commitTx(t, tx)
				holds(t, x.s, here)
				holds(t, y.s, there)
			}
		})
	}
}

// A table that is named with its database is found from a transaction of every other.
func TestRevokeTxOfATableWithItsDatabase(t *testing.T) {
	x, y := newPeople(t, onMySQL(t, nil)), newPeople(t, onMySQL(t, nil))
	name := scan[string](t, x.db, "SELECT DATABASE()")
	s := newStore(t, y.db, y.dialect, sqlstore.Options{Table: name + ".sessions"})
	r := create(t, s, newRecord("ann"))
	for _, tx := range []*people{x, y} {
		tx := tx.begin(t)
		if err := s.RevokeTx(t.Context(), tx, "ann"); err != nil {
			t.Fatal(err)
		}
		commitTx(t, tx)
		lacks(t, x.s, r.ID)
	}
}

// As many transactions as the pool has connections, of owners whom PostgreSQL has to be told of outside of them: each
// would wait for a connection that another has. That ends in an error long before the context does.
func TestFaultRevokeTxOnAllConnectionsOfAPool(t *testing.T) {
	x := newPeople(t, onPostgres(t))
	db := x.open(t)
	db.SetMaxOpenConns(2)
	s := newStore(t, db, x.dialect, sqlstore.Options{})
	r := create(t, s, newRecord("ann"))
	tx := (&people{x.place, db, s}).begin(t)
	(&people{x.place, db, s}).begin(t) // the other of the two
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err := s.RevokeTx(ctx, tx, "ann")
	if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil || !strings.Contains(err.Error(), "more connections than transactions") ||
		!strings.Contains(err.Error(), "a *sql.DB of their own") {
		t.Errorf("%v; the context: %v", err, ctx.Err())
	}
	tx.Rollback()
	tx = (&people{x.place, db, s}).begin(t)
	holds(t, x.s, r)
	if _, _, err := x.s.Fence(t.Context(), "ann"); err != nil {
		t.Error(err)
	}
	if _, err := x.s.RevokeOwner(t.Context(), "ann", ""); err != nil {
		t.Fatal(err)
	}
	if err := s.RevokeTx(ctx, tx, "ann"); err != nil {
		t.Errorf("of an owner who was revoked before: %v", err)
	}
}
