package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/redis/rueidis"
)

// A kind of store. Its start finds a server, and answers what gives each transcript an empty store there.
type kind struct {
	name  string
	table bool
	scs   bool // has a place where scs's sessions are read
	start func(t *testing.T) fresh
}

// A fresh sets the variables that name an empty store, in folder dir if it is a file.
type fresh func(env environment, dir string) error

// An environment is a transcript's, or of another test.
type environment interface {
	Setenv(key, value string)
	Defer(f func())
}

var kinds = []kind{
	{"sqlite", true, true, sqliteFiles},
	{"mysql", true, true, mysqlDatabases},
	{"postgres", true, true, postgresDatabases},
	{"redis", false, true, redisPrefixes},
	{"rediscluster", false, false, privateCluster},
	{"redissentinel", false, true, privateSentinel},
}

// without skips a test that lacks a server, or fails it where SOJOURN_REQUIRE names it.
func without(t *testing.T, what, how string, err error) {
	t.Helper()
	if slices.Contains(strings.Split(os.Getenv("SOJOURN_REQUIRE"), ","), what) {
		t.Fatalf("%s is required: %s: %v", what, how, err)
	}
	t.Skipf("SKIPPED: the command on %s: %s: %v", what, how, err)
}

func sqliteFiles(*testing.T) fresh {
	return func(env environment, dir string) error {
		env.Setenv("SOJOURN_STORE", "sqlite:"+filepath.Join(dir, "sessions.db"))
		return nil
	}
}

func mysqlDatabases(t *testing.T) fresh {
	dsn := cmpOr(os.Getenv("SOJOURN_MYSQL"), "root@tcp(127.0.0.1:3306)/")
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	db := server(t, "mysql", "mysql", dsn)
	return func(env environment, _ string) error {
		name, err := create(t, env, db, "CREATE DATABASE %s CHARACTER SET utf8mb4", "DROP DATABASE %s")
		u := url.URL{Scheme: "mysql", User: url.UserPassword(cfg.User, cfg.Passwd), Host: cfg.Addr, Path: name}
		env.Setenv("SOJOURN_STORE", u.String())
		return err
	}
}

