package harness_test

import (
	"testing"
	"time"

	"github.com/gosojourn/sojourn/lab/harness"
)

func TestAServerKeepsItsDataThroughKillAndStop(t *testing.T) {
	for _, kind := range []struct {
		driver string
		start  func(testing.TB) *harness.Server
	}{{"mysql", harness.StartMySQL}, {"pgx", harness.StartPostgres}} {
		t.Run(kind.driver, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			s := kind.start(t)
			t.Logf("started after %v", time.Since(began))
			addr := s.Addr()
			db := harness.Open(t, kind.driver, s.DSN("app"))
			exec := func(query string) {
				t.Helper()
				if _, err := db.Exec(query); err != nil {
					t.Fatalf("%s: %v", query, err)
				}
			}
			exec("CREATE TABLE visits (n INTEGER)")
			exec("INSERT INTO visits VALUES (1)")
			for _, end := range []func(){s.Kill, s.Stop} {
				began = time.Now()
				end()
				t.Logf("the end took %v", time.Since(began))
				if err := db.Ping(); err == nil {
					t.Fatal("the server answers after its end")
				}
				began = time.Now()
				s.Start()
				t.Logf("the start took %v", time.Since(began))
				exec("UPDATE visits SET n = n + 1")
			}
			var n int
			if err := harness.Open(t, kind.driver, s.DSN("app")).QueryRow("SELECT n FROM visits").Scan(&n); err != nil || n != 3 {
				t.Errorf("n = %d, %v, want 3", n, err)
			}
			if s.Addr() != addr {
				t.Errorf("the address changed from %s to %s", addr, s.Addr())
			}
		})
	}
}
