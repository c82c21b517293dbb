package laws

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/sojourntest"
)

// Law 5: a store that cannot answer is not 'anonymous'.
var outages = []story{
	{"P8 a save that fails is one error response", func(t *testing.T, store sojourn.Store) {
		f := &sojourntest.FaultyStore{Store: store}
		s := newSite(t, f, sojourn.Config{})
		c := s.begin()
		var wrote error
		a := s.ask("POST", c, func(w http.ResponseWriter, r *http.Request) {
			name.Put(r.Context(), "x")
			f.Fail(errDown)
			w.Header().Set("Content-Length", "7")
			w.Header().Set("Content-Encoding", "gzip")
			w.Header().Set("ETag", `"1"`)
			_, wrote = io.WriteString(w, "welcome")
		})
		f.Fail(nil)
		if a.Code != http.StatusServiceUnavailable || strings.Contains(a.Body.String(), "welcome") || wrote == nil {
			t.Errorf("status %d, body %q, the handler's Write: %v", a.Code, a.Body, wrote)
		}
		for _, h := range []string{"Content-Length", "Content-Encoding", "Etag", "Set-Cookie"} {
			if v := a.Header()[h]; v != nil {
				t.Errorf("the error response has %s: %q", h, v)
			}
		}
		if v := s.nameOf(c); v != "first" {
			t.Errorf("the session says %q after the outage, want it as it was", v)
		}
		if !s.sawEvent(sojourn.EventUnavailable, "") {
			t.Error("nothing was told of the outage")
		}
	}},
	{"a store that is down never means nobody is logged in", func(t *testing.T, store sojourn.Store) {
		f := &sojourntest.FaultyStore{Store: store}
		s := newSite(t, f, sojourn.Config{})
		c := s.beginAs("bob")
		f.Fail(errDown)
		ran := false
		if a := s.ask("POST", c, func(http.ResponseWriter, *http.Request) { ran = true }); a.Code != 503 || ran || a.unset || a.set != "" {
			t.Errorf("POST: status %d, handler ran %v, cookie deleted %v", a.Code, ran, a.unset)
		}
		a := s.ask("GET", c, func(w http.ResponseWriter, r *http.Request) {
			ctx := r.Context()
			first, again := s.Load(ctx), s.Load(ctx)
			if !sojourn.Unavailable(first) || first != again {
				t.Errorf("Load: %v, then %v; want one answer that is Unavailable", first, again)
			}
			if s.Info(ctx).ID != "" || name.Get(ctx) != "" || s.Login(ctx, "eve") == nil {
				t.Error("a session that could not be loaded can be used")
			}
			name.Put(ctx, "x")
			fmt.Fprint(w, "hello, stranger")
		})
		if a.Code != 503 || strings.Contains(a.Body.String(), "stranger") || a.unset || a.set != "" {
			t.Errorf("GET: status %d, body %q", a.Code, a.Body)
		}
		if a := s.ask("GET", c, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "static") }); a.Code != 200 {
			t.Errorf("a page that asks for nothing was answered %d", a.Code)
		}
		f.Fail(nil)
		if o := s.ownerOf(c); o != "bob" {
			t.Errorf("after the outage the owner is %q", o)
		}
	}},
	{"after the first byte a failed save aborts the connection", func(t *testing.T, store sojourn.Store) {
		f := &sojourntest.FaultyStore{Store: store}
		s := newSite(t, f, sojourn.Config{})
		c := s.begin()
		defer func() {
			if v := recover(); v != http.ErrAbortHandler {
				t.Errorf("the middleware panicked with %v, want http.ErrAbortHandler", v)
			}
			f.Fail(nil)
		}()
		s.ask("GET", c, func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, "begun")
			name.Put(r.Context(), "x")
			f.Fail(errDown)
		})
	}},
	{"a touch that fails spoils no page", func(t *testing.T, store sojourn.Store) {
		f := &sojourntest.FaultyStore{Store: aged{store}}
		s := newSite(t, f, sojourn.Config{})
		c := s.begin()
		a := s.ask("GET", c, func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, name.Get(r.Context()))
			f.Fail(errDown)
		})
		f.Fail(nil)
		if a.Code != 200 || a.Body.String() != "first" {
			t.Errorf("status %d, body %q", a.Code, a.Body)
		}
	}},
	{"P9 a damaged record is absent, one of a newer version is an outage", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		overwrite := func(c string, data []byte) {
			id := idOf(c)
			r, err := store.Load(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			old := r.Version
			r.Data, r.Version = data, old%1000+1
			if err := store.Update(t.Context(), r, old); err != nil {
				t.Fatal(err)
			}
		}
		c := s.begin()
		overwrite(c, []byte("\x01 this is no record"))
		a := s.ask("POST", c, func(_ http.ResponseWriter, r *http.Request) { name.Put(r.Context(), "again") })
		if a.Code != 200 || s.nameOf(a.set) != "again" || !s.sawEvent(sojourn.EventUnreadable, "record") {
			t.Errorf("damaged: status %d, name %q", a.Code, s.nameOf(a.set))
		}
		c = s.begin()
		overwrite(c, []byte("\xfeformat of the future"))
		if a := s.ask("POST", c, func(_ http.ResponseWriter, r *http.Request) {}); a.Code != 503 || a.unset || a.set != "" {
			t.Errorf("newer format: status %d, want 503 and no cookie", a.Code)
		}
	}},
	{"P9 P17 a value that does not fit its key is absent, and the others stay", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		c := s.begin()
		s.ask("POST", c, func(_ http.ResponseWriter, r *http.Request) { count.Put(r.Context(), 300) })
		s.look(c, func(ctx context.Context) {
			if v, ok := sojourn.NewKey[int]("name").Lookup(ctx); ok || v != 0 {
				t.Errorf("a string read as int: %d, %v", v, ok)
			}
			if v := sojourn.NewKey[int64]("count").Get(ctx); v != 300 {
				t.Errorf("an int read as int64: %d", v)
			}
			if v, ok := sojourn.NewKey[uint8]("count").Lookup(ctx); ok {
				t.Errorf("300 read as uint8: %d", v)
			}
			if name.Get(ctx) != "first" {
				t.Error("the value itself is gone")
			}
		})
		if !s.sawEvent(sojourn.EventUnreadable, "value") {
			t.Error("nothing was told of it")
		}
	}},
	{"a value that does not encode saves nothing and says so", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		c := s.begin()
		var err error
		a := s.ask("POST", c, func(_ http.ResponseWriter, r *http.Request) {
			name.Put(r.Context(), "x")
			sojourn.NewKey[any]("pipe").Put(r.Context(), make(chan int))
			err = s.Commit(r.Context())
		})
		if err == nil || !strings.Contains(err.Error(), `"pipe"`) || a.Code != 200 || s.nameOf(c) != "first" {
			t.Errorf("Commit: %v, name %q", err, s.nameOf(c))
		}
		a = s.ask("POST", c, func(_ http.ResponseWriter, r *http.Request) {
			sojourn.NewKey[any]("pipe").Put(r.Context(), make(chan int))
		})
		if a.Code != 500 {
			t.Errorf("without a Commit of its own the handler's response is %d, want 500", a.Code)
		}
	}},
	{"a session too large is refused whole and stays as it was", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		c := s.begin()
		a := s.ask("POST", c, func(_ http.ResponseWriter, r *http.Request) {
			name.Put(r.Context(), strings.Repeat("x", 17<<20))
		})
		if a.Code != 500 || s.nameOf(c) != "first" {
			t.Errorf("status %d, name of %d bytes", a.Code, len(s.nameOf(c)))
		}
	}},
	{"O2 an id that is taken is never adopted", func(t *testing.T, store sojourn.Store) {
		taken := &takenOnce{Store: store}
		s := newSite(t, taken, sojourn.Config{})
		if v := s.nameOf(s.begin()); v != "first" || taken.calls != 2 || taken.ids[0] == taken.ids[1] {
			t.Errorf("name %q after %d attempts with ids %q", v, taken.calls, taken.ids)
		}
	}},
}

// aged shows every record as last seen half an hour ago, so that a touch is due.
type aged struct{ sojourn.Store }

func (a aged) Load(ctx context.Context, id string) (sojourn.Record, error) {
	r, err := a.Store.Load(ctx, id)
	r.Seen = r.Seen.Add(-30 * time.Minute)
	return r, err
}

// takenOnce says of the first id that somebody has it.
type takenOnce struct {
	sojourn.Store
	calls int
	ids   []string
}

func (s *takenOnce) Create(ctx context.Context, r sojourn.Record) error {
	s.ids = append(s.ids, r.ID)
	if s.calls++; s.calls == 1 {
		return sojourn.ErrConflict
	}
	return s.Store.Create(ctx, r)
}
