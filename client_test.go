package sojourn_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sealed"
	"github.com/gosojourn/sojourn/sojourntest"
)

const (
	firefoxOnLinux   = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
	firefoxNewer     = "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0"
	firefoxOnWindows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
	chromeOnLinux    = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36"
	chromeOnAndroid  = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile Safari/537.36"
)

func TestSameClient(t *testing.T) {
	for _, c := range []struct {
		what, login, now string
		want             sojourn.ClientVerdict
	}{
		{"the same", firefoxOnLinux, firefoxOnLinux, sojourn.ClientAllow},
		{"an upgrade", firefoxOnLinux, firefoxNewer, sojourn.ClientAllow},
		{"another system", firefoxOnLinux, firefoxOnWindows, sojourn.ClientChallenge},
		{"another browser", firefoxOnLinux, chromeOnLinux, sojourn.ClientChallenge},
		{"a phone that asks for the desktop's page", chromeOnAndroid, chromeOnLinux, sojourn.ClientAllow},
		{"a program", firefoxOnLinux, "curl/8.14.1", sojourn.ClientChallenge},
		{"a program's upgrade", "curl/8.14.0", "curl/8.14.1", sojourn.ClientAllow},
		{"nothing any more", firefoxOnLinux, "", sojourn.ClientChallenge},
		{"something now", "", firefoxOnLinux, sojourn.ClientAllow},
		{"never anything", "", "", sojourn.ClientAllow},
	} {
		login := sojourn.Device{Agent: c.login, Addr: "192.0.2.7", Label: "one"}
		now := sojourn.Device{Agent: c.now, Addr: "2001:db8::1", Label: "another"} // another network
		if v := sojourn.SameClient(login, now); v != c.want {
			t.Errorf("%s: %d, want %d", c.what, v, c.want)
		}
	}
}

// A clientSite keeps clients' User-Agents, and has a page behind RequireSameClient.
type clientSite struct {
	t     *testing.T
	m     *sojourn.Manager
	page  http.Handler
	store *sojourntest.FaultyStore
	log   bytes.Buffer

	mu     sync.Mutex
	told   []sojourn.Event
	served int // pages behind RequireSameClient
}

func newClientSite(t *testing.T, seal bool, compare func(login, now sojourn.Device) sojourn.ClientVerdict) *clientSite {
	t.Helper()
	s := &clientSite{t: t, store: &sojourntest.FaultyStore{Store: memstore.New()}}
	cfg := sojourn.Config{
		Device: func(r *http.Request) sojourn.Device {
			return sojourn.Device{Agent: r.Header.Get("User-Agent")}
		},
		OnEvent: func(_ context.Context, e sojourn.Event) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.told = append(s.told, e)
		},
		Logger: slog.New(slog.NewTextHandler(&s.log, nil)),
	}
	var err error
	if s.m, err = sojourn.New(s.store, cfg); seal {
		s.m = newSealed(t, cfg, sealed.GenerateKey())
	}
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/login", func(_ http.ResponseWriter, r *http.Request) { _ = s.m.Login(r.Context(), "ann") })
	mux.HandleFunc("/put", func(_ http.ResponseWriter, r *http.Request) { name.Put(r.Context(), "gopher") })
	again := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "log in again, %q", s.m.Info(r.Context()).Owner)
	})
	mux.Handle("/", s.m.RequireSameClient(compare, again)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.served++
		s.mu.Unlock()
		fmt.Fprintf(w, "the page of %q", s.m.Info(r.Context()).Owner)
	})))
	s.page = s.m.LoadAndSave(mux)
	return s
}

// ask answers the status, the body, and the cookie to send next: "" if that was expired.
func (s *clientSite) ask(path, cookie, agent string) (code int, body, next string) {
	r := httptest.NewRequest("GET", "https://sojourn.test"+path, nil)
	r.Header["User-Agent"] = []string{agent}
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	w := httptest.NewRecorder()
	s.page.ServeHTTP(w, r)
	if set := w.Header().Get("Set-Cookie"); strings.Contains(set, "Max-Age=0") {
		cookie = ""
	} else if set != "" {
		cookie, _, _ = strings.Cut(set, ";")
	}
	return w.Code, w.Body.String(), cookie
}

