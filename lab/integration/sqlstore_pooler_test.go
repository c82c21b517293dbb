package integration

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/lab/harness"
	"github.com/gosojourn/sojourn/sqlstore"
)

// The documented set-up behind a PgBouncer that hands out connections by the transaction, fewer than there
// are clients: every request is served.
func TestF61_BehindPgBouncer(t *testing.T) {
	p := onPostgres(t, postgresTable)
	p.dsn = harness.PgBouncer(t, p.dsn, 4) + "?default_query_exec_mode=exec"
	s := newStore(t, p.open(t), p.dialect, sqlstore.Options{NoPrepare: true})
	migrate(t, s)
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
	m := managerOn(t, s, sojourn.Config{})
	var failed atomic.Int32
	var wg sync.WaitGroup
	for range 24 {
		wg.Go(func() {
			cookie := ""
			for range 10 {
				w := visit(m, "POST", cookie, plusOne)
				if cookie == "" {
					cookie = cookieOf(w)
				}
				if w.Code != http.StatusOK {
					failed.Add(1)
				}
			}
			wantClicks(t, m, cookie, 10)
		})
	}
	wg.Wait()
	if n := failed.Load(); n > 0 {
		t.Errorf("%d of 240 requests were not served", n)
	}
}

// NoPrepare alone does not keep pgx from preparing by itself. Check sees that, and names the parameter.
func TestF61_CheckSeesADriverThatPrepares(t *testing.T) {
	for _, mode := range []string{"", "?default_query_exec_mode=cache_statement"} {
		p := onPostgres(t, postgresTable)
		p.dsn += mode
		says(t, newStore(t, p.open(t), p.dialect, sqlstore.Options{NoPrepare: true}).Check(t.Context()),
			[]string{"Options.NoPrepare is set, but the driver prepares statements by itself: add default_query_exec_mode=exec to the DSN"})
	}
	for _, mode := range []string{"exec", "simple_protocol", "cache_describe"} {
		p := onPostgres(t, postgresTable)
		p.dsn += "?default_query_exec_mode=" + mode
		if err := newStore(t, p.open(t), p.dialect, sqlstore.Options{NoPrepare: true}).Check(t.Context()); err != nil && strings.Contains(err.Error(), "prepares") {
			t.Errorf("%s: %v", mode, err)
		}
	}
}
