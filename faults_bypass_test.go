package sojourn_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/gosojourn/sojourn"
)

// past is a router's adapter that drops the writer of LoadAndSave and has the handler write to its own.
func (s *site) past(h http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(own http.ResponseWriter, r *http.Request) {
		s.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { h(own, r) })).ServeHTTP(own, r)
	})
}

// A response that goes out past the writer is told of, on HTTP/1 and HTTP/2, and a login in it is refused
// instead of being lost.
func TestResponsePastTheWriter(t *testing.T) {
	onBoth(t, sojourn.Config{}, func(t *testing.T, s *site) {
		ann := s.beginAs("ann")
		for _, version := range []string{"HTTP/1.1", "HTTP/2.0", "a recorder"} {
			before := s.events(sojourn.EventBypassed, "")
			late := s.events(sojourn.EventTooLate, "*")
			h := s.past(func(w http.ResponseWriter, r *http.Request) {
				_ = s.Login(r.Context(), "eve")
				_, _ = io.WriteString(w, "Welcome")
			})
			a := reply{}
			if version == "a recorder" {
				a = serve(h, request("POST", ann))
			} else {
				a = overTheWire(t, h, "POST", ann, version)
			}
			if a.set != "" || s.ownerOf(ann) != "ann" {
				t.Errorf("%s: the login was done: cookie %q, and the session is %q's", version, a.set, s.ownerOf(ann))
			}
			if s.events(sojourn.EventBypassed, "") != before+1 || s.events(sojourn.EventTooLate, "*") != late+1 {
				t.Errorf("%s: it was told %d times, and that it is too late %d times", version,
					s.events(sojourn.EventBypassed, "")-before, s.events(sojourn.EventTooLate, "*")-late)
			}
		}
	})
}

func overTheWire(t *testing.T, h http.Handler, method, cookie, version string) (a reply) {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.EnableHTTP2 = version == "HTTP/2.0"
	srv.TLS = &tls.Config{}
	srv.StartTLS()
	defer srv.Close()
	r, err := http.NewRequest(method, srv.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Cookie", cookie)
	res, err := srv.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.Proto != version {
		t.Fatalf("the server spoke %s, want %s", res.Proto, version)
	}
	return a.of(res)
}

// A token that a Commit has minted, and that can be sent no more, is told of as lost. The log has one line.
func TestTokenLostPastTheWriter(t *testing.T) {
	var log strings.Builder
	s := newSite(t, sojourn.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))}, newGate())
	for range 3 {
		serve(s.past(func(w http.ResponseWriter, r *http.Request) {
			_ = s.Login(r.Context(), "ann")
			if err := s.Commit(r.Context()); err != nil {
				t.Error(err)
			}
			w.WriteHeader(http.StatusNoContent)
		}), request("POST", ""))
	}
	if n := s.events(sojourn.EventBypassed, "token_lost"); n != 3 || s.lastEvent(sojourn.EventBypassed).Err == nil {
		t.Errorf("it was told %d times: %+v", n, s.lastEvent(sojourn.EventBypassed))
	}
	if n := strings.Count(log.String(), "wrap the whole router"); n != 1 {
		t.Errorf("the log has %d lines that say what to do:\n%s", n, log.String())
	}
}

// written is a router's writer that tells whether the header is out, as Gin's does.
type written struct {
	http.ResponseWriter
	yes bool
}

func (w *written) WriteHeader(code int) { w.yes = true; w.ResponseWriter.WriteHeader(code) }
func (w *written) Written() bool        { return w.yes }

// A response that begins past the writer and goes on through it is told of as well.
func TestResponseBeginsPastTheWriter(t *testing.T) {
	onBoth(t, sojourn.Config{}, func(t *testing.T, s *site) {
		own := &written{ResponseWriter: httptest.NewRecorder()}
		s.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			own.WriteHeader(http.StatusAccepted)
			_ = s.Login(r.Context(), "ann")
			_, _ = io.WriteString(w, "Welcome")
			if err := s.Commit(r.Context()); !errors.Is(err, sojourn.ErrHeaderSent) {
				t.Errorf("Commit: %v", err)
			}
		})).ServeHTTP(own, request("POST", ""))
		if s.events(sojourn.EventBypassed, "") != 1 || s.events(sojourn.EventLogin, "*") != 0 {
			t.Errorf("events: %+v", s.seen)
		}
	})
}

// So is a Commit that comes behind what went past the writer: it does not mint a token for nothing.
func TestCommitBehindTheResponse(t *testing.T) {
	onBoth(t, sojourn.Config{}, func(t *testing.T, s *site) {
		own := &written{ResponseWriter: httptest.NewRecorder()}
		s.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			own.WriteHeader(http.StatusAccepted)
			_ = s.Login(r.Context(), "ann")
			if err := s.Commit(r.Context()); !errors.Is(err, sojourn.ErrHeaderSent) {
				t.Errorf("Commit: %v", err)
			}
		})).ServeHTTP(own, request("POST", ""))
		if s.events(sojourn.EventBypassed, "") != 1 || s.events(sojourn.EventLogin, "*") != 0 {
			t.Errorf("events: %+v", s.seen)
		}
	})
}