func (s *clientSite) wants(cookie, agent, want string) {
	s.t.Helper()
	if code, body, _ := s.ask("/", cookie, agent); code != 200 || body != want {
		s.t.Errorf("as %.40q: %d %q, want %q", agent, code, body, want)
	}
}

func (s *clientSite) reasons(name sojourn.EventName) (all []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.told {
		if e.Name == name {
			all = append(all, e.Reason)
		}
	}
	return all
}

// O43: an upgrade passes. Another system is asked to log in, which ends the question, and the session lives meanwhile.
func TestClientChallenge(t *testing.T) {
	for kind, seal := range map[string]bool{"a store": false, "sealed": true} {
		t.Run(kind, func(t *testing.T) {
			s := newClientSite(t, seal, nil)
			_, _, ann := s.ask("/login", "", firefoxOnLinux)
			s.wants(ann, firefoxOnLinux, `the page of "ann"`)
			s.wants(ann, firefoxNewer, `the page of "ann"`)
			s.wants(ann, firefoxOnWindows, `log in again, "ann"`)
			s.wants(ann, "", `log in again, "ann"`) // a thief who says nothing
			s.wants(ann, firefoxOnLinux, `the page of "ann"`)
			if got := fmt.Sprint(s.reasons(sojourn.EventClientChanged)); got != "[challenge challenge]" {
				t.Errorf("told of %s", got)
			}
			_, _, ann = s.ask("/login", ann, firefoxOnWindows)
			s.wants(ann, firefoxOnWindows, `the page of "ann"`)
		})
	}
}

// A proxy that takes User-Agent away costs one login.
func TestClientWithoutAgent(t *testing.T) {
	s := newClientSite(t, false, nil)
	_, _, ann := s.ask("/login", "", firefoxOnLinux)
	s.wants(ann, "", `log in again, "ann"`)
	_, _, ann = s.ask("/login", ann, "")
	for _, agent := range []string{"", firefoxOnLinux, ""} {
		s.wants(ann, agent, `the page of "ann"`)
	}
}

// Where nobody is logged in, or nothing is known of who is, nothing is compared.
func TestClientOfVisitors(t *testing.T) {
	s := newClientSite(t, false, func(_, _ sojourn.Device) sojourn.ClientVerdict {
		t.Error("a client of which nothing is known is judged")
		return sojourn.ClientRevoke
	})
	s.wants("", firefoxOnLinux, `the page of ""`)
	_, _, visitor := s.ask("/put", "", firefoxOnLinux)
	s.wants(visitor, firefoxOnWindows, `the page of ""`)
	_, _, ann := s.ask("/login", "", "")
	s.wants(ann, firefoxOnWindows, `the page of "ann"`)
}

// After a verdict of revoke the session has ended for everybody, and the event says why. A verdict that is none is a
// challenge.
func TestClientRevoke(t *testing.T) {
	verdict := sojourn.ClientRevoke
	s := newClientSite(t, false, func(login, now sojourn.Device) sojourn.ClientVerdict {
		if login.Agent == now.Agent {
			return sojourn.ClientAllow
		}
		return verdict
	})
	long := strings.Repeat("long ", 100) + "\x00\n" // what is kept is cut and cleaned, and so is what it is compared with
	_, _, ann := s.ask("/login", "", long)
	s.wants(ann, long, `the page of "ann"`)
	verdict = 7
	s.wants(ann, firefoxOnLinux, `log in again, "ann"`)
	verdict = sojourn.ClientRevoke
	code, body, next := s.ask("/", ann, firefoxOnLinux)
	if code != 200 || body != `log in again, ""` || next != "" {
		t.Errorf("%d %q, and the cookie is %q", code, body, next)
	}
	s.wants(ann, long, `the page of ""`)
	if got := fmt.Sprint(s.reasons(sojourn.EventClientChanged), s.reasons(sojourn.EventEnded)); got != "[challenge revoke] [client_changed]" {
		t.Errorf("told of %s", got)
	}
	if log := s.log.String(); !strings.Contains(log, "level=WARN") || !strings.Contains(log, "reason=revoke") {
		t.Errorf("the log says\n%s", log)
	}
}

// A sealed session ends in the browser that asked.
func TestClientRevokeSealed(t *testing.T) {
	s := newClientSite(t, true, func(_, _ sojourn.Device) sojourn.ClientVerdict { return sojourn.ClientRevoke })
	_, _, ann := s.ask("/login", "", firefoxOnLinux)
	if code, body, next := s.ask("/", ann, firefoxOnLinux); code != 200 || body != `log in again, ""` || next != "" {
		t.Errorf("%d %q, and the cookie is %q", code, body, next)
	}
}

