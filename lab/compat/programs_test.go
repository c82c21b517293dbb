package compat_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	goconnect "connectrpc.com/connect"
	coder "github.com/coder/websocket"
	gogin "github.com/gin-gonic/gin"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/lab/compat/connect"
	"github.com/gosojourn/sojourn/lab/compat/datastar"
	"github.com/gosojourn/sojourn/lab/compat/gin"
	"github.com/gosojourn/sojourn/lab/compat/htmx"
	"github.com/gosojourn/sojourn/lab/compat/proxy"
	"github.com/gosojourn/sojourn/lab/compat/shop"
	"github.com/gosojourn/sojourn/lab/compat/sse"
	"github.com/gosojourn/sojourn/lab/compat/suite"
	"github.com/gosojourn/sojourn/lab/compat/templ"
	"github.com/gosojourn/sojourn/lab/compat/timeout"
	"github.com/gosojourn/sojourn/lab/compat/websocket"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sojourntest"
)

// A site is a program on a server, and one browser before it.
type site struct {
	*shop.Shop
	*http.Client
	t     *testing.T
	url   string
	store *sojourntest.FaultyStore
	log   *synced

	mu   sync.Mutex
	seen []sojourn.Event
}

// synced is a log that several may write.
type synced struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *synced) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *synced) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func serve(t *testing.T, program func(*shop.Shop) http.Handler) *site {
	t.Helper()
	s := &site{t: t, store: &sojourntest.FaultyStore{Store: memstore.New()}, log: &synced{}}
	m, err := sojourn.New(s.store, sojourn.Config{
		Logger: slog.New(slog.NewTextHandler(s.log, nil)),
		OnEvent: func(_ context.Context, e sojourn.Event) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.seen = append(s.seen, e)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Shop = &shop.Shop{Sessions: m}
	srv := httptest.NewUnstartedServer(program(s.Shop))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	s.url, s.Client = srv.URL, srv.Client()
	s.Jar, s.Timeout = jar, suite.Patience
	s.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return s
}

func (s *site) events(n sojourn.EventName, reason string) (sum int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.seen {
		if e.Name == n && e.Reason == reason {
			sum++
		}
	}
	return sum
}

// ask sends a form, or nothing, with those headers, and reads the answer to its end.
func (s *site) ask(method, path string, form url.Values, header ...string) (*http.Response, string) {
	s.t.Helper()
	r, err := http.NewRequest(method, s.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := s.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	return res, string(body)
}

func (s *site) login() {
	s.t.Helper()
	if res, _ := s.ask("POST", "/login", url.Values{"name": {"ann"}}); res.Header.Get("Set-Cookie") == "" {
		s.t.Fatalf("login: %s %v", res.Status, res.Header)
	}
}

// Server-sent events come as they are sent, with the cookie of a session that they begin, and end at logout.
func TestServerSentEvents(t *testing.T) {
	s := serve(t, func(s *shop.Shop) http.Handler { return sse.New(s, 5*time.Millisecond) })
	ctx, cancel := context.WithTimeout(t.Context(), suite.Patience)
	defer cancel()
	s.login()
	r, _ := http.NewRequestWithContext(ctx, "GET", s.url+"/events", nil)
	res, err := s.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	events := bufio.NewScanner(res.Body)
	for n := 0; n < 3 && events.Scan(); {
		switch events.Text() {
		case "":
		case "data: ann":
			n++
		default:
			t.Fatalf("an event says %q", events.Text())
		}
	}
	s.ask("POST", "/logout", nil)
	for events.Scan() {
	}
	if err := events.Err(); err != nil {
		t.Errorf("the stream did not end with the session: %v", err)
	}

	stranger := serve(t, func(s *shop.Shop) http.Handler { return sse.New(s, time.Hour) })
	res, err = stranger.Get(stranger.url + "/events")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.Header.Get("Set-Cookie") == "" {
		t.Error("a session that begins with a stream is not in its header")
	}
}

// NewSSE sends the header: what comes before it is in the cookie, what comes after is refused and told.
func TestDatastar(t *testing.T) {
	s := serve(t, datastar.New)
	r, _ := http.NewRequest("POST", s.url+"/login", strings.NewReader(`{"name":"ann"}`))
	res, err := s.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	res.Body.Close()
	if err != nil || res.Header.Get("Set-Cookie") == "" || !strings.Contains(string(body), "Hello ann. Welcome!") {
		t.Errorf("%v %q %v", res.Header, body, err)
	}
	if res, body := s.ask("POST", "/late", nil); res.Header.Get("Set-Cookie") != "" || !strings.Contains(body, "refused") || s.events(sojourn.EventTooLate, "") != 1 {
		t.Errorf("late: %v %q", res.Header, body)
	}
}

// Both WebSocket libraries know who it is, and the connection ends with the session.
func TestWebSockets(t *testing.T) {
	for _, path := range []string{"/coder", "/gorilla"} {
		s := serve(t, func(s *shop.Shop) http.Handler { return websocket.New(s, 5*time.Millisecond) })
		s.login()
		conn, _, err := s.dial(path)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		defer conn.CloseNow()
		ctx, cancel := context.WithTimeout(t.Context(), suite.Patience)
		defer cancel()
		if _, text, err := conn.Read(ctx); err != nil || string(text) != "Hello ann" {
			t.Errorf("%s: %q %v", path, text, err)
		}
		s.ask("POST", "/logout", nil)
		if _, _, err := conn.Read(ctx); coder.CloseStatus(err) != coder.StatusPolicyViolation {
			t.Errorf("%s: after the logout: %v", path, err)
		}
	}
}

// A session that begins before the upgrade: coder's 101 has its cookie; gorilla's Upgrade, which writes its own
// header, fails, and leaves no orphan.
func TestWebSocketBeginsASession(t *testing.T) {
	s := serve(t, func(s *shop.Shop) http.Handler { return websocket.New(s, time.Hour) })
	conn, res, err := s.dial("/coder")
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.CloseNow()
	if res.Header.Get("Set-Cookie") == "" {
		t.Error("coder: the 101 has no cookie")
	}
	s.Jar, _ = cookiejar.New(nil)
	if _, res, err = s.dial("/gorilla/first"); err == nil || res == nil || res.StatusCode != http.StatusInternalServerError {
		t.Errorf("gorilla: %v, %v", res, err)
	}
}

func (s *site) dial(path string) (*coder.Conn, *http.Response, error) {
	ctx, cancel := context.WithTimeout(s.t.Context(), suite.Patience)
	defer cancel()
	trust := s.Transport.(*http.Transport).TLSClientConfig.RootCAs
	client := &http.Client{Jar: s.Jar, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trust}}}
	return coder.Dial(ctx, s.url+path, &coder.DialOptions{HTTPClient: client})
}

// A gateway tells its backend who asks, and not by which token; nobody gets there while that cannot be told.
func TestGateway(t *testing.T) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, "owner %q, cookies %q", r.Header.Get("X-Owner"), r.Header["Cookie"])
	}))
	defer backend.Close()
	to, err := url.Parse(backend.URL)
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, func(s *shop.Shop) http.Handler { return proxy.Gateway(s, to) })
	if _, body := s.ask("GET", "/app/", nil, "X-Owner", "root"); body != `owner "", cookies []` {
		t.Errorf("a stranger: %s", body)
	}
	s.login()
	if _, body := s.ask("GET", "/app/", nil, "X-Owner", "root"); body != `owner "ann", cookies []` {
		t.Errorf("ann: %s", body)
	}
	s.store.Fail(io.ErrUnexpectedEOF)
	if res, body := s.ask("GET", "/app/", nil); res.StatusCode != http.StatusServiceUnavailable || strings.Contains(body, "owner") {
		t.Errorf("with the store down: %s %q", res.Status, body)
	}
}

