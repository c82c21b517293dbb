package laws

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gosojourn/sojourn"
)

// Laws 6 and 7: committed before the first byte; nothing stored or read for who asks for nothing.
var responses = []story{
	{"P3 Flush, FlushError, ReadFrom and WriteHeader send the cookie", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		for what, first := range map[string]func(w http.ResponseWriter){
			"Flush":              func(w http.ResponseWriter) { w.(http.Flusher).Flush() },
			"ResponseController": func(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() },
			"ReadFrom":           func(w http.ResponseWriter) { _, _ = w.(io.ReaderFrom).ReadFrom(strings.NewReader("x")) },
			"io.Copy":            func(w http.ResponseWriter) { _, _ = io.Copy(w, strings.NewReader("x")) },
			"io.WriteString":     func(w http.ResponseWriter) { _, _ = io.WriteString(w, "x") },
			"WriteHeader":        func(w http.ResponseWriter) { w.WriteHeader(http.StatusCreated) },
			"101":                func(w http.ResponseWriter) { w.WriteHeader(http.StatusSwitchingProtocols) },
			"nothing":            func(http.ResponseWriter) {},
		} {
			res := s.over(t, func(w http.ResponseWriter, r *http.Request) {
				name.Put(r.Context(), what)
				first(w)
			})
			if len(res.Cookies()) != 1 || s.nameOf(res.Cookies()[0].Name+"="+res.Cookies()[0].Value) != what {
				t.Errorf("%s: cookies %v", what, res.Cookies())
			}
		}
	}},
	{"P4 1xx passes and commits nothing", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		res := s.over(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Link", "</style.css>; rel=preload")
			w.WriteHeader(http.StatusEarlyHints)
			name.Put(r.Context(), "late")
			w.WriteHeader(http.StatusAccepted)
		})
		if res.StatusCode != 202 || len(res.Cookies()) != 1 {
			t.Errorf("status %d, cookies %v", res.StatusCode, res.Cookies())
		}
	}},
	{"P5 a change after the first byte is saved, or said to be too late", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		c := s.begin()
		s.ask("GET", c, func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, "begun")
			name.Put(r.Context(), "after")
		})
		if v := s.nameOf(c); v != "after" {
			t.Errorf("a stored session: name = %q, want it saved", v)
		}
		var put, login error
		s.ask("GET", "", func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, "begun")
			name.Put(r.Context(), "x")
			put = s.Commit(r.Context())
		})
		s.ask("GET", c, func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, "begun")
			_ = s.Login(r.Context(), "bob")
			login = s.Commit(r.Context())
		})
		if !errors.Is(put, sojourn.ErrHeaderSent) || !errors.Is(login, sojourn.ErrHeaderSent) || s.ownerOf(c) != "" {
			t.Errorf("Commit: %v and %v, want ErrHeaderSent", put, login)
		}
		if !s.sawEvent(sojourn.EventTooLate, "") {
			t.Error("nothing was told of it")
		}
	}},
	{"P6 a handler that panics saves nothing, and the panic passes on", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		c := s.begin()
		func() {
			defer func() {
				if v := recover(); v != "oops" {
					t.Errorf("recovered %v", v)
				}
			}()
			s.ask("POST", c, func(_ http.ResponseWriter, r *http.Request) {
				name.Put(r.Context(), "x")
				_ = s.Renew(r.Context())
				panic("oops")
			})
		}()
		if v := s.nameOf(c); v != "first" {
			t.Errorf("name = %q under the old token", v)
		}
	}},
	{"P7 a client that leaves cancels no save", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		c := s.begin()
		ctx, leave := context.WithCancel(t.Context())
		s.send(request("POST", c).WithContext(ctx), func(_ http.ResponseWriter, r *http.Request) {
			name.Put(r.Context(), "saved")
			leave()
		})
		if v := s.nameOf(c); v != "saved" {
			t.Errorf("name = %q", v)
		}
	}},
	{"P10 the writer keeps its capabilities and gets no others", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		s.over(t, func(w http.ResponseWriter, _ *http.Request) {
			_, f := w.(http.Flusher)
			_, h := w.(http.Hijacker)
			_, r := w.(io.ReaderFrom)
			_, p := w.(http.Pusher)
			if !f || !h || !r || p {
				t.Errorf("HTTP/1: Flusher %v, Hijacker %v, ReaderFrom %v, Pusher %v", f, h, r, p)
			}
			if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
				t.Errorf("EnableFullDuplex: %v", err)
			}
		})
		plain := struct{ http.ResponseWriter }{httptest.NewRecorder()}
		s.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, f := w.(http.Flusher)
			_, h := w.(http.Hijacker)
			_, r := w.(io.ReaderFrom)
			if f || h || r {
				t.Errorf("a plain writer: Flusher %v, Hijacker %v, ReaderFrom %v", f, h, r)
			}
		})).ServeHTTP(plain, request("GET", ""))
	}},
	{"P11 who asks for nothing costs no exchange, cookie or Vary", func(t *testing.T, store sojourn.Store) {
		n := &counting{Store: store}
		s := newSite(t, n, sojourn.Config{})
		c := s.begin()
		n.reset()
		a := s.ask("GET", c, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "logo") })
		if n.total() != 0 || a.Header().Get("Vary") != "" || a.set != "" {
			t.Errorf("untouched: %d exchanges, header %v", n.total(), a.Header())
		}
		a = s.look(c, func(ctx context.Context) { name.Get(ctx); name.Get(ctx); s.Info(ctx) })
		if n.loads.Load() != 1 || n.total() != 1 || a.Header().Get("Vary") != "Cookie" || a.set != "" {
			t.Errorf("read: %d exchanges, header %v", n.total(), a.Header())
		}
		n.reset()
		s.ask("POST", c, func(_ http.ResponseWriter, r *http.Request) { name.Put(r.Context(), "x"); role.Put(r.Context(), "y") })
		if n.total() != 2 {
			t.Errorf("write: %d exchanges, want load and save", n.total())
		}
		n.reset()
		a = s.ask("POST", "", func(_ http.ResponseWriter, r *http.Request) {
			if v, ok := name.Lookup(r.Context()); ok || s.Info(r.Context()).ID != "" {
				t.Errorf("a visitor without a cookie has %q", v)
			}
			name.Delete(r.Context())
			notes.Pop(r.Context())
		})
		if n.total() != 0 || a.set != "" {
			t.Errorf("a visitor who stores nothing: %d exchanges, cookie %q", n.total(), a.set)
		}
	}},
	{"P11 activity is stored now and then", func(t *testing.T, store sojourn.Store) {
		n := &counting{Store: aged{store}}
		s := newSite(t, n, sojourn.Config{})
		c := s.begin()
		n.reset()
		s.look(c, func(ctx context.Context) { name.Get(ctx) })
		if n.touches.Load() != 1 || n.total() != 2 {
			t.Errorf("%d touches of %d exchanges, want one", n.touches.Load(), n.total())
		}
	}},
	{"P19 hijacking with a token to send fails, with none it saves first", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		res := s.over(t, func(w http.ResponseWriter, r *http.Request) {
			name.Put(r.Context(), "x")
			if _, _, err := http.NewResponseController(w).Hijack(); !errors.Is(err, sojourn.ErrHeaderSent) {
				t.Errorf("Hijack: %v", err)
			}
			w.WriteHeader(http.StatusTeapot)
		})
		if res.StatusCode != http.StatusTeapot || len(res.Cookies()) != 1 {
			t.Errorf("after the refused hijack: status %d, cookies %v", res.StatusCode, res.Cookies())
		}
		c := s.begin()
		srv := httptest.NewServer(s.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			name.Put(r.Context(), "kept")
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Errorf("Hijack: %v", err)
				return
			}
			defer conn.Close()
			fmt.Fprint(conn, "HTTP/1.1 204 No Content\r\n\r\n")
		})))
		defer srv.Close()
		conn, err := net.Dial("tcp", srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: x\r\nCookie: %s\r\n\r\n", c)
		if _, err := bufio.NewReader(conn).ReadString('\n'); err != nil || s.nameOf(c) != "kept" {
			t.Errorf("%v, name %q", err, s.nameOf(c))
		}
	}},
	{"C4 one cookie of a name, whatever the handler does", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		c := s.begin()
		a := s.ask("POST", c, func(w http.ResponseWriter, r *http.Request) {
			http.SetCookie(w, &http.Cookie{Name: "theme", Value: "dark"})
			for range 3 {
				s.renew(w, r)
				if err := s.Commit(r.Context()); err != nil {
					t.Error(err)
				}
			}
			s.logout(w, r)
		})
		if n := len(a.Header()["Set-Cookie"]); n != 2 || !a.unset {
			t.Errorf("%d cookies: %q", n, a.Header()["Set-Cookie"])
		}
	}},
	{"O36 no-store stays beside the token, whatever the handler says after an early Commit", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		a := s.ask("POST", "", func(w http.ResponseWriter, r *http.Request) {
			name.Put(r.Context(), "x")
			if err := s.Commit(r.Context()); err != nil {
				t.Error(err)
			}
			w.Header().Set("Cache-Control", "public, max-age=3600")
		})
		if v := a.Header().Get("Cache-Control"); a.set == "" || v != "no-store" {
			t.Errorf("Cache-Control %q", v)
		}
	}},
	{"twice is the same as once", func(t *testing.T, store sojourn.Store) {
		n := &counting{Store: store}
		s := newSite(t, n, sojourn.Config{})
		once := s.begin()
		n.reset()
		w := httptest.NewRecorder()
		s.LoadAndSave(s.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			count.Update(r.Context(), plusOne)
		}))).ServeHTTP(w, request("POST", once))
		s.wantCount(once, 1)
		if n.total() != 3 {
			t.Errorf("%d exchanges, want load, save and the load that looked", n.total())
		}
	}},
	{"G9 goroutines of one request may share its session", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		c := s.begin()
		a := s.ask("POST", c, func(_ http.ResponseWriter, r *http.Request) {
			done := make(chan struct{})
			for i := range 16 {
				go func() {
					defer func() { done <- struct{}{} }()
					count.Update(r.Context(), plusOne)
					name.Get(r.Context())
					if i%4 == 0 {
						if err := s.Commit(r.Context()); err != nil {
							t.Error(err)
						}
					}
					s.Info(r.Context())
				}()
			}
			for range 16 {
				<-done
			}
		})
		s.wantCount(cmp.Or(a.set, c), 16)
	}},
}

