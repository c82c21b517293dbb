package admin_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/admin"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sojourntest"
)

// A sink is a response that is read while it is written.
type sink struct {
	mu     sync.Mutex
	header http.Header
	kept   bytes.Buffer // until it is flushed
	body   bytes.Buffer
	over   chan struct{} // closed when the handler has returned
}

func (w *sink) Header() http.Header { return w.header }
func (w *sink) WriteHeader(int)     {}
func (w *sink) Flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, _ = w.kept.WriteTo(&w.body)
}
func (w *sink) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.kept.Write(p)
}

// read takes what has come so far.
func (w *sink) read() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.body.Reset()
	return w.body.String()
}

// watch opens the stream in a tab of b. leave is the tab's being closed.
func (s *site) watch(b *sojourntest.Browser) (w *sink, leave context.CancelFunc) {
	ctx, leave := context.WithCancel(context.Background())
	r := httptest.NewRequestWithContext(ctx, "GET", b.Base+"/admin/figures", nil)
	for _, c := range b.Cookies() {
		r.AddCookie(c)
	}
	w = &sink{header: http.Header{}, over: make(chan struct{})}
	go func() {
		defer close(w.over)
		s.app.ServeHTTP(w, r)
	}()
	return w, leave
}

// returns reports whether the handler does within d.
func (w *sink) returns(d time.Duration) bool {
	select {
	case <-w.over:
		return true
	case <-time.After(d):
		return false
	}
}

// values are the figures of the last message in text.
func values(t *testing.T, text string) map[string]string {
	t.Helper()
	last := strings.LastIndex(text, "event: message")
	if last < 0 {
		t.Fatalf("no message in %q", text)
	}
	_, data, _ := strings.Cut(text[last:], "data: ")
	var cards []struct{ ID, Value, Note, Path string }
	if err := json.Unmarshal([]byte(data), &cards); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	all := map[string]string{}
	for _, c := range cards {
		all[c.ID] = c.Value
	}
	return all
}

// The bubble of each test ends only when every goroutine has: nothing is left of a stream.

func TestStreamShowsWhatGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		w, leave := s.watch(s.as("root"))
		time.Sleep(15 * time.Second)
		if v := values(t, w.read()); v["live"] != "1" || v["created"] != "1" || v["ended"] != "0" {
			t.Errorf("first %v", v)
		}
		if kind := w.header.Get("Content-Type"); kind != "text/event-stream" {
			t.Errorf("it is %s", kind)
		}
		ann := s.as("ann")
		ann.Session(func(ctx context.Context) { _ = s.Logout(ctx) })
		s.as("bob")
		time.Sleep(15 * time.Second)
		if v := values(t, w.read()); v["live"] != "2" || v["created"] != "3" || v["logins"] != "3" || v["ended"] != "1" || v["latency"] == "–" {
			t.Errorf("then %v", v)
		}
		leave()
		if !w.returns(time.Second) {
			t.Error("the stream goes on without its reader")
		}
	})
}

func TestStreamEndsWithTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		root, other := s.as("root"), s.as("root")
		w, leave := s.watch(root)
		defer leave()
		time.Sleep(time.Minute)
		want(t, other.PostForm("/admin/end-session?id="+s.info(root).ID, nil), 200)
		if !w.returns(time.Second) {
			t.Fatal("the stream goes on")
		}
		if text := w.read(); !strings.HasSuffix(text, "event: over\ndata: Your session has ended.\n\n") {
			t.Errorf("its last words: %q", text[max(0, len(text)-80):])
		}
	})
}

// A page that is left open is no use of the session: that ends when its idle limit is over, and the stream with it.
func TestStreamKeepsNoSessionAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		root := s.as("root")
		began := time.Now()
		w, leave := s.watch(root)
		defer leave()
		<-w.over
		if lived := time.Since(began); lived < 9*time.Minute || lived > 11*time.Minute {
			t.Errorf("it ended after %v, want the idle limit of ten minutes", lived)
		}
		if i := s.info(root); i.ID != "" {
			t.Errorf("the session goes on: %+v", i)
		}
	})
}

// counter counts how often the store is asked for the number of sessions.
type counter struct {
	*memstore.Store
	asked *atomic.Int32
}

func (c counter) Count(ctx context.Context) (int, error) {
	c.asked.Add(1)
	return c.Store.Count(ctx)
}