// htmx is sent to the login page, and not given it as a part; parts and pages are kept apart in caches.
func TestHtmx(t *testing.T) {
	s := serve(t, htmx.New)
	if res, _ := s.ask("GET", "/cart", nil); res.StatusCode != http.StatusSeeOther {
		t.Errorf("a page, not logged in: %s", res.Status)
	}
	if res, body := s.ask("GET", "/cart", nil, "HX-Request", "true"); res.Header.Get("HX-Redirect") != "/login" || body != "" {
		t.Errorf("a part, not logged in: %s %v %q", res.Status, res.Header, body)
	}
	s.login()
	res, body := s.ask("GET", "/cart", nil, "HX-Request", "true")
	if v := strings.Join(res.Header["Vary"], ", "); strings.Contains(body, "doctype") || !strings.Contains(body, "Hello ann") || !strings.Contains(v, "HX-Request") || !strings.Contains(v, "Cookie") {
		t.Errorf("a part: %v %q", res.Header, body)
	}
	if res, _ := s.ask("POST", "/add", nil, "HX-Request", "true"); res.Header.Get("HX-Trigger") != "added" {
		t.Errorf("add: %v", res.Header)
	}
	s.store.Fail(io.ErrUnexpectedEOF)
	if res, body := s.ask("POST", "/add", nil, "HX-Request", "true"); res.StatusCode != 503 || res.Header.Get("HX-Trigger") != "" || strings.Contains(body, "cart") {
		t.Errorf("with the store down: %s %v %q", res.Status, res.Header, body)
	}
}

// Components ask the session by their context. A streamed page is committed before its first byte, so what a
// component changes there is saved behind it, where that needs no token.
func TestTempl(t *testing.T) {
	s := serve(t, templ.New)
	s.login()
	for _, path := range []string{"/", "/greeting", "/streamed"} {
		s.login()
		if _, body := s.ask("GET", path, nil); !strings.Contains(body, "Hello ann. Welcome!") || strings.Contains(body, "<html") == (path == "/greeting") {
			t.Errorf("%s: %q", path, body)
		}
		if _, body := s.ask("GET", "/", nil); strings.Contains(body, "Welcome!") {
			t.Errorf("%s: the message is shown again", path)
		}
	}
	s.login()
	s.store.Fail(io.ErrUnexpectedEOF)
	if res, body := s.ask("GET", "/", nil); res.StatusCode != 503 || strings.Contains(body, "Hello") {
		t.Errorf("with the store down: %s %q", res.Status, body)
	}
}