// over asks h once through a real server and a real connection.
func (s *site) over(t *testing.T, h http.HandlerFunc) *http.Response {
	t.Helper()
	srv := httptest.NewServer(s.LoadAndSave(h))
	defer srv.Close()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	in := bufio.NewReader(conn)
	for {
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode >= 200 || res.StatusCode == http.StatusSwitchingProtocols {
			return res
		}
	}
}

// counting counts exchanges.
type counting struct {
	sojourn.Store
	loads, writes, touches atomic.Int32
}

func (c *counting) total() int32 { return c.loads.Load() + c.writes.Load() + c.touches.Load() }

func (c *counting) reset() {
	c.loads.Store(0)
	c.writes.Store(0)
	c.touches.Store(0)
}

func (c *counting) Load(ctx context.Context, id string) (sojourn.Record, error) {
	c.loads.Add(1)
	return c.Store.Load(ctx, id)
}

func (c *counting) Create(ctx context.Context, r sojourn.Record) error {
	c.writes.Add(1)
	return c.Store.Create(ctx, r)
}

func (c *counting) Update(ctx context.Context, r sojourn.Record, v uint64) error {
	c.writes.Add(1)
	return c.Store.Update(ctx, r, v)
}

func (c *counting) Touch(ctx context.Context, r sojourn.Record) error {
	c.touches.Add(1)
	return c.Store.Touch(ctx, r)
}

func (c *counting) Delete(ctx context.Context, id string, v uint64) error {
	c.writes.Add(1)
	return c.Store.Delete(ctx, id, v)
}