// Nobody is alarmed by a handler that writes nothing, sends early hints, or does not use the session.
func TestNothingPastTheWriter(t *testing.T) {
	onBoth(t, sojourn.Config{}, func(t *testing.T, s *site) {
		for what, h := range map[string]http.Handler{
			"nothing": s.LoadAndSave(http.HandlerFunc(putName)),
			"hints": s.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(http.StatusEarlyHints)
				putName(w, r)
			})),
			"no use": s.past(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "page") }),
		} {
			a := overTheWire(t, h, "GET", "", "HTTP/1.1")
			if s.events(sojourn.EventBypassed, "*") != 0 || a.code != 200 || (a.set == "") != (what == "no use") {
				t.Errorf("%s: %d, cookie %q; %+v", what, a.code, a.set, s.seen)
			}
		}
	})
}

// recovers is the middleware of routers that stand inside: it answers before its deferred function returns.
func recovers(code int, h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if recover() != nil {
				http.Error(w, "sorry", code)
			}
		}()
		h(w, r)
	}
}

// What a panicking handler has changed is not saved, wherever the recovering middleware stands; what it has
// committed is, and its token is sent.
func TestPanicRecoveredInside(t *testing.T) {
	onBoth(t, sojourn.Config{}, func(t *testing.T, s *site) {
		c := s.begin()
		a := s.ask("POST", c, recovers(500, func(_ http.ResponseWriter, r *http.Request) {
			name.Put(r.Context(), "half")
			_ = s.Login(r.Context(), "ann")
			panic("boom")
		}))
		if n := s.nameOf(a.or(c)); a.code != 500 || a.set != "" || n != "first" || s.ownerOf(a.or(c)) != "" {
			t.Errorf("half of it was saved: %d, cookie %q, the session says %q", a.code, a.set, n)
		}
		a = s.ask("POST", c, recovers(500, func(_ http.ResponseWriter, r *http.Request) {
			_ = s.Login(r.Context(), "ann")
			if err := s.Commit(r.Context()); err != nil {
				t.Error(err)
			}
			name.Put(r.Context(), "half")
			panic("boom")
		}))
		if n := s.nameOf(a.or(c)); a.code != 500 || s.ownerOf(a.or(c)) != "ann" || n != "first" {
			t.Errorf("what was committed is lost: %d, cookie %q, %q, the session says %q", a.code, a.set, s.ownerOf(a.or(c)), n)
		}
		// A handler that turns its own panic into an answer of another kind is through, and means it.
		c = a.or(c)
		a = s.ask("POST", c, recovers(422, func(_ http.ResponseWriter, r *http.Request) {
			name.Put(r.Context(), "meant")
			panic("boom")
		}))
		if n := s.nameOf(a.or(c)); a.code != 422 || n != "meant" {
			t.Errorf("%d, and the session says %q", a.code, n)
		}
	})
}

// A framework that panics because its response was replaced by the 503 spoils that in no way; another panic
// passes on.
func TestPanicAboutTheRefusal(t *testing.T) {
	onStore(t, sojourn.Config{}, func(t *testing.T, s *site) {
		c := s.begin()
		s.gate.set(down(writes, errFire))
		a := s.ask("POST", c, func(w http.ResponseWriter, r *http.Request) {
			name.Put(r.Context(), "x")
			if _, err := io.WriteString(w, "page"); err != nil {
				panic(fmt.Errorf("cannot write: %w", err))
			}
		})
		if a.panics != nil || a.code != 503 || strings.Contains(a.body, "page") {
			t.Errorf("%d %q, and the panic %v", a.code, a.body, a.panics)
		}
		for _, v := range []any{"boom", errFire} {
			a = s.ask("POST", c, func(w http.ResponseWriter, r *http.Request) {
				name.Put(r.Context(), "x")
				w.WriteHeader(http.StatusOK)
				panic(v)
			})
			if a.panics != v || a.code != 503 {
				t.Errorf("%d, and the panic %v, want %v", a.code, a.panics, v)
			}
		}
	})
}

// httputil.ReverseProxy as a handler aborts the connection when it cannot write what the backend said. The client
// gets the 503 all the same; one that aborts for a reason of its own is obeyed.
func TestProxyAbortsAfterTheRefusal(t *testing.T) {
	onStore(t, sojourn.Config{}, func(t *testing.T, s *site) {
		c := s.begin()
		proxy := &httputil.ReverseProxy{
			Transport: said("what the backend has to say"),
			Rewrite: func(p *httputil.ProxyRequest) {
				p.SetURL(&url.URL{Scheme: "https", Host: "backend.test"})
				name.Put(p.In.Context(), "x")
			},
		}
		served := func(w http.ResponseWriter, r *http.Request) { // as by a server: else it aborts nothing
			proxy.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), http.ServerContextKey, &http.Server{})))
		}
		s.gate.set(down(writes, errFire))
		for _, method := range []string{"GET", "POST"} {
			if a := s.ask(method, c, served); a.panics != nil || a.code != 503 || strings.Contains(a.body, "backend") {
				t.Errorf("%s: %d %q, and the panic %v", method, a.code, a.body, a.panics)
			}
		}
		a := s.ask("POST", c, func(w http.ResponseWriter, r *http.Request) {
			name.Put(r.Context(), "x")
			w.WriteHeader(http.StatusOK)
			panic(http.ErrAbortHandler)
		})
		if a.panics != http.ErrAbortHandler {
			t.Errorf("a handler that has not tried to write aborts: the panic is %v", a.panics)
		}
	})
}

// said is a backend that answers with it, whatever it is asked.
type said string

func (body said) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Request: r,
		Body: io.NopCloser(strings.NewReader(string(body)))}, nil
}