// Inside, who is late has changed nothing. Outside, the 503 is sent first: what needs a token is refused, and
// the rest is saved behind an answer that says otherwise.
func TestTimeoutHandler(t *testing.T) {
	for what, program := range map[string]func(*shop.Shop, time.Duration) http.Handler{"inside": timeout.Inside, "outside": timeout.Outside} {
		var gate atomic.Value
		s := serve(t, func(s *shop.Shop) http.Handler {
			s.Pause = func() { <-gate.Load().(chan struct{}) }
			mux := http.NewServeMux()
			mux.Handle("/slow", program(s, 50*time.Millisecond))
			mux.Handle("/", program(s, time.Hour)) // or a busy machine would be too late for it
			return mux
		})
		slow := func() {
			late := make(chan struct{})
			gate.Store(late)
			if res, body := s.ask("POST", "/slow", nil); res.StatusCode != 503 || body != "That took too long." || res.Header.Get("Set-Cookie") != "" {
				t.Errorf("%s: %s %q", what, res.Status, body)
			}
			close(late)
		}
		slow()
		if what == "outside" && !eventually(func() bool { return s.events(sojourn.EventTooLate, "") == 1 }) {
			t.Error("outside: nobody was told that the token could not be sent")
		}
		s.login()
		s.ask("GET", "/", nil)
		slow()
		changed := func() bool {
			_, body := s.ask("GET", "/", nil)
			return strings.Contains(body, "That took long.")
		}
		if what == "outside" && !eventually(changed) {
			t.Error("outside: the change behind the 503 is not saved")
		}
		if what == "inside" && (changed() || s.events(sojourn.EventCreated, "") != 1) {
			t.Error("inside: a handler that was given up has changed something")
		}
	}
}

func eventually(ok func() bool) bool {
	for end := time.Now().Add(suite.Patience); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if ok() {
			return true
		}
	}
	return ok()
}

// Gin's own context has no session, and says so.
func TestGinContext(t *testing.T) {
	for _, fallback := range []bool{false, true} {
		var said any
		s := serve(t, func(s *shop.Shop) http.Handler {
			engine := gogin.New()
			engine.ContextWithFallback = fallback
			engine.GET("/", func(c *gogin.Context) {
				defer func() { said = recover() }()
				s.Home(c)
			})
			return s.Sessions.LoadAndSave(engine)
		})
		s.ask("GET", "/", nil)
		if text := fmt.Sprint(said); fallback != (said == nil) || !fallback && !strings.Contains(text, "pass on r.Context()") {
			t.Errorf("with ContextWithFallback %v: %v", fallback, text)
		}
	}
}

// Connect's own client reads the 503 as unavailable, and keeps the cookie.
func TestConnectClient(t *testing.T) {
	s := serve(t, connect.New)
	login := goconnect.NewClient[wrapperspb.StringValue, emptypb.Empty](s.Client, s.url+connect.Service+"Login")
	home := goconnect.NewClient[emptypb.Empty, wrapperspb.StringValue](s.Client, s.url+connect.Service+"Home")
	if _, err := login.CallUnary(t.Context(), goconnect.NewRequest(wrapperspb.String("ann"))); err != nil {
		t.Fatal(err)
	}
	if res, err := home.CallUnary(t.Context(), goconnect.NewRequest(&emptypb.Empty{})); err != nil || !strings.Contains(res.Msg.GetValue(), "Hello ann") {
		t.Fatalf("%v %v", res, err)
	}
	s.store.Fail(io.ErrUnexpectedEOF)
	if _, err := home.CallUnary(t.Context(), goconnect.NewRequest(&emptypb.Empty{})); goconnect.CodeOf(err) != goconnect.CodeUnavailable {
		t.Errorf("with the store down: %v", err)
	}
}

// The adapter that ignores the writer is told of, with what to do; the one that wraps the engine is not.
func TestGinWriters(t *testing.T) {
	s := serve(t, gin.Ignored)
	s.login() // a redirect without a body is sent when the engine is through: this is what deceives people
	if s.log.String() != "" {
		t.Errorf("the log:\n%s", s.log)
	}
	s.Jar = nil
	for range 2 {
		if res, _ := s.ask("POST", "/add", nil); res.Header.Get("Set-Cookie") != "" {
			t.Errorf("it does send cookies: %v", res.Header)
		}
	}
	if s.events(sojourn.EventBypassed, "") != 2 || s.events(sojourn.EventTooLate, "") != 2 || s.events(sojourn.EventCreated, "") != 1 {
		t.Errorf("events: %+v", s.seen)
	}
	if strings.Count(s.log.String(), "wrap the whole router in LoadAndSave") != 1 {
		t.Errorf("the log:\n%s", s.log)
	}
	s = serve(t, gin.New)
	s.login()
	s.ask("POST", "/add", nil)
	if s.events(sojourn.EventBypassed, "") != 0 || s.log.String() != "" {
		t.Errorf("the log:\n%s", s.log)
	}
}
