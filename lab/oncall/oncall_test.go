package main

import (
	"database/sql"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/redis/rueidis"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/lab/harness"
	"github.com/gosojourn/sojourn/redisstore"
	"github.com/gosojourn/sojourn/sqlstore"
)

func TestMain(m *testing.M) { harness.Main(m) }

type killed interface {
	Kill()
	Start()
}

// A database is killed under load and comes back. What the log and the scrapes say of it is what the clients saw: which
// store, since when, until when, how many requests. SOJOURN_ONCALL names a folder that keeps them; without it only the
// server that starts at once is killed.
func TestOnCall(t *testing.T) {
	for _, k := range []struct {
		name, system string
		begin        func(t *testing.T) (sojourn.Store, killed)
	}{
		{"MariaDB", "mariadb", func(t *testing.T) (sojourn.Store, killed) {
			s := harness.StartMySQL(t)
			return sqlStore(t, sqlstore.MySQL, "mysql", s.DSN("app")), s
		}},
		{"PostgreSQL", "postgresql", func(t *testing.T) (sojourn.Store, killed) {
			s := harness.StartPostgres(t)
			return sqlStore(t, sqlstore.Postgres, "pgx", s.DSN("app", "sslmode=disable")), s
		}},
		{"Redis", "redis", func(t *testing.T) (sojourn.Store, killed) {
			s := harness.StartRedis(t, "--appendonly", "yes", "--appendfsync", "always")
			c, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{s.Addr()}, ConnWriteTimeout: time.Second})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(c.Close)
			store, err := redisstore.New(c, redisstore.Options{})
			if err != nil {
				t.Fatal(err)
			}
			return store, s
		}},
	} {
		t.Run(k.name, func(t *testing.T) {
			if k.system != "redis" && os.Getenv("SOJOURN_ONCALL") == "" {
				t.Skip("not killed in every run: set SOJOURN_ONCALL to a folder for logs and scrapes")
			}
			t.Parallel() // each has a server of its own
			folder := filepath.Join(t.TempDir(), k.name)
			if to := os.Getenv("SOJOURN_ONCALL"); to != "" {
				folder = filepath.Join(to, k.name)
			}
			store, server := k.begin(t)
			n := beginNight(t, folder, k.system, store)
			time.Sleep(300 * time.Millisecond)
			kill := time.Now()
			server.Kill()
			time.Sleep(1500 * time.Millisecond) // longer than StoreTimeout, for which a client may wait and try again
			server.Start()
			n.calm()
			close(n.stop)
			time.Sleep(250 * time.Millisecond) // the last scrape
			f, err := read(folder)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("killed at %s\n%s", kill.Format("15:04:05.000"), f)
			n.compare(f, k.system, kill)
		})
	}
}

// calm waits until nothing has failed for so long that the log says that it is over.
func (n *night) calm() {
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		some := n.refused()
		if len(some) > 0 && time.Since(some[len(some)-1].got) > 5500*time.Millisecond {
			return
		}
	}
	n.t.Error("requests still fail a minute after the server has come back, or none has failed")
}

// compare holds what was found against what the clients saw.
func (n *night) compare(f findings, system string, kill time.Time) {
	t := n.t
	var hit []answer
	for _, a := range n.refused() {
		if a.status != http.StatusServiceUnavailable || a.path == "/about" {
			t.Errorf("%s was answered %d", a.path, a.status)
		}
		hit = append(hit, a)
	}
	if len(hit) < 3 {
		t.Fatalf("only %d requests met it: nothing is tested", len(hit))
	}
	begun := func(a, b answer) int { return a.begun.Compare(b.begun) }
	got := func(a, b answer) int { return a.got.Compare(b.got) }
	// The first failure lies within the requests that met it, and so does the last.
	first := [2]time.Time{slices.MinFunc(hit, begun).begun, slices.MinFunc(hit, got).got}
	last := [2]time.Time{slices.MaxFunc(hit, begun).begun, slices.MaxFunc(hit, got).got}
	logged, since, until := 0, time.Time{}, time.Time{}
	for _, o := range f.outages {
		logged += o.failed
		if !o.over {
			t.Errorf("the log does not say that the outage of %s is over", o.what)
		}
		if since.IsZero() || o.since.Before(since) {
			since = o.since
		}
		if o.until.After(until) {
			until = o.until
		}
		if !strings.Contains(o.cause, "store") || len(o.routes) == 0 {
			t.Errorf("the log names no cause or no route: %q, %q", o.cause, o.routes)
		}
	}
	if since.Before(first[0]) || since.After(first[1]) || since.Before(kill) {
		t.Errorf("the log says since %v; killed at %v, the first failure was between %v and %v", since, kill, first[0], first[1])
	}
	if until.Before(last[0]) || until.After(last[1]) {
		t.Errorf("the log says until %v, the last failure was between %v and %v", until, last[0], last[1])
	}
	if f.since[0].After(first[1]) || f.since[1].Before(first[0]) || f.until[0].After(last[1]) || f.until[1].Before(last[0]) {
		t.Errorf("the metrics say from %v until %v, it was from %v until %v", f.since, f.until, first, last)
	}
	if logged != len(hit) || f.faults != len(hit) {
		t.Errorf("%d requests were answered 503; the log says %d, the metrics %d", len(hit), logged, f.faults)
	}
	if f.store != system {
		t.Errorf("the metrics name the store %q, want %s", f.store, system)
	}
}

func sqlStore(t *testing.T, d sqlstore.Dialect, driver, dsn string) sojourn.Store {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(8)
	db.SetMaxIdleConns(8)
	s, err := sqlstore.New(db, d, sqlstore.Options{})
	if err == nil {
		err = s.Migrate(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newJar(t *testing.T) http.CookieJar {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return jar
}
