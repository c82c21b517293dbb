package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/redis/rueidis"
	_ "modernc.org/sqlite"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/lab/cputime"
	"github.com/gosojourn/sojourn/lab/harness"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/redisstore"
	"github.com/gosojourn/sojourn/sealed"
	"github.com/gosojourn/sojourn/sqlstore"
)

// A store is where sessions are kept.
type store struct {
	name string
	open func() (*place, error)
}

var stores = []store{
	{"memory", inMemory},
	{"SQLite", inSQLite},
	{"MariaDB", inMariaDB},
	{"PostgreSQL", inPostgres},
	{"Redis", func() (*place, error) { return inRedis(0) }},
	{"Redis, near cache", func() (*place, error) { return inRedis(2 * time.Second) }},
	{"sealed", inCookies},
}

// A place is a store that is open. What it cannot tell is 0.
type place struct {
	manager   func(sojourn.Config) (*sojourn.Manager, error)
	relay     *relay // nil: there is no server
	relayed   func(sojourn.Config) (*sojourn.Manager, error)
	store     sojourn.Store
	sweeper   sojourn.Sweeper
	exchanges func() uint64
	cpu       func() time.Duration // of the server
	logged    func() float64       // bytes
	size      func() (float64, error)
	settles   time.Duration // for so long what has just begun is not copied
	closing   []func()
}

func (p *place) close() {
	for i := len(p.closing) - 1; i >= 0; i-- {
		p.closing[i]()
	}
}

// on is a place of s, without a server.
func on(s sojourn.Store) *place {
	sweeper, _ := s.(sojourn.Sweeper)
	return &place{
		manager:   func(cfg sojourn.Config) (*sojourn.Manager, error) { return sojourn.New(s, cfg) },
		store:     s,
		sweeper:   sweeper,
		exchanges: func() uint64 { return 0 },
		cpu:       func() time.Duration { return 0 },
		logged:    func() float64 { return 0 },
		size:      heap,
	}
}

func heap() (float64, error) {
	runtime.GC()
	runtime.GC() // the first one may have left unswept what it found
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc), nil
}

// inMemory is not swept for a figure: the store forgets by itself, now and then, what has expired.
func inMemory() (*place, error) {
	p := on(memstore.New())
	p.sweeper = nil
	return p, nil
}

func inCookies() (*place, error) {
	ring, err := sealed.New([]string{sealed.GenerateKey()}, sealed.Options{})
	if err != nil {
		return nil, err
	}
	p := on(nil)
	p.manager = func(cfg sojourn.Config) (*sojourn.Manager, error) {
		cfg.Observer = nil
		return sojourn.NewSealed(ring, cfg)
	}
	return p, nil
}

// onSQL is a place with the tables made.
func onSQL(d sqlstore.Dialect, driver, dsn string) (*place, *sql.DB, error) {
	db, s, err := openSQL(d, driver, dsn)
	if err != nil {
		return nil, nil, err
	}
	if err := s.Migrate(context.Background()); err != nil {
		return nil, nil, err
	}
	p := on(s)
	p.exchanges = func() uint64 { st := s.Stats(); return st.Loads.Exchanges + st.Saves.Exchanges }
	p.closing = append(p.closing, func() { db.Close() })
	return p, db, nil
}

func openSQL(d sqlstore.Dialect, driver, dsn string) (*sql.DB, *sqlstore.Store, error) {
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return nil, nil, err
	}
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(16)
	s, err := sqlstore.New(db, d, sqlstore.Options{})
	return db, s, err
}

