package faults

import (
	"strings"
	"testing"
	"time"

	"github.com/gosojourn/sojourn/lab/harness"
	"github.com/gosojourn/sojourn/lab/histories/serving"
	"github.com/gosojourn/sojourn/sqlstore"
)

// A server may be killed and started again.
type server interface {
	Addr() string
	Kill()
	Start()
}

// A kind of server starts one, and says how applications find it. Its clock is the machine's if c is nil.
type kind struct {
	name string
	with func(t *testing.T, c *harness.Clock) (server, serving.Order)
}

func (k kind) start(t *testing.T) (server, serving.Order) { return k.with(t, nil) }

var (
	mariaDB = kind{"MariaDB", func(t *testing.T, c *harness.Clock) (server, serving.Order) {
		s := harness.StartMySQLWith(t, c)
		return s, serving.Order{Dialect: sqlstore.MySQL, Driver: "mysql", DSN: s.DSN("app", "parseTime=true")}
	}}
	postgres = kind{"PostgreSQL", func(t *testing.T, c *harness.Clock) (server, serving.Order) {
		s := harness.StartPostgresWith(t, c)
		return s, serving.Order{Dialect: sqlstore.Postgres, Driver: "pgx", DSN: s.DSN("app", "sslmode=disable")}
	}}
	sqlite = kind{"SQLite", func(t *testing.T, _ *harness.Clock) (server, serving.Order) { return nil, onSQLite(t, t.TempDir()) }}
	redis  = redisWith("Redis", "--appendonly", "yes", "--appendfsync", "always")
)

func redisWith(name string, args ...string) kind {
	return kind{name, func(t *testing.T, c *harness.Clock) (server, serving.Order) {
		s := harness.StartRedisWith(t, c, args...)
		return s, serving.Order{Addrs: []string{s.Addr()}}
	}}
}

// through is o by way of p.
func through(p *harness.Proxy, o serving.Order) serving.Order {
	if o.Driver != "" {
		o.DSN = p.DSN(o.DSN)
	} else {
		o.Addrs = []string{p.Addr()}
	}
	return o
}

// two starts two processes.
func two(t *testing.T, o serving.Order) []string {
	t.Helper()
	migrate(t, o)
	return []string{serving.Start(t, o).URL, serving.Start(t, o).URL}
}

func migrate(t *testing.T, o serving.Order) {
	t.Helper()
	if err := o.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// killed is a server that dies and comes back.
func killed(k kind) func(t *testing.T) *scene {
	return func(t *testing.T) *scene {
		s, o := k.start(t)
		return &scene{urls: two(t, o), fault: func(lasting time.Duration) {
			s.Kill()
			time.Sleep(lasting)
			s.Start()
		}}
	}
}

// network is a fault between both processes and the server.
func network(k kind, begin func(p *harness.Proxy)) func(t *testing.T) *scene {
	return func(t *testing.T) *scene {
		s, o := k.start(t)
		p := harness.NewProxy(t, s.Addr())
		return &scene{urls: two(t, through(p, o)), fault: func(lasting time.Duration) {
			begin(p)
			time.Sleep(lasting)
			p.Heal()
		}}
	}
}

// failover kills a primary whose replica takes over. Only where replicas are waited for is nothing lost.
func failover(replicas int) func(t *testing.T) *scene {
	return func(t *testing.T) *scene {
		c := harness.StartRedisCluster(t, time.Second)
		return &scene{own: true, urls: two(t, serving.Order{Addrs: c.Addrs(), Replicas: replicas}), fault: func(lasting time.Duration) {
			c.KillPrimary("sojourn:s:any")
			time.Sleep(max(lasting, 3*time.Second))
			c.StartKilled() // without a replica there would be nobody to wait for
		}}
	}
}

func sentinel(t *testing.T) *scene {
	s := harness.StartRedisSentinel(t, time.Second)
	return &scene{own: true, urls: two(t, serving.Order{Addrs: s.Addrs(), Sentinel: "main"}), fault: func(lasting time.Duration) {
		s.KillPrimary()
		time.Sleep(max(lasting, 3*time.Second))
	}}
}

// ofApp is o as an ordinary user, whom read_only binds.
func ofApp(o serving.Order) serving.Order {
	o.DSN = strings.Replace(o.DSN, "root@", "app@", 1)
	return o
}
