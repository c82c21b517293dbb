package integration

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gosojourn/sojourn/lab/harness"
	"github.com/gosojourn/sojourn/sqlstore"
)

// A neighbour has prepared all that the server takes. Sessions go on unprepared, and prepare again when there
// is room; Check says so.
func TestF66_NoMoreStatementsCanBePrepared(t *testing.T) {
	server := harness.StartMySQL(t)
	p := place{sqlstore.MySQL, "mysql", server.DSN("app", "multiStatements=true")}
	db := p.open(t)
	s := newStore(t, db, p.dialect, sqlstore.Options{})
	migrate(t, s)
	before := newStore(t, p.open(t), p.dialect, sqlstore.Options{}) // has statements, on some connections
	r := create(t, before, newRecord("ann"))
	holds(t, before, r)

	p.exec(t, "SET GLOBAL max_prepared_stmt_count = 60")
	neighbour := p.open(t)
	for n := 0; ; n++ {
		if _, err := neighbour.Prepare("SELECT 1"); err != nil {
			break
		}
		if n > 100 {
			t.Fatal("the server takes ever more statements: nothing is tested")
		}
	}
	for _, s := range []*sqlstore.Store{s, before} {
		var wg sync.WaitGroup
		for range 80 {
			wg.Go(func() {
				r := newRecord("bob")
				if err := s.Create(t.Context(), r); err != nil {
					t.Errorf("Create: %v", err)
					return
				}
				was := r.Version
				r.Version, r.Data = newVersion(), append(r.Data, "and \xff more"...)
				if err := s.Update(t.Context(), r, was); err != nil {
					t.Errorf("Update: %v", err)
				}
				r.Seen = r.Seen.Add(time.Second)
				if err := s.Touch(t.Context(), r); err != nil {
					t.Errorf("Touch: %v", err)
				}
				if got, err := s.Load(t.Context(), r.ID); err != nil || string(got.Data) != string(r.Data) || got.Owner != "bob" {
					t.Errorf("Load: %v, %v", got, err)
				}
			})
		}
		wg.Wait()
		if n := len(owned(t, s, "bob")); n != 80 {
			t.Errorf("%d sessions of 80 are listed", n)
		}
		if _, err := s.RevokeOwner(t.Context(), "bob", ""); err != nil {
			t.Errorf("RevokeOwner: %v", err)
		}
		if n := len(owned(t, s, "bob")); n != 0 {
			t.Errorf("%d sessions are left of 80", n)
		}
		err := s.Check(t.Context())
		if err == nil || !strings.Contains(err.Error(), "room for 0 more prepared statements, of 60") || !strings.Contains(err.Error(), "SET GLOBAL max_prepared_stmt_count = ") {
			t.Errorf("Check: %v, want the statement to run", err)
		}
	}
	neighbour.Close()
	p.exec(t, "SET GLOBAL max_prepared_stmt_count = 16382")
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
	holds(t, s, r)
}
