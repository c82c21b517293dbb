package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/rogpeppe/go-internal/testscript"
)

// openFor opens the transcript's store.
func openFor(ts *testscript.TestScript) *opened {
	g := grammar{Store: ts.Getenv("SOJOURN_STORE"), Table: "sessions", Prefix: ts.Getenv("SOJOURN_PREFIX"), Timeout: 30 * time.Second}
	if g.Prefix == "" {
		g.Prefix = "sojourn:"
	}
	s, err := g.open(context.Background(), nil, false)
	ts.Check(err)
	return s
}

// seed OWNER=NAME... begins sessions as an application does, and has their ids as variables. A visitor's owner is
// a dash. In OWNER, \x1b is the escape character.
func seed(ts *testscript.TestScript, _ bool, args []string) {
	s := openFor(ts)
	defer s.Close()
	m, err := sojourn.New(s.backend, sojourn.Config{StoreTimeout: 30 * time.Second, Device: func(*http.Request) sojourn.Device {
		return sojourn.Device{Addr: "192.0.2.7", Agent: "Mozilla/5.0", Label: "Firefox on Linux"}
	}})
	ts.Check(err)
	color := sojourn.NewKey[string]("color")
	for _, arg := range args {
		owner, name, _ := strings.Cut(arg, "=")
		owner = strings.ReplaceAll(owner, `\x1b`, "\x1b")
		h := m.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			color.Put(r.Context(), "crimson")
			if owner != "-" {
				ts.Check(m.Login(r.Context(), owner))
			}
			ts.Check(m.Commit(r.Context()))
			ts.Setenv(name, m.Info(r.Context()).ID)
		}))
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "https://example.com/", nil))
	}
}

// stale N puts N records there that expired a day ago.
func stale(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	s := openFor(ts)
	defer s.Close()
	for i := range n {
		ts.Check(s.Create(context.Background(), sojourn.Record{ID: idOf("stale", i), Version: 1, Data: []byte("x"),
			Expiry: time.Now().Add(-24 * time.Hour), Seen: time.Now().Add(-25 * time.Hour)}))
	}
}

// spoil puts a record there that lives, and that no manager can read.
func spoil(ts *testscript.TestScript, _ bool, _ []string) {
	s := openFor(ts)
	defer s.Close()
	ts.Check(s.Create(context.Background(), sojourn.Record{ID: idOf("spoilt", 0), Version: 1, Data: []byte{1, 2, 3},
		Expiry: time.Now().Add(time.Hour), Seen: time.Now()}))
	ts.Setenv("SPOILT", idOf("spoilt", 0))
}

// idOf begins with a dash.
func idOf(name string, i int) string {
	text := "-" + name + strconv.Itoa(i)
	return text + strings.Repeat("_", idLen-len(text))
}

// query STATEMENT runs it on a transcript's database.
func query(ts *testscript.TestScript, _ bool, args []string) {
	d, err := openSQLite(strings.TrimPrefix(ts.Getenv("SOJOURN_STORE"), "sqlite:"), true)
	ts.Check(err)
	defer d.Close()
	_, err = d.Exec(args[0])
	ts.Check(err)
}