func postgresDatabases(t *testing.T) fresh {
	dsn := cmpOr(os.Getenv("SOJOURN_POSTGRES"), "postgres://postgres@127.0.0.1:5432/postgres")
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	db := server(t, "postgres", "pgx", dsn)
	return func(env environment, _ string) error {
		name, err := create(t, env, db, "CREATE DATABASE %s", "DROP DATABASE %s WITH (FORCE)")
		own := *u
		own.Path = name
		env.Setenv("SOJOURN_STORE", own.String())
		return err
	}
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func server(t *testing.T, what, driver, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := db.PingContext(ctx); err != nil {
		without(t, what, "start one on its standard port, or name it in SOJOURN_"+strings.ToUpper(what), err)
	}
	return db
}

// create makes a database for one transcript.
func create(t *testing.T, env environment, db *sql.DB, create, drop string) (string, error) {
	name := "sojourn_command_" + strings.ToLower(rand.Text()[:16])
	if _, err := db.Exec(fmt.Sprintf(create, name)); err != nil {
		return "", err
	}
	env.Defer(func() {
		if _, err := db.Exec(fmt.Sprintf(drop, name)); err != nil {
			t.Error(err)
		}
	})
	return name, nil
}

func redisPrefixes(t *testing.T) fresh {
	addr := cmpOr(os.Getenv("SOJOURN_REDIS"), "127.0.0.1:6379")
	c, err := net.DialTimeout("tcp", addr, 10*time.Second)
	if err != nil {
		without(t, "redis", "start one on its standard port, or name it in SOJOURN_REDIS", err)
	}
	c.Close()
	return prefixes(t, "redis://"+addr)
}

// prefixes gives each transcript a prefix of its own, and takes its keys away afterwards.
func prefixes(t *testing.T, store string) fresh {
	return func(env environment, _ string) error {
		prefix := "sojourn-command-" + rand.Text() + ":"
		env.Setenv("SOJOURN_STORE", store)
		env.Setenv("SOJOURN_PREFIX", prefix)
		env.Defer(func() {
			if err := forget(store, prefix); err != nil {
				t.Error(err)
			}
		})
		return nil
	}
}

func forget(store, prefix string) error {
	kind, rest, _ := strings.Cut(store, ":")
	if kind != "redis" {
		return nil // its servers end with the test
	}
	o, err := rueidis.ParseURL("redis:" + rest)
	if err != nil {
		return err
	}
	client, err := rueidis.NewClient(o)
	if err != nil {
		return err
	}
	defer client.Close()
	ctx := context.Background()
	for cursor := uint64(0); ; {
		e, err := client.Do(ctx, client.B().Scan().Cursor(cursor).Match(prefix+"*").Count(1000).Build()).AsScanEntry()
		if err != nil {
			return err
		}
		for _, key := range e.Elements {
			err = errors.Join(err, client.Do(ctx, client.B().Del().Key(key).Build()).Error())
		}
		if cursor = e.Cursor; cursor == 0 || err != nil {
			return err
		}
	}
}

// privateCluster is one primary that has every slot.
func privateCluster(t *testing.T) fresh {
	addr := private(t, "rediscluster", "--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf")
	ask(t, addr, "OK", "CLUSTER", "ADDSLOTSRANGE", "0", "16383")
	ask(t, addr, "cluster_state:ok", "CLUSTER", "INFO")
	return prefixes(t, "rediscluster://"+addr)
}

// A URL that says Cluster is not taken for one node.
func TestOneNodeIsNoCluster(t *testing.T) {
	g := grammar{Store: "rediscluster://" + private(t, "redis"), Prefix: "sojourn:", Timeout: 10 * time.Second}
	s, err := g.open(t.Context(), nil, false)
	if err == nil {
		s.Close()
	}
	if exitCode(err) != exitUsage || !strings.Contains(err.Error(), "is no Cluster: say redis://") {
		t.Errorf("%v, want an error that says what to do", err)
	}
}

// privateSentinel is one that watches one primary.
func privateSentinel(t *testing.T) fresh {
	_, port, _ := net.SplitHostPort(private(t, "redissentinel"))
	conf := filepath.Join(t.TempDir(), "sentinel.conf")
	if err := os.WriteFile(conf, []byte("sentinel monitor here 127.0.0.1 "+port+" 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	addr := private(t, "redissentinel", conf, "--sentinel")
	return prefixes(t, "redissentinel://"+addr+"?master_set=here")
}

// private starts a server that ends with the test, and answers its address.
func private(t *testing.T, what string, args ...string) string {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		without(t, what, "apt-get install redis-server", err)
	}
	port := freePort(t)
	var first []string // a file of settings comes before them
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		first, args = args[:1], args[1:]
	}
	dir := t.TempDir()
	cmd := exec.Command(program, slices.Concat(first, []string{"--port", port, "--bind", "127.0.0.1", "--dir", dir}, args)...)
	if len(first) == 0 {
		cmd.Args = append(cmd.Args, "--save", "", "--maxmemory-policy", "noeviction")
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	addr := net.JoinHostPort("127.0.0.1", port)
	ask(t, addr, "PONG", "PING")
	return addr
}

// freePort is below those that the system hands out to whoever asks for any.
func freePort(t *testing.T) string {
	t.Helper()
	for range 200 {
		var b [2]byte
		rand.Read(b[:])
		port := strconv.Itoa(12000 + (int(b[0])<<8|int(b[1]))%8000) // a Cluster's bus is 10000 above
		l, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err != nil {
			continue
		}
		l.Close()
		return port
	}
	t.Fatal("no port is free")
	return ""
}

// ask sends a command until the answer has want in it.
func ask(t *testing.T, addr, want string, args ...string) {
	t.Helper()
	var last string
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		c, err := net.DialTimeout("tcp", addr, time.Second)
		if err != nil {
			last = err.Error()
			continue
		}
		c.SetDeadline(time.Now().Add(5 * time.Second))
		fmt.Fprintf(c, "%s\r\n", strings.Join(args, " "))
		b := make([]byte, 4096)
		n, _ := c.Read(b)
		c.Close()
		if last = string(b[:n]); strings.Contains(last, want) {
			return
		}
	}
	t.Fatalf("%s does not answer %q to %q, but %q", addr, want, args, last)
}
