package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/alexedwards/scs/goredisstore"
	"github.com/alexedwards/scs/mysqlstore"
	"github.com/alexedwards/scs/postgresstore"
	"github.com/alexedwards/scs/sqlite3store"
	"github.com/alexedwards/scs/v2"
	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/redis/go-redis/v9"
	"github.com/redis/rueidis"
	_ "modernc.org/sqlite"

	"github.com/gosojourn/sojourn/lab/peers"
	"github.com/gosojourn/sojourn/redisstore"
	"github.com/gosojourn/sojourn/sqlstore"
)

// An app is the server side of an end-to-end case: one process in which all contenders and their floors
// have routes, so that they share everything but what is measured.
type app struct {
	Medium medium
	DSN    string
	Tables []string // of growth: each is a library by its name

	Counted bool // exchanges with a database are
	mux     *http.ServeMux
}

// A medium is where sessions are kept.
type medium string

const (
	inMemory   medium = "memory"
	inSQLite   medium = "SQLite"
	inMariaDB  medium = "MariaDB"
	inPostgres medium = "PostgreSQL"
	inRedis    medium = "Redis"
	inCookies  medium = "sealed"
)

const (
	idleLimit = 20 * time.Minute
	pageBody  = "<!doctype html><title>Bench</title><p>A page of about a hundred bytes, as short as pages come.</p>\n"
	conns     = 48 // to a database, of each contender and each floor
)

// startApp has another process serve, and answers where. It ends with stop.
func startApp(a app) (addr string, stop func(), err error) {
	text, err := json.Marshal(a)
	if err != nil {
		return "", nil, err
	}
	cmd := exec.Command(os.Args[0], "-app", string(text))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		in.Close()
		cmd.Wait()
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		stop()
		return "", nil, fmt.Errorf("the application on %s: %w", a.Medium, err)
	}
	return strings.TrimSpace(line), stop, nil
}

// serveApp is that process: it serves until its input ends.
func serveApp(text string) error {
	var a app
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		return err
	}
	a.mux = http.NewServeMux()
	a.mux.HandleFunc("GET /cpu", func(w http.ResponseWriter, _ *http.Request) {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Fprint(w, u.Utime.Nano()+u.Stime.Nano())
	})
	a.mux.HandleFunc("GET /exchanges", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, exchanges.Load()) })
	a.mux.HandleFunc("GET /profile", pprof.Profile) // ?seconds=5, for go tool pprof
	a.page("GET /bare/static", nil, func(http.ResponseWriter, *http.Request) {})
	if err := a.routes(); err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go http.Serve(ln, a.mux)
	fmt.Println(ln.Addr())
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// page is a route that does something and then answers with a short page.
func (a *app) page(pattern string, wrap func(http.Handler) http.Handler, do http.HandlerFunc) {
	var h http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		do(w, r)
		io.WriteString(w, pageBody)
	})
	if wrap != nil {
		h = wrap(h)
	}
	a.mux.Handle(pattern, h)
}

func (a *app) routes() error {
	switch a.Medium {
	case inMemory:
		a.library("sojourn", peers.SojournInMemory(0))
		a.library("scs", peers.SCSInMemory(0))
	case inCookies:
		a.library("sojourn", peers.SojournSealed())
		a.library("gorilla", peers.GorillaCookies())
	case inRedis:
		return a.onRedis()
	default:
		return a.onSQL()
	}
	return nil
}

var counter atomic.Int64

func (a *app) library(name string, x peers.Library) {
	a.page("POST /"+name+"/begin", x.Wrap, func(w http.ResponseWriter, r *http.Request) {
		for i := range 5 {
			x.Put(w, r, peers.KeyName(i), "a value of twenty-odd")
		}
	})
	a.page("GET /"+name+"/static", x.Wrap, func(http.ResponseWriter, *http.Request) {})
	a.page("GET /"+name+"/read", x.Wrap, func(_ http.ResponseWriter, r *http.Request) {
		if x.Get(r, peers.KeyName(0)) == "" || x.Get(r, peers.KeyName(1)) == "" {
			panic(name + ": a value is missing")
		}
	})
	a.page("POST /"+name+"/write", x.Wrap, func(w http.ResponseWriter, r *http.Request) {
		x.Put(w, r, peers.KeyName(0), strconv.FormatInt(counter.Add(1), 10))
	})
	a.page("POST /"+name+"/add", x.Wrap, func(w http.ResponseWriter, r *http.Request) { x.Add(w, r, "count") })
}

// A sqlMedium is how one make of database is opened.
type sqlMedium struct {
	driver  string
	dialect sqlstore.Dialect
	table   string // of the floor
	scs     func(*sql.DB) scs.Store
	lookup  string
	update  string
	insert  string
}

var sqlMedia = map[medium]sqlMedium{
	inMariaDB: {"mysql", sqlstore.MySQL, "CREATE TABLE floor (token CHAR(43) PRIMARY KEY, data BLOB NOT NULL, expiry TIMESTAMP(6) NOT NULL)",
		func(db *sql.DB) scs.Store { return mysqlstore.NewWithCleanupInterval(db, 0) },
		"SELECT data FROM floor WHERE token = ?", "UPDATE floor SET data = ?, expiry = UTC_TIMESTAMP(6) WHERE token = ?", "INSERT INTO floor VALUES (?, ?, UTC_TIMESTAMP(6))"},
	inPostgres: {"pgx", sqlstore.Postgres, "CREATE TABLE floor (token TEXT PRIMARY KEY, data BYTEA NOT NULL, expiry TIMESTAMPTZ NOT NULL)",
		func(db *sql.DB) scs.Store { return postgresstore.NewWithCleanupInterval(db, 0) },
		"SELECT data FROM floor WHERE token = $1", "UPDATE floor SET data = $1, expiry = now() WHERE token = $2", "INSERT INTO floor VALUES ($1, $2, now())"},
	inSQLite: {"sqlite", sqlstore.SQLite, "CREATE TABLE floor (token TEXT PRIMARY KEY, data BLOB NOT NULL, expiry REAL NOT NULL)",
		func(db *sql.DB) scs.Store { return sqlite3store.NewWithCleanupInterval(db, 0) },
		"SELECT data FROM floor WHERE token = ?", "UPDATE floor SET data = ?, expiry = julianday('now') WHERE token = ?", "INSERT INTO floor VALUES (?, ?, julianday('now'))"},
}

