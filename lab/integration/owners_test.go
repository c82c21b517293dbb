package integration

import (
	"context"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/sojourntest"
	"github.com/gosojourn/sojourn/sqlstore"
)

// A body of List that ends what it is shown must not wait for the connection that List holds.
func TestListWithRevokeInItsBodyOnOneConnection(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		db := p.open(t)
		db.SetMaxOpenConns(1)
		s := newStore(t, db, p.dialect, sqlstore.Options{})
		migrate(t, s)
		m, err := sojourn.New(s, sojourn.Config{})
		if err != nil {
			t.Fatal(err)
		}
		for range 250 {
			ctx := sojourntest.Context(t, m)
			if err := m.Login(ctx, "bob"); err != nil {
				t.Fatal(err)
			}
			if err := m.Commit(ctx); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		n := 0
		for i, err := range m.List(ctx, "bob") {
			if err != nil {
				t.Fatal(err)
			}
			if err := m.Revoke(ctx, "bob", i.ID); err != nil {
				t.Fatal(err)
			}
			n++
		}
		if left := len(owned(t, s, "bob")); n != 250 || left != 0 {
			t.Errorf("%d were listed and ended, %d are left", n, left)
		}
	})
}
