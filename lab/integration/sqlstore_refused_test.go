package integration

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/lab/harness"
)

// What a database refuses for good is told as that, at once, in its own words, to one alone and to those
// who share a statement.
func TestF11_RefusedIsTold(t *testing.T) {
	for name, c := range map[string]struct {
		at    func(t *testing.T) (filler, refuser place) // the same database
		words string
	}{
		"MySQL, read-only transactions": {func(t *testing.T) (place, place) {
			p := onMySQL(t, nil, mysqlTable)
			refuser := p
			refuser.dsn += "&" + mysqlVariable(t, "transaction_read_only", "tx_read_only") + "=1"
			return p, refuser
		}, "READ ONLY"},
		"MySQL, no right to write": {func(t *testing.T) (place, place) {
			p := onMySQL(t, nil, mysqlTable)
			refuser := p
			user := harness.MySQLUser(t, "SELECT ON "+mysqlDatabase(t, p)+".*")
			_, at, _ := strings.Cut(p.dsn, "@")
			refuser.dsn = user + ":@" + at
			return p, refuser
		}, "denied"},
		"MySQL, a check": {func(t *testing.T) (place, place) {
			p := onMySQL(t, nil, mysqlTable)
			return p, p
		}, "Check may know more"},
		"Postgres, read-only": {func(t *testing.T) (place, place) {
			p := onPostgres(t, postgresTable)
			refuser := p
			refuser.dsn += "?default_transaction_read_only=on"
			return p, refuser
		}, "read-only"},
		"Postgres, no right to write": {func(t *testing.T) (place, place) {
			p := onPostgres(t, postgresTable, "GRANT SELECT ON sessions TO pg_monitor")
			refuser := p
			refuser.dsn += "?role=pg_monitor"
			return p, refuser
		}, "permission denied"},
		"SQLite, read-only": {func(t *testing.T) (place, place) {
			p := onSQLite(t, usual, sqliteTable)
			refuser := p
			refuser.dsn += "&_pragma=query_only(1)"
			return p, refuser
		}, "readonly"},
		"SQLite, full": {func(t *testing.T) (place, place) {
			p := onSQLite(t, usual, sqliteTable)
			refuser := p
			refuser.dsn += "&_pragma=max_page_count(1)" // no more than there are
			return p, refuser
		}, "full"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			filler, refuser := c.at(t)
			full, fits := filler.store(t), refuser.store(t)
			var rs [20]sojourn.Record
			for i := range rs {
				rs[i] = create(t, full, newRecord(""))
			}
			if name == "MySQL, a check" {
				filler.exec(t, "ALTER TABLE sessions ADD CONSTRAINT c CHECK (LENGTH(data) < 400)")
			}
			refused := func(what string, err error) {
				t.Helper()
				if !errors.Is(err, sojourn.ErrRefused) || !strings.Contains(err.Error(), c.words) {
					t.Errorf("%s: %v, want ErrRefused that says %q", what, err, c.words)
				}
			}
			big := newRecord("")
			big.Data = make([]byte, 60_000)
			refused("Create", fits.Create(t.Context(), big))
			var wg sync.WaitGroup
			for i, r := range rs {
				wg.Go(func() {
					was := r.Version
					r.Version, r.Data = newVersion(), big.Data
					refused(fmt.Sprint("Update ", i), fits.Update(t.Context(), r, was))
				})
			}
			wg.Wait()
			for _, r := range rs {
				holds(t, fits, r) // reading goes on
			}
			if c.words != "full" && c.words != "Check may know more" {
				refused("Touch", fits.Touch(t.Context(), rs[0]))
				refused("Delete", fits.Delete(t.Context(), rs[0].ID, 0))
				_, err := fits.Sweep(t.Context(), rs[0].Expiry.Add(1e15), 10)
				refused("Sweep", err)
			}
		})
	}
}

// mysqlDatabase is the name of p's.
func mysqlDatabase(t testing.TB, p place) string {
	t.Helper()
	return scan[string](t, p.open(t), "SELECT DATABASE()")
}