func (a *app) onSQL() error {
	m := sqlMedia[a.Medium]
	open := func() (*sql.DB, error) {
		opened := sql.Open
		if a.Counted {
			opened = openCounted
		}
		db, err := opened(m.driver, a.DSN)
		if err == nil {
			n := conns
			if a.Medium == inSQLite {
				n = 8
			}
			db.SetMaxOpenConns(n)
			db.SetMaxIdleConns(n)
			db.SetConnMaxIdleTime(2 * time.Second) // else what earlier cases have opened fills the server
		}
		return db, err
	}
	var dbs [3]*sql.DB
	for i := range dbs {
		var err error
		if dbs[i], err = open(); err != nil {
			return err
		}
	}
	ctx := context.Background()
	for _, text := range []string{m.table, strings.Replace(m.table, "floor", "sessions", 1)} {
		if _, err := dbs[0].ExecContext(ctx, text); err != nil {
			return err
		}
	}
	// scs's stores insist on a table named sessions, so ours has another name here.
	store, err := sqlstore.New(dbs[1], m.dialect, sqlstore.Options{Table: "sojourn_sessions"})
	if err != nil {
		return err
	}
	if err := store.Migrate(ctx); err != nil {
		return err
	}
	for _, table := range a.Tables {
		crowded, err := sqlstore.New(dbs[1], m.dialect, sqlstore.Options{Table: table})
		if err != nil {
			return err
		}
		a.library(table, peers.SojournOn(crowded, 0))
	}
	a.library("sojourn", peers.SojournOn(store, 0))
	a.library("sojourn-idle", peers.SojournOn(store, idleLimit))
	a.library("scs", peers.SCSOn(m.scs(dbs[2]), 0))
	a.library("scs-idle", peers.SCSOn(m.scs(dbs[2]), idleLimit))

	lookup, err := dbs[0].PrepareContext(ctx, m.lookup)
	if err != nil {
		return err
	}
	update, err := dbs[0].PrepareContext(ctx, m.update)
	if err != nil {
		return err
	}
	a.floor(func(ctx context.Context, token string) error {
		_, err := dbs[0].ExecContext(ctx, m.insert, token, make([]byte, floorBytes))
		return err
	}, func(ctx context.Context, token string) error {
		var data []byte
		return lookup.QueryRowContext(ctx, token).Scan(&data)
	}, func(ctx context.Context, token string) error {
		data := make([]byte, floorBytes)
		data[0] = byte(counter.Add(1))
		_, err := update.ExecContext(ctx, data, token)
		return err
	})
	return nil
}

// floorBytes is about what a session of five values takes.
const floorBytes = 250

// floor has one raw lookup, and one raw lookup and an update, by the key in a cookie.
func (a *app) floor(insert, lookup, update func(ctx context.Context, token string) error) {
	check := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	token := func(r *http.Request) string {
		c, err := r.Cookie("id")
		check(err)
		return c.Value
	}
	a.page("POST /floor/begin", nil, func(w http.ResponseWriter, r *http.Request) {
		t := rand.Text()
		check(insert(r.Context(), t))
		http.SetCookie(w, &http.Cookie{Name: "id", Value: t})
	})
	a.page("GET /floor/read", nil, func(_ http.ResponseWriter, r *http.Request) { check(lookup(r.Context(), token(r))) })
	a.page("POST /floor/write", nil, func(_ http.ResponseWriter, r *http.Request) {
		check(lookup(r.Context(), token(r)))
		check(update(r.Context(), token(r)))
	})
}

func (a *app) onRedis() error {
	client := func() (rueidis.Client, error) {
		return rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{a.DSN}})
	}
	var clients [3]rueidis.Client
	for i := range clients {
		var err error
		if clients[i], err = client(); err != nil {
			return err
		}
	}
	store, err := redisstore.New(clients[0], redisstore.Options{Prefix: "bench:"})
	if err != nil {
		return err
	}
	near, err := redisstore.New(clients[1], redisstore.Options{Prefix: "benchnear:", Near: 2 * time.Second})
	if err != nil {
		return err
	}
	a.library("sojourn", peers.SojournOn(store, 0))
	a.library("sojourn-idle", peers.SojournOn(store, idleLimit))
	a.library("sojourn-near", peers.SojournOn(near, 0))
	theirs := goredisstore.New(redis.NewClient(&redis.Options{Addr: a.DSN, PoolSize: conns}))
	a.library("scs", peers.SCSOn(theirs, 0))
	a.library("scs-idle", peers.SCSOn(theirs, idleLimit))

	c := clients[2]
	set := func(ctx context.Context, token string) error {
		return c.Do(ctx, c.B().Set().Key("floor:"+token).Value(string(make([]byte, floorBytes))).ExSeconds(3600).Build()).Error()
	}
	a.floor(set, func(ctx context.Context, token string) error {
		return c.Do(ctx, c.B().Get().Key("floor:"+token).Build()).Error()
	}, set)
	return nil
}