func inSQLite() (*place, error) {
	dir, err := os.MkdirTemp("", "sojourn-capacity-")
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "sessions.db")
	p, db, err := onSQL(sqlstore.SQLite, "sqlite", "file:"+file+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	p.closing = append([]func(){func() { os.RemoveAll(dir) }}, p.closing...)
	p.size = func() (float64, error) {
		return number(db, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
	}
	return p, nil
}

func number(db *sql.DB, query string) (n float64, err error) {
	err = db.QueryRow(query).Scan(&n)
	return n, err
}

// serve starts a server, and a relay in front of it.
func serve(name string) (dsn string, stop func(), err error) {
	dsn, stop, err = harness.Serve(name)
	if err != nil {
		return "", nil, fmt.Errorf("a private server: %w", err)
	}
	return dsn, stop, nil
}

// through has p reach its server by a relay too.
func (p *place) through(addr string, manager func(relayed string, cfg sojourn.Config) (*sojourn.Manager, error)) (err error) {
	if p.relay, err = newRelay(addr); err != nil {
		return err
	}
	p.closing = append(p.closing, func() { p.relay.l.Close() })
	p.relayed = func(cfg sojourn.Config) (*sojourn.Manager, error) { return manager(p.relay.l.Addr().String(), cfg) }
	return nil
}

// serverCPU is that of the process pid.
func serverCPU(pid int) func() time.Duration {
	return func() time.Duration {
		d, err := cputime.Server(pid)
		if err != nil {
			fmt.Fprintln(os.Stderr, "capacity:", err)
		}
		return d
	}
}

func inMariaDB() (*place, error) {
	base, stop, err := serve("mysql")
	if err != nil {
		return nil, err
	}
	root, err := sql.Open("mysql", base)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	var pidFile string
	if _, err := root.Exec("CREATE DATABASE app"); err != nil {
		return nil, err
	}
	if err := root.QueryRow("SELECT @@pid_file").Scan(&pidFile); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(pidFile)
	if err != nil {
		return nil, err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return nil, err
	}
	cfg, err := mysql.ParseDSN(base)
	if err != nil {
		return nil, err
	}
	cfg.DBName = "app"
	p, db, err := onSQL(sqlstore.MySQL, "mysql", cfg.FormatDSN())
	if err != nil {
		return nil, err
	}
	p.closing = append([]func(){stop}, p.closing...)
	p.cpu = serverCPU(pid)
	p.logged = func() float64 {
		var name string
		var n float64
		db.QueryRow("SHOW GLOBAL STATUS LIKE 'Innodb_os_log_written'").Scan(&name, &n)
		return n
	}
	p.size = func() (float64, error) {
		if _, err := db.Exec("ANALYZE TABLE sessions, sessions_owners"); err != nil {
			return 0, err
		}
		return number(db, "SELECT SUM(data_length + index_length) FROM information_schema.tables WHERE table_schema = 'app'")
	}
	addr := cfg.Addr
	return p, p.through(addr, func(relayed string, c sojourn.Config) (*sojourn.Manager, error) {
		cfg.Addr = relayed
		_, s, err := openSQL(sqlstore.MySQL, "mysql", cfg.FormatDSN())
		if err != nil {
			return nil, err
		}
		return sojourn.New(s, c)
	})
}

func inPostgres() (*place, error) {
	base, stop, err := serve("postgres")
	if err != nil {
		return nil, err
	}
	base += "?sslmode=disable"
	p, db, err := onSQL(sqlstore.Postgres, "pgx", base)
	if err != nil {
		return nil, err
	}
	p.closing = append([]func(){stop}, p.closing...)
	var backend int
	if err := db.QueryRow("SELECT pg_backend_pid()").Scan(&backend); err != nil {
		return nil, err
	}
	pid, err := cputime.Parent(backend)
	if err != nil {
		return nil, err
	}
	p.cpu = serverCPU(pid)
	p.logged = func() float64 {
		n, _ := number(db, "SELECT pg_current_wal_insert_lsn() - '0/0'")
		return n
	}
	p.size = func() (float64, error) {
		return number(db, "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND relname LIKE 'sessions%'")
	}
	u, err := url.Parse(base)
	if err != nil {
		return nil, err
	}
	return p, p.through(u.Host, func(relayed string, c sojourn.Config) (*sojourn.Manager, error) {
		u.Host = relayed
		_, s, err := openSQL(sqlstore.Postgres, "pgx", u.String())
		if err != nil {
			return nil, err
		}
		return sojourn.New(s, c)
	})
}

func inRedis(near time.Duration) (*place, error) {
	addr, stop, err := serve("redis")
	if err != nil {
		return nil, err
	}
	open := func(addr string) (rueidis.Client, sojourn.Store, error) {
		c, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{addr}, ConnWriteTimeout: time.Second})
		if err != nil {
			return nil, nil, err
		}
		s, err := redisstore.New(c, redisstore.Options{Prefix: "s:", Near: near})
		return c, s, err
	}
	c, s, err := open(addr)
	if err != nil {
		return nil, err
	}
	info := func(field string) float64 {
		text, _ := c.Do(context.Background(), c.B().Info().Build()).ToString()
		m := regexp.MustCompile(field + `:(\d+)`).FindStringSubmatch(text)
		if m == nil {
			return 0
		}
		n, _ := strconv.ParseFloat(m[1], 64)
		return n
	}
	p := on(s)
	p.settles = near * 5 / 4
	p.closing = []func(){stop, c.Close}
	p.cpu = serverCPU(int(info("process_id")))
	p.exchanges = func() uint64 { return uint64(info("total_commands_processed")) }
	p.size = func() (float64, error) { return info("used_memory"), nil }
	return p, p.through(addr, func(relayed string, cfg sojourn.Config) (*sojourn.Manager, error) {
		_, s, err := open(relayed)
		if err != nil {
			return nil, err
		}
		return sojourn.New(s, cfg)
	})
}
