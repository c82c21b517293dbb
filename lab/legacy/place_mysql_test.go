package legacy

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"testing"
	"time"

	"github.com/alexedwards/scs/mysqlstore"
	"github.com/alexedwards/scs/v2"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/lab/harness"
	"github.com/gosojourn/sojourn/legacy"
	"github.com/gosojourn/sojourn/scscompat"
	"github.com/gosojourn/sojourn/sqlstore"
)

// The table of scs is read and ours written in one database, by requests at once to two servers.
func TestCompatOnMySQL(t *testing.T) {
	db, open := sqlPlace(t, "mysql", harness.MySQL(t), sqlstore.MySQL,
		"CREATE TABLE sessions (token CHAR(43) PRIMARY KEY, data BLOB NOT NULL, expiry TIMESTAMP(6) NOT NULL)",
		"CREATE INDEX sessions_expiry_idx ON sessions (expiry)")
	store := mysqlstore.NewWithCleanupInterval(db, 0)
	old := scs.New()
	old.Store, old.Cookie.Name = store, cookieName
	run := fmt.Sprint("run-", rand.Uint32(), "-")
	var m *sojourn.Manager
	var servers [2]http.Handler
	for i := range servers {
		s := scscompat.New()
		s.Cookie.Name, s.Store = cookieName, scscompat.Native(open())
		s.Legacy = &legacy.SCS{Rows: legacy.MySQL(db, ""), Owner: key, KeepFor: time.Second}
		s.Adjust = func(cfg *sojourn.Config) { cfg.StoreTimeout = time.Minute }
		var err error
		if m, err = s.Manager(); err != nil {
			t.Fatal(err)
		}
		servers[i] = onAPI(s)
	}
	was := onAPI(old)
	each(group, func(i int) {
		jar, _ := cookiejar.New(nil)
		b := &browser{jar: jar, owner: fmt.Sprint(run, i)}
		b.visit(was, "/login?as="+b.owner, false)
		first := b.cookie(cookieName)
		saw := func(h http.Handler) {
			if who, code := b.visit(h, "/", rand.N(5) == 0); who != b.owner || code != 200 {
				t.Errorf("%s is %q, status %d", b.owner, who, code)
			}
		}
		tabs(func() {
			for range 3 {
				saw(servers[rand.N(2)])
			}
		})
		for end := time.Now().Add(wait); len(b.cookie(cookieName)) != 64 && !t.Failed(); time.Sleep(100 * time.Millisecond) {
			if saw(servers[rand.N(2)]); time.Now().After(end) {
				t.Errorf("%s has no token of ours", b.owner)
			}
		}
		saw(servers[0])
		saw(servers[1])
		b.visit(servers[0], "/login?as="+b.owner, false)
		saw(servers[1])
		if who, _ := alone(servers[0], cookieName, first); who != "" {
			t.Errorf("the old token of %s is good for %q", b.owner, who)
		}
		if who, _ := alone(was, cookieName, first); who != "" {
			t.Errorf("the old token of %s is good for %q on an old server", b.owner, who)
		}
		n := 0
		for range m.List(context.Background(), b.owner) {
			n++
		}
		if n != 1 {
			t.Errorf("%s has %d sessions", b.owner, n)
		}
	})
}
