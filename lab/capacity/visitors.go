package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/sealed"
)

// The load: of 2,500 requests that write, 60 % are visitors' who are not logged in. With the burst, crawlers make the
// visitors' writes four times as many; a crawler keeps no cookie.
const (
	people   = 100
	visitors = 150
	each     = 10 // requests
	crawlers = 3 * visitors * each
)

// A crowd is what one load came to, in questions to the store, but for those for everybody's fence: they depend on time.
type crowd struct {
	reads, writes atomic.Int64
	rows          int
}

func (c *crowd) Start(ctx context.Context, op sojourn.Op) (context.Context, func(error)) {
	switch op.Name {
	case sojourn.OpLoad:
		c.reads.Add(1)
	case sojourn.OpCreate, sojourn.OpUpdate, sojourn.OpTouch, sojourn.OpDelete:
		c.writes.Add(1)
	}
	return ctx, func(error) {}
}

var page = sojourn.NewKey[int]("page")

// visits makes the load, on a store of its own. Logins are not counted.
func visits(s store, anonymous sojourn.Sealer, burst int) (*crowd, error) {
	at, err := s.open()
	if err != nil {
		return nil, err
	}
	defer at.close()
	c := &crowd{}
	m, err := at.manager(sojourn.Config{StoreTimeout: time.Minute, Observer: c, Anonymous: anonymous, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	login := m.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _ = m.Login(r.Context(), "person") }))
	write := m.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		page.Update(r.Context(), func(n int) int { return n + 1 })
	}))
	begun := make([]string, people)
	for i := range begun {
		if err := send(login, &begun[i]); err != nil {
			return nil, err
		}
	}
	c.reads.Store(0)
	c.writes.Store(0)
	err = inParallel(people+visitors+burst, func(i int) error {
		cookie, n := "", each
		switch {
		case i < people:
			cookie = begun[i]
		case i >= people+visitors:
			n = 1
		}
		for range n {
			if err := send(write, &cookie); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		c.rows, err = m.Count(context.Background())
	}
	return c, err
}

// send makes a request with the cookie, and keeps the one that comes back.
func send(h http.Handler, cookie *string) error {
	r := httptest.NewRequest(http.MethodPost, "https://sojourn.test/", nil)
	if *cookie != "" {
		r.Header.Set("Cookie", *cookie)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		return fmt.Errorf("answered %d: %s", w.Code, w.Body)
	}
	for _, c := range w.Result().Cookies() {
		*cookie = c.Name + "=" + c.Value
	}
	return nil
}

// reportVisitors is the table of all loads, on the stores that need no server: the questions are the same on each.
func reportVisitors() (string, error) {
	ring, err := sealed.New([]string{sealed.GenerateKey()}, sealed.Options{})
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d writes of %d people who are logged in, %d of %d visitors; the burst is of %d crawlers.\n\n", people*each, people, visitors*each, visitors, crawlers)
	b.WriteString("| | load | reads of the store | writes to the store | for each write of who is logged in | rows |\n|---|---|---|---|---|---|\n")
	for _, s := range stores {
		if s.name != "memory" && s.name != "SQLite" {
			continue
		}
		for _, by := range []struct {
			name   string
			sealer sojourn.Sealer
		}{{"visitors in the store", nil}, {"Config.Anonymous", ring}} {
			for _, burst := range []struct {
				name string
				n    int
			}{{"60 % visitors", 0}, {"and the burst", crawlers}} {
				c, err := visits(s, by.sealer, burst.n)
				if err != nil {
					return "", fmt.Errorf("%s, %s, %s: %w", s.name, by.name, burst.name, err)
				}
				fmt.Fprintf(&b, "| %s | %s | %d | %d | %.2f | %d |\n", row(s.name, by.name), burst.name, c.reads.Load(), c.writes.Load(), float64(c.writes.Load())/(people*each), c.rows)
			}
		}
	}
	return b.String(), nil
}