func TestStreamsShareOneTicker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		s := newSiteOn(t, counter{memstore.New(), &asked}, admin.Config{})
		root := s.as("root")
		var all []*sink
		var ends []context.CancelFunc
		for range 20 {
			w, leave := s.watch(root)
			all, ends = append(all, w), append(ends, leave)
		}
		time.Sleep(time.Minute + time.Second)
		if n := asked.Load(); n != 7 {
			t.Errorf("in a minute the sessions were counted %d times for 20 pages, want each 10 s", n)
		}
		for i, w := range all {
			if n := strings.Count(w.read(), "event: message"); n < 30 || n > 32 {
				t.Errorf("page %d has had %d messages in a minute, want one each 2 s", i, n)
			}
			ends[i]()
		}
		time.Sleep(time.Minute)
		if n := asked.Load(); n != 7 {
			t.Errorf("with no page open the sessions were counted %d times", n-7)
		}
		w, leave := s.watch(root) // it begins anew
		time.Sleep(time.Second)
		if v := values(t, w.read()); v["live"] != "1" {
			t.Errorf("%v", v)
		}
		leave()
	})
}

// A count that takes long holds nothing up.
func TestSlowCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		root := s.as("root")
		s.mount(admin.Config{Authorize: func(*http.Request) (string, error) { return "root", nil }})
		root.SetCookies(nil) // so that nothing else has to be asked
		w, leave := s.watch(root)
		defer leave()
		time.Sleep(time.Second)
		resume := s.store.Stall()
		w.read()
		time.Sleep(21 * time.Second)
		if text := w.read(); strings.Count(text, "event: message") < 10 || values(t, text)["live"] != "1" {
			t.Errorf("%q", text)
		}
		resume()
	})
}

// Whoever is known by something else than a session has the figures too, until the page is closed.
func TestStreamWithoutASession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.mount(admin.Config{Authorize: func(*http.Request) (string, error) { return "root", nil }})
		b := s.as("")
		b.SetCookies(nil)
		s.app = http.StripPrefix("/admin", s.pages) // and without LoadAndSave
		w, leave := s.watch(b)
		time.Sleep(5 * time.Minute)
		if v := values(t, w.read()); v["live"] != "1" {
			t.Errorf("%v", v)
		}
		leave()
		if !w.returns(time.Second) {
			t.Error("the stream goes on without its reader")
		}
	})
}

// Who is an administrator no more sees no more figures, whatever the session does.
func TestStreamEndsWithTheRight(t *testing.T) {
	for words, refusal := range map[string]error{"no more": errors.New("the words of the application"), "does not answer": nil} {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t)
			var answer atomic.Pointer[error]
			s.mount(admin.Config{Authorize: func(*http.Request) (string, error) {
				if err := answer.Load(); err != nil {
					return "", *err
				}
				return "root", nil
			}})
			w, leave := s.watch(s.as("root"))
			defer leave()
			time.Sleep(2 * time.Minute)
			if w.returns(time.Millisecond) {
				t.Fatal("the stream has ended before")
			}
			if refusal == nil {
				s.store.Fail(errors.New("no route to host"))
				_, refusal = s.Count(t.Context())
				s.store.Fail(nil)
			}
			w.read()
			answer.Store(&refusal)
			if !w.returns(31 * time.Second) {
				t.Error("the stream goes on")
			}
			if last := w.read(); !strings.Contains(last, "event: over") || !strings.Contains(last, words) || strings.Contains(last, "the words of") {
				t.Errorf("the last words are %q", last)
			}
		})
	}
}

func TestCloseEndsTheStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		root := s.as("root")
		w, leave := s.watch(root)
		defer leave()
		time.Sleep(time.Second)
		s.pages.Close()
		s.pages.Close()
		if !w.returns(time.Millisecond) {
			t.Error("the stream goes on")
		}
		if res := root.Get("/admin/figures"); res.StatusCode != http.StatusNoContent {
			t.Errorf("another one is answered %s", res.Status)
		}
		want(t, root.Get("/admin/"), 200)
	})
}

// A server gives each response so much time, and a stream has more. Messages are not kept back on their way.
func TestStreamOutlivesTheServersWriteTimeout(t *testing.T) {
	s := newSite(t)
	root := s.as("root")
	srv := httptest.NewUnstartedServer(s.app)
	srv.Config.WriteTimeout = 200 * time.Millisecond
	srv.Start()
	defer srv.Close()
	defer s.pages.Close()
	r, err := http.NewRequestWithContext(t.Context(), "GET", srv.URL+"/admin/figures", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range root.Cookies() {
		r.AddCookie(c)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	messages := 0
	for lines := bufio.NewScanner(res.Body); messages < 2 && lines.Scan(); {
		if lines.Text() == "event: message" {
			messages++
		}
	}
	if messages < 2 {
		t.Errorf("%d messages, and then the server ended it", messages)
	}
}

// A page without figures streams none.
func TestNoFigures(t *testing.T) {
	m, err := sojourn.New(memstore.New(), sojourn.Config{})
	if err != nil {
		t.Fatal(err)
	}
	h, err := admin.New(m, admin.Config{Authorize: func(*http.Request) (string, error) { return "root", nil }})
	if err != nil {
		t.Fatal(err)
	}
	b := sojourntest.NewBrowser(t, m, h)
	lacks(t, want(t, b.Get("/"), 200), "live.js", "figures-title")
	want(t, b.Get("/figures"), 404)
}