// A store that cannot say who is logged in, or cannot end the session, is 503: neither page is served, and no cookie touched.
func TestClientWhileTheStoreIsDown(t *testing.T) {
	s := newClientSite(t, false, nil)
	_, _, ann := s.ask("/login", "", firefoxOnLinux)
	down := errors.New("no route to host")
	s.store.Fail(down)
	if code, body, next := s.ask("/", ann, firefoxOnWindows); code != 503 || strings.Contains(body, "ann") || next != ann {
		t.Errorf("nobody can tell who it is: %d %q, and the cookie is %q", code, body, next)
	}
	s.store.Fail(nil)
	if got := s.reasons(sojourn.EventClientChanged); got != nil || s.served > 0 {
		t.Errorf("told of %v, and %d pages were served", got, s.served)
	}

	s = newClientSite(t, false, func(_, _ sojourn.Device) sojourn.ClientVerdict {
		s.store.Fail(down) // between the verdict and the end
		return sojourn.ClientRevoke
	})
	_, _, ann = s.ask("/login", "", firefoxOnLinux)
	if code, body, next := s.ask("/", ann, firefoxOnWindows); code != 503 || strings.Contains(body, "log in") || next != ann {
		t.Errorf("it cannot be ended: %d %q, and the cookie is %q", code, body, next)
	}
	s.store.Fail(nil)
	last := s.told[len(s.told)-1]
	if last.Name != sojourn.EventClientChanged || last.Reason != "revoke" || !sojourn.Unavailable(last.Err) || s.reasons(sojourn.EventEnded) != nil {
		t.Errorf("told of %+v", last)
	}
}

// Requests of a thief and of the person at once: each is judged by what it says, and the session ends.
func TestClientsAtOnce(t *testing.T) {
	s := newClientSite(t, false, func(login, now sojourn.Device) sojourn.ClientVerdict {
		if sojourn.SameClient(login, now) == sojourn.ClientAllow {
			return sojourn.ClientAllow
		}
		return sojourn.ClientRevoke
	})
	_, _, ann := s.ask("/login", "", firefoxOnLinux)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				if _, body, _ := s.ask("/", ann, firefoxNewer); strings.Contains(body, "again") {
					t.Errorf("the person is told %q", body)
				}
			}
		})
		wg.Go(func() {
			if _, body, _ := s.ask("/", ann, chromeOnLinux); strings.Contains(body, "ann") {
				t.Errorf("the thief is shown %q", body)
			}
		})
	}
	wg.Wait()
	s.wants(ann, firefoxOnLinux, `the page of ""`)
	// Of two that end it at once each may find it gone when it looks again, and then says that it has ended.
	if ends := s.reasons(sojourn.EventEnded); len(ends) == 0 || len(ends) > 8 {
		t.Errorf("the session ended %d times: %v", len(ends), ends)
	}
}

func TestRequireSameClientWithoutDevice(t *testing.T) {
	defer func() {
		if v := fmt.Sprint(recover()); !strings.Contains(v, "Config.Device is not set") {
			t.Errorf("panic: %s", v)
		}
	}()
	newManager(t, sojourn.Config{}).RequireSameClient(nil, http.NotFoundHandler())
}

// A mark is the same for the same token, whatever else the request shows, and there is none without a token.
func TestShows(t *testing.T) {
	m := newManager(t, sojourn.Config{})
	mark := func(cookie string) (uint64, bool) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Cookie", cookie)
		return m.Shows(r)
	}
	a, ok := mark("__Host-Http-id=aaaa")
	b, ok2 := mark("theme=dark; __Host-Http-id=aaaa; seen=7")
	if !ok || !ok2 || a != b {
		t.Errorf("%x %v beside other cookies %x %v", a, ok, b, ok2)
	}
	if c, _ := mark("__Host-Http-id=aaab"); c == a {
		t.Error("two tokens have one mark")
	}
	for _, cookie := range []string{"", "theme=dark", "__Host-Http-id="} {
		if _, ok := mark(cookie); ok {
			t.Errorf("%q shows a token", cookie)
		}
	}
}
