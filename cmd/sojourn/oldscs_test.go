package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/gob"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/legacy"
	"github.com/gosojourn/sojourn/sqlstore"
	"github.com/rogpeppe/go-internal/testscript"
)

// A cart is a type of an old program's own. Only the transcripts know it, not the command.
type cart struct{ Items []string }

// oldTable is as scs's documentation has it.
var oldTable = map[sqlstore.Dialect]string{
	sqlstore.MySQL:    "CREATE TABLE IF NOT EXISTS old_sessions (token CHAR(43) PRIMARY KEY, data BLOB NOT NULL, expiry TIMESTAMP(6) NOT NULL)",
	sqlstore.Postgres: "CREATE TABLE IF NOT EXISTS old_sessions (token TEXT PRIMARY KEY, data BYTEA NOT NULL, expiry TIMESTAMPTZ NOT NULL)",
	sqlstore.SQLite:   "CREATE TABLE IF NOT EXISTS old_sessions (token TEXT PRIMARY KEY, data BLOB NOT NULL, expiry REAL NOT NULL)",
}

var oldInsert = map[sqlstore.Dialect]string{
	sqlstore.MySQL:    "INSERT INTO old_sessions VALUES (?, ?, UTC_TIMESTAMP() + INTERVAL %d MINUTE)",
	sqlstore.Postgres: "INSERT INTO old_sessions VALUES ($1, $2, now() + interval '%d minutes')",
	sqlstore.SQLite:   "INSERT INTO old_sessions VALUES (?, ?, julianday('now', '%d minutes'))",
}

// old VARIABLE KEY=VALUE... puts a session of scs's there, for an hour, and has its token as a variable. Digits are an
// int, "cart" is a type of its own, "broken" is what no codec reads, "expired" is over.
func old(ts *testscript.TestScript, _ bool, args []string) {
	raw := make([]byte, 32)
	rand.Read(raw)
	token := base64.RawURLEncoding.EncodeToString(raw)
	values, minutes := map[string]any{}, 60
	var data bytes.Buffer
	for _, arg := range args[1:] {
		key, value, _ := strings.Cut(arg, "=")
		switch n, err := strconv.Atoi(value); {
		case arg == "broken":
			data.WriteString("{}")
		case arg == "expired":
			minutes = -60
		case err == nil:
			values[key] = n
		case value == "cart":
			gob.RegisterName("main.Cart", cart{})
			values[key] = cart{[]string{"a book"}}
		default:
			values[key] = value
		}
	}
	if data.Len() == 0 {
		ts.Check(gob.NewEncoder(&data).Encode(struct {
			Deadline time.Time
			Values   map[string]any
		}{time.Now().Add(time.Duration(minutes) * time.Minute), values}))
	}
	ts.Check(putOld(ts, token, data.Bytes(), minutes))
	ts.Setenv(args[0], token)
}

func putOld(ts *testscript.TestScript, token string, data []byte, minutes int) error {
	s := openFor(ts)
	defer s.Close()
	if s.table != nil {
		if _, err := s.table.db.Exec(oldTable[s.table.dialect]); err != nil {
			return err
		}
		_, err := s.table.db.Exec(fmt.Sprintf(oldInsert[s.table.dialect], minutes), token, data)
		return err
	}
	return withRedis(ts, func(r oldRedis) error {
		c := r.client
		if minutes < 0 {
			return nil // a Redis has taken it away
		}
		return c.Do(context.Background(), c.B().Set().Key(ts.Getenv("SOJOURN_PREFIX")+"old:"+token).Value(string(data)).Ex(time.Hour).Build()).Error()
	})
}

func withRedis(ts *testscript.TestScript, do func(r oldRedis) error) error {
	g := grammar{Timeout: 30 * time.Second}
	store := ts.Getenv("SOJOURN_STORE")
	kind, _, _ := strings.Cut(store, ":")
	client, _, err := g.redisClient(kind, store)
	if err != nil {
		return err
	}
	defer client.Close()
	return do(oldRedis{client})
}

// visit TOKEN OWNER COLOR VARIABLE has a browser come to the new application with a token of scs's, and wants to be
// known as OWNER and to find that color. The session's id is then a variable.
func visit(ts *testscript.TestScript, _ bool, args []string) {
	s := openFor(ts)
	defer s.Close()
	if s.table == nil {
		ts.Check(withRedis(ts, func(r oldRedis) error {
			comes(ts, s, legacy.Redis(r, ts.Getenv("SOJOURN_PREFIX")+"old:"), args)
			return nil
		}))
		return
	}
	read := map[sqlstore.Dialect]legacy.Rows{
		sqlstore.MySQL: legacy.MySQL(s.table.db, "old_sessions"), sqlstore.Postgres: legacy.Postgres(s.table.db, "old_sessions"),
		sqlstore.SQLite: legacy.SQLite(s.table.db, "old_sessions"),
	}
	comes(ts, s, read[s.table.dialect], args)
}

func comes(ts *testscript.TestScript, s *opened, rows legacy.Rows, args []string) {
	color := sojourn.NewKey[string]("color")
	m, err := sojourn.New(s.backend, sojourn.Config{StoreTimeout: 30 * time.Second, Legacy: &legacy.SCS{Rows: rows, Owner: "uid",
		Types: []any{legacy.Registered}, Values: []legacy.Value{legacy.Copy("color", color)}}})
	ts.Check(err)
	h := m.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		ts.Check(m.Load(r.Context()))
		info := m.Info(r.Context())
		if got := color.Get(r.Context()); info.Owner != args[1] || got != args[2] {
			ts.Fatalf("it is %q with color %q, want %s and %s", info.Owner, got, args[1], args[2])
		}
		ts.Setenv(args[3], info.ID)
	}))
	r := httptest.NewRequest("GET", "https://example.com/", nil)
	r.AddCookie(&http.Cookie{Name: "session", Value: args[0]})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Header().Get("Set-Cookie") == "" {
		ts.Fatalf("the browser gets no token")
	}
}
