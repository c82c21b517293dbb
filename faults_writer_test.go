package sojourn_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
)

// wire sends r to a real server of h, and answers the response and whatever comes behind it.
func wire(t *testing.T, h http.Handler, r *http.Request) (res *http.Response, behind string) {
	t.Helper()
	server := httptest.NewServer(h)
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	r.Header.Set("Connection", "close")
	if err := r.Write(conn); err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(bytes.NewReader(all))
	if res, err = http.ReadResponse(in, r); err != nil {
		t.Fatalf("%v: the wire has %q", err, all)
	}
	_, _ = io.ReadAll(res.Body)
	rest, _ := io.ReadAll(in)
	return res, string(rest)
}

// F3: refused is refused, Hijack too: in the order of coder/websocket, and in others.
func TestF3_HijackAfterARefusal(t *testing.T) {
	for what, first := range map[string]func(w http.ResponseWriter){
		"WriteHeader(101)": func(w http.ResponseWriter) { w.WriteHeader(http.StatusSwitchingProtocols) },
		"WriteHeader(200)": func(w http.ResponseWriter) { w.WriteHeader(http.StatusOK) },
		"Flush":            func(w http.ResponseWriter) { w.(http.Flusher).Flush() },
		"nothing":          func(http.ResponseWriter) {},
	} {
		for _, controller := range []bool{false, true} {
			s := newSite(t, sojourn.Config{}, newGate())
			r := request("GET", s.begin())
			var refused error
			res, behind := wire(t, s.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				name.Put(r.Context(), "x")
				s.gate.set(down(writes, errFire))
				first(w)
				var conn net.Conn
				var err error
				if controller {
					conn, _, err = http.NewResponseController(w).Hijack()
				} else {
					conn, _, err = w.(http.Hijacker).Hijack()
				}
				if refused = err; err == nil {
					_, _ = conn.Write([]byte("frames"))
					conn.Close()
				}
			})), r)
			if refused == nil || res.StatusCode != 503 || behind != "" {
				t.Errorf("%s, controller %v: Hijack said %v; status %d, and behind it %q", what, controller, refused, res.StatusCode, behind)
			}
		}
	}
}

// F3: what was committed goes through, and the session is there on the long connection.
func TestF3_UpgradeThatIsCommitted(t *testing.T) {
	onBoth(t, sojourn.Config{}, func(t *testing.T, s *site) {
		r := request("GET", s.begin())
		res, behind := wire(t, s.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			name.Put(r.Context(), "upgraded")
			w.WriteHeader(http.StatusSwitchingProtocols)
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Errorf("Hijack: %v", err)
				return
			}
			_, _ = conn.Write([]byte("frames"))
			conn.Close()
		})), r)
		if res.StatusCode != 101 || behind != "frames" {
			t.Fatalf("status %d, and behind it %q", res.StatusCode, behind)
		}
		c := reply{}.of(&http.Response{Header: res.Header, Body: http.NoBody}).or(r.Header.Get("Cookie"))
		if n := s.nameOf(c); n != "upgraded" {
			t.Errorf("the session says %q", n)
		}
	})
}

// A brokenHijack is a response that cannot be taken over, as over HTTP/2 behind an old wrapper.
type brokenHijack struct{ *httptest.ResponseRecorder }

func (brokenHijack) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return nil, nil, errors.New("this connection is not to be had")
}

// F4: a Hijack that fails forgets nothing of what has gone out, and takes nothing away from what has not.
func TestF4_FailedHijackForgetsNothing(t *testing.T) {
	begun := map[string]func(w http.ResponseWriter){
		"Flush":       func(w http.ResponseWriter) { w.(http.Flusher).Flush() },
		"WriteHeader": func(w http.ResponseWriter) { w.WriteHeader(http.StatusOK) },
		"Write":       func(w http.ResponseWriter) { _, _ = io.WriteString(w, "page") },
	}
	onBoth(t, sojourn.Config{}, func(t *testing.T, s *site) {
		for how, begin := range begun {
			for what, change := range map[string]http.HandlerFunc{"Renew": s.renew, "Login": s.login("bob")} {
				c := s.begin()
				w := brokenHijack{httptest.NewRecorder()}
				s.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					begin(w)
					if _, _, err := w.(http.Hijacker).Hijack(); err == nil {
						t.Error("Hijack succeeds")
					}
					change(w, r)
					if err := s.Commit(r.Context()); !errors.Is(err, sojourn.ErrHeaderSent) {
						t.Errorf("%s after %s: Commit: %v, want ErrHeaderSent", what, how, err)
					}
				})).ServeHTTP(w, request("GET", c))
				if n := s.nameOf(c); n != "first" {
					t.Errorf("%s after %s: the session is lost", what, how)
				}
			}
		}
		w := brokenHijack{httptest.NewRecorder()}
		s.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _, _ = w.(http.Hijacker).Hijack()
			s.login("bob")(w, r)
			_, _ = io.WriteString(w, "page")
		})).ServeHTTP(w, request("POST", ""))
		s.loggedInBy(reply{}.of(w.Result()), "bob")
	})
}

