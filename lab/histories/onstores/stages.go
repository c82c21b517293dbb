package onstores

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gosojourn/sojourn/lab/harness"
	"github.com/gosojourn/sojourn/lab/histories"
	"github.com/gosojourn/sojourn/lab/histories/serving"
	"github.com/gosojourn/sojourn/sqlstore"
)

const near = 2 * time.Second

// Stages are the stores that two processes can share.
var Stages = []struct {
	Name string
	Long bool // takes its time to start: with -soak
	Open func(t testing.TB) *histories.Stage
}{
	{"SQLite", false, onSQLite},
	{"MariaDB or MySQL", false, func(t testing.TB) *histories.Stage {
		dsn := harness.MySQL(t, "parseTime=true")
		return onServer(t, serving.Order{Dialect: sqlstore.MySQL, Driver: "mysql", DSN: dsn}, regexp.MustCompile(`\(([^)]+)\)`))
	}},
	{"PostgreSQL", false, func(t testing.TB) *histories.Stage {
		return onServer(t, serving.Order{Dialect: sqlstore.Postgres, Driver: "pgx", DSN: harness.Postgres(t)}, regexp.MustCompile(`@([^/]+)/`))
	}},
	{"Redis", false, func(t testing.TB) *histories.Stage { return onRedis(t, 0) }},
	{"Redis, near cache", false, func(t testing.TB) *histories.Stage { return onRedis(t, near) }},
	{"Redis Cluster", false, func(t testing.TB) *histories.Stage { return onCluster(t, 0) }},
	{"Redis Cluster, near cache", true, func(t testing.TB) *histories.Stage { return onCluster(t, near) }},
}

// onSQLite has no connection to lose. Somebody else's transaction locks the file.
func onSQLite(t testing.TB) *histories.Stage {
	file := harness.SQLite(t)
	o := serving.Order{Dialect: sqlstore.SQLite, Driver: "sqlite", DSN: "file:" + file + "?_pragma=busy_timeout(500)&_pragma=journal_mode(WAL)"}
	s := two(t, o)
	db := harness.Open(t, "sqlite", "file:"+file+"?_pragma=busy_timeout(500)&_txlock=immediate")
	s.Faults = append(s.Faults, func(d time.Duration) {
		tx, err := db.Begin()
		if err != nil {
			return // it is busy: another try will come
		}
		time.Sleep(d)
		_ = tx.Rollback()
	})
	return s
}

// onServer puts a proxy between both processes and the server.
func onServer(t testing.TB, o serving.Order, addr *regexp.Regexp) *histories.Stage {
	p := harness.NewProxy(t, addr.FindStringSubmatch(o.DSN)[1])
	o.DSN = p.DSN(o.DSN)
	s := two(t, o)
	s.Faults = throughProxy(p)
	return s
}

func onRedis(t testing.TB, age time.Duration) *histories.Stage {
	p := harness.NewProxy(t, harness.StartRedis(t).Addr())
	s := two(t, serving.Order{Addrs: []string{p.Addr()}, Near: age})
	s.Near, s.Faults = age, throughProxy(p)
	return s
}

// onCluster has nodes that tell clients of each other, so that no proxy fits between: they are told to pause,
// and to close their connections.
func onCluster(t testing.TB, age time.Duration) *histories.Stage {
	addrs := harness.StartRedisCluster(t, harness.Unhurried).Addrs()
	s := two(t, serving.Order{Addrs: addrs, Near: age})
	s.Near = age
	tell := func(command string) {
		for _, a := range addrs {
			if err := tellRedis(a, command); err != nil {
				t.Errorf("histories: %s: %v", command, err)
			}
		}
	}
	s.Faults = append(s.Faults,
		func(d time.Duration) { tell(fmt.Sprintf("CLIENT PAUSE %d ALL", d.Milliseconds())); time.Sleep(d) },
		func(time.Duration) { tell("CLIENT KILL TYPE normal") })
	return s
}

func tellRedis(addr, command string) error {
	c, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	if _, err := io.WriteString(c, command+"\r\n"); err != nil {
		return err
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	if err == nil && strings.HasPrefix(line, "-") {
		err = fmt.Errorf("it says %s", strings.TrimSpace(line))
	}
	return err
}

// throughProxy: the answers are lost, everything stands still and then goes on, or all connections are cut.
func throughProxy(p *harness.Proxy) (all []func(time.Duration)) {
	for _, begin := range []func(){p.CutReplies, p.Hold, p.Refuse} {
		all = append(all, func(d time.Duration) {
			begin()
			time.Sleep(d)
			p.Heal()
		})
	}
	return all
}

// two starts two processes on the store of o, whose program is this one: see Serve.
func two(t testing.TB, o serving.Order) *histories.Stage {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := o.Migrate(ctx); err != nil {
		t.Fatalf("histories: %v", err)
	}
	return &histories.Stage{URLs: []string{serving.Start(t, o).URL, serving.Start(t, o).URL}}
}