// F5: a writer that cannot flush sends nothing, so nothing is too late.
func TestF5_FlushThatCannot(t *testing.T) {
	flushes := map[string]func(w http.ResponseWriter){
		"Flusher": func(w http.ResponseWriter) {
			if f, ok := w.(http.Flusher); ok {
				f.Flush()
			}
		},
		"ResponseController": func(w http.ResponseWriter) {
			if err := http.NewResponseController(w).Flush(); !errors.Is(err, http.ErrNotSupported) {
				t.Errorf("Flush: %v, want http.ErrNotSupported", err)
			}
		},
		"FlushError": func(w http.ResponseWriter) {
			if f, ok := w.(interface{ FlushError() error }); ok {
				_ = f.FlushError()
			}
		},
	}
	onBoth(t, sojourn.Config{}, func(t *testing.T, s *site) {
		for what, flush := range flushes {
			h := s.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				flush(w)
				s.login("bob")(w, r)
				s.commit(r.Context())
				_, _ = io.WriteString(w, "page")
			}))
			a := serve(http.TimeoutHandler(h, time.Minute, ""), request("POST", ""))
			if s.loggedInBy(a, "bob"); a.set == "" {
				t.Errorf("by %s", what)
			}
		}
	})
}

// A ginWriter is a response as gin has it: it embeds ours, and hands on what it is asked for.
type ginWriter struct{ http.ResponseWriter }

func (w ginWriter) CloseNotify() <-chan bool {
	return w.ResponseWriter.(http.CloseNotifier).CloseNotify() //lint:ignore SA1019 as gin has it
}
func (w ginWriter) Flush() { w.ResponseWriter.(http.Flusher).Flush() }

// stream is gin's c.Stream.
func stream(w ginWriter, step func(w io.Writer) bool) {
	gone := w.CloseNotify()
	for {
		select {
		case <-gone:
			return
		default:
			more := step(w)
			w.Flush()
			if !more {
				return
			}
		}
	}
}

// F7: what the inner writer can do is kept, old things too.
func TestF7_GinStream(t *testing.T) {
	onBoth(t, sojourn.Config{}, func(t *testing.T, s *site) {
		around := newSite(t, sojourn.Config{Cookie: sojourn.Cookie{Name: "__Host-outer"}}, newGate())
		for what, h := range map[string]func(http.Handler) http.Handler{
			"one manager":  s.LoadAndSave,
			"two managers": func(h http.Handler) http.Handler { return around.LoadAndSave(s.LoadAndSave(h)) },
		} {
			res, behind := wire(t, h(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				s.login("bob")(w, r)
				n := 0
				stream(ginWriter{w}, func(w io.Writer) bool {
					n++
					_, _ = io.WriteString(w, strings.Repeat("x", n))
					return n < 3
				})
			})), request("GET", ""))
			if a := (reply{}).of(&http.Response{StatusCode: res.StatusCode, Header: res.Header, Body: http.NoBody}); behind != "" || a.set == "" {
				t.Errorf("%s: %d %v", what, res.StatusCode, res.Header)
			}
		}
	})
}

// F7: over HTTP/2 there is Push, over HTTP/1 there is Hijack, and nothing is invented.
func TestF7_CapabilitiesAreThoseOfTheServer(t *testing.T) {
	type set struct{ flush, hijack, readFrom, push, notify, text bool }
	can := func(w http.ResponseWriter) (s set) {
		_, s.flush = w.(http.Flusher)
		_, s.hijack = w.(http.Hijacker)
		_, s.readFrom = w.(io.ReaderFrom)
		_, s.push = w.(http.Pusher)
		_, s.notify = w.(http.CloseNotifier) //lint:ignore SA1019 what is old is kept too
		_, s.text = w.(io.StringWriter)
		return s
	}
	s := newSite(t, sojourn.Config{}, newGate())
	for _, two := range []bool{false, true} {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			plain := can(w)
			s.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if got := can(w); got != plain {
					t.Errorf("%s: behind the middleware %+v, before it %+v", r.Proto, got, plain)
				}
			})).ServeHTTP(w, r)
		}))
		server.EnableHTTP2 = two
		server.StartTLS()
		res, err := server.Client().Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		if res.Body.Close(); (res.ProtoMajor == 2) != two {
			t.Errorf("%s was spoken", res.Proto)
		}
		server.Close()
	}
}
