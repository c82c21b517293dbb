package suite

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/coder/websocket"

	"github.com/gosojourn/sojourn"
)

// A story is one case.
type story struct {
	name  string
	tell  func(s *stage) Result
	http1 bool // there is no such thing on HTTP/2
}

var cases = []story{
	{"login: a new token, in a `__Host-` cookie with `Secure`, `HttpOnly`, `SameSite=Lax`", login, false},
	{"login and logout answer with a redirect, and the cookie is in it", redirect, false},
	{"a flash message is shown once", flash, false},
	{"40 additions at once are 40", additions, false},
	{"a logout is final: a slow request from before brings nothing back", logout, false},
	{"the save fails: 503, with nothing of the page", saveFails, false},
	{"the store is down: 503, the cookie stays, and nobody has to log in again", storeDown, false},
	{"streaming: cookie and first part arrive while the handler goes on", streams, false},
	{"a page that asks for nothing: no question to the store, no cookie, no `Vary`", asksNothing, false},
	{"a page that reads: `Vary: Cookie`; a response with a token: `no-store`", caching, false},
	{"a panic: 500, and nothing of it saved", panics, false},
	{"a panic after `Commit`: 500, and the token arrives", panicsLater, false},
	{"a login after the first byte is refused and told, or its cookie arrives (a buffer was between)", late, false},
	{"the framework's own error response (409): what was changed is saved", refuses, false},
	{"an unknown path: 404, no question to the store", nowhere, false},
	{"the client hangs up: what was changed is saved", hangsUp, false},
	{"a WebSocket knows who it is, and ends with the session", chat, true},
}

func login(s *stage) Result {
	v := s.visitor()
	v.ask("add")
	before := v.twin()
	r := v.ask("login")
	c := r.cookie
	switch {
	case c == nil:
		return s.fault("no cookie: %+v", r)
	case !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.MaxAge != 0 || len(r.header["Set-Cookie"]) != 1:
		return s.fault("%q", r.header["Set-Cookie"])
	case before.token() == "" || c.Value == before.token():
		return s.fault("the token is the old one, or there was none: %q", before.token())
	}
	if r := v.ask("home"); !r.says("Hello ann") || !strings.Contains(r.body, "cart: 1") {
		return s.fault("afterwards: %+v", r)
	}
	if r := before.ask("home"); !r.says("Hello stranger") {
		return s.fault("with the old token: %+v", r)
	}
	return Yes
}

func redirect(s *stage) Result {
	if s.lacks("redirect") {
		return None
	}
	v := s.visitor()
	if r := v.ask("login"); r.status != http.StatusSeeOther || r.header.Get("Location") != "/" || r.cookie == nil {
		return s.fault("login: %+v", r)
	}
	if r := v.ask("logout"); r.status != http.StatusSeeOther || r.cookie == nil || r.cookie.MaxAge >= 0 {
		return s.fault("logout: %+v", r)
	}
	return Yes
}

func flash(s *stage) Result {
	v := s.visitor()
	v.ask("login")
	if first, second := v.ask("home"), v.ask("home"); !first.says("Welcome!") || !second.says("Hello ann") || second.says("Welcome!") {
		return s.fault("first %+v, then %+v", first, second)
	}
	return Yes
}

func additions(s *stage) Result {
	v := s.visitor()
	v.ask("login")
	var wg sync.WaitGroup
	for range 40 {
		wg.Go(func() { v.ask("add") })
	}
	wg.Wait()
	if r := v.ask("home"); !r.says("cart: 40") {
		return s.fault("%+v", r)
	}
	return Yes
}

func logout(s *stage) Result {
	v := s.visitor()
	v.ask("login")
	slow := v.twin()
	entered, leave := s.slowly()
	defer leave()
	done := make(chan reply, 1)
	go func() { done <- slow.ask("slow") }()
	if !entered() {
		return s.fault("the slow page was not reached")
	}
	token := v.twin()
	v.ask("logout")
	leave()
	if r := <-done; r.cookie != nil || r.err != nil {
		return s.fault("the slow page: %+v", r)
	}
	if r := token.ask("home"); !r.says("Hello stranger") {
		return s.fault("with the old token: %+v", r)
	}
	return Yes
}

func saveFails(s *stage) Result {
	v := s.visitor()
	v.ask("login")
	v.ask("home")
	s.gate.set("writes")
	r := v.ask("add")
	s.gate.set("")
	if r.err != nil || r.status != http.StatusServiceUnavailable || r.cookie != nil || strings.Contains(r.body, "cart") ||
		strings.TrimSpace(r.body) != "Service Unavailable" {
		return s.fault("%+v", r)
	}
	if r := v.ask("home"); !r.says("Hello ann. In your cart: 0") {
		return s.fault("afterwards: %+v", r)
	}
	return Yes
}

func storeDown(s *stage) Result {
	v := s.visitor()
	v.ask("login")
	v.ask("home")
	s.gate.set("all")
	for _, page := range []string{"home", "add"} {
		if r := v.ask(page); r.err != nil || r.status != http.StatusServiceUnavailable || r.cookie != nil || strings.TrimSpace(r.body) != "Service Unavailable" {
			return s.fault("%s: %+v", page, r)
		}
	}
	s.gate.set("")
	if r := v.ask("home"); !r.says("Hello ann") {
		return s.fault("afterwards: %+v", r)
	}
	return Yes
}

func streams(s *stage) Result {
	if s.lacks("stream") {
		return None
	}
	v := s.visitor()
	entered, leave := s.slowly()
	defer leave()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	type header struct {
		res *http.Response
		err error
	}
	came := make(chan header, 1)
	go func() {
		res, err := v.open(ctx, "stream", "")
		came <- header{res, err}
	}()
	if !entered() {
		return s.fault("the stream did not begin")
	}
	// Whoever keeps the beginning back keeps the header back, too: then nothing comes until it is over.
	var h header
	select {
	case h = <-came:
	case <-ctx.Done():
		return s.fault("the header did not come while the handler went on")
	}
	if h.err != nil {
		return s.fault("%v", h.err)
	}
	defer h.res.Body.Close()
	part := make([]byte, 0, 512)
	for !strings.Contains(string(part), "one") {
		n, err := h.res.Body.Read(part[len(part):cap(part)])
		part = part[:len(part)+n]
		if err != nil || len(part) == cap(part) {
			return s.fault("the first part is %q: %v", part, err)
		}
	}
	if sessionCookie(h.res) == nil {
		return s.fault("the cookie is not in the header: %v", h.res.Header)
	}
	if r := v.ask("home"); !r.says("cart: 1") {
		return s.fault("while it goes on: %+v", r)
	}
	leave()
	if rest, err := io.ReadAll(h.res.Body); err != nil || !strings.Contains(string(part)+string(rest), "two") {
		return s.fault("the rest is %q: %v", rest, err)
	}
	return Yes
}

func asksNothing(s *stage) Result {
	v := s.visitor()
	v.ask("login")
	s.gate.set("")
	r := v.ask("about")
	if !r.says("About us") || r.cookie != nil || varies(r) || s.gate.asked() != 0 {
		return s.fault("%+v, %d questions", r, s.gate.asked())
	}
	return Yes
}

func varies(r reply) bool { return strings.Contains(strings.Join(r.header["Vary"], ","), "Cookie") }

func caching(s *stage) Result {
	v := s.visitor()
	if r := v.ask("login"); !strings.Contains(r.header.Get("Cache-Control"), "no-store") || !varies(r) {
		return s.fault("login: %v", r.header)
	}
	if r := v.ask("home"); !varies(r) {
		return s.fault("home: %v", r.header)
	}
	return Yes
}

func panics(s *stage) Result {
	v := s.visitor()
	v.ask("login")
	v.ask("home")
	if r := v.ask("break"); r.status != http.StatusInternalServerError || r.cookie != nil {
		return s.fault("%+v", r)
	}
	if r := v.ask("home"); !r.says("cart: 0") {
		return s.fault("afterwards: %+v", r)
	}
	return Yes
}

func panicsLater(s *stage) Result {
	v := s.visitor()
	v.ask("add")
	if r := v.ask("breaklater"); r.status != http.StatusInternalServerError || r.cookie == nil {
		return s.fault("%+v", r)
	}
	if r := v.ask("home"); !r.says("Hello ann. Welcome! In your cart: 1") {
		return s.fault("afterwards: %+v", r)
	}
	return Yes
}

func late(s *stage) Result {
	v := s.visitor()
	told := s.events(sojourn.EventTooLate)
	r := v.ask("late")
	if r.says("logged in") && r.cookie != nil && v.ask("home").says("Hello late") {
		return Yes
	}
	if !r.says("refused") || !r.says("first") || r.cookie != nil {
		return s.fault("%+v", r)
	}
	if s.events(sojourn.EventTooLate) != told+1 {
		return s.fault("it was told %d times", s.events(sojourn.EventTooLate)-told)
	}
	return Yes
}

func refuses(s *stage) Result {
	v := s.visitor()
	if r := v.ask("refuse"); r.status != http.StatusConflict || !strings.Contains(r.body, "sold out") || r.cookie == nil {
		return s.fault("%+v", r)
	}
	if r := v.ask("home"); !r.says("cart: 1") {
		return s.fault("afterwards: %+v", r)
	}
	return Yes
}

func nowhere(s *stage) Result {
	v := s.visitor()
	v.ask("login")
	s.gate.set("")
	if r := v.ask("nowhere"); r.status != http.StatusNotFound || r.cookie != nil || s.gate.asked() != 0 {
		return s.fault("%+v, %d questions", r, s.gate.asked())
	}
	return Yes
}

func hangsUp(s *stage) Result {
	if s.lacks("hang-up") {
		return None
	}
	v := s.visitor()
	v.ask("login")
	v.ask("home")
	entered, leave := s.slowly()
	defer leave()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		if res, err := v.open(ctx, "slow", ""); err == nil {
			res.Body.Close()
		}
	}()
	if !entered() {
		return s.fault("the slow page was not reached")
	}
	cancel()
	<-done
	leave()
	if !within(func() bool { return v.ask("home").says("That took long.") }) {
		return s.fault("it was not saved")
	}
	return Yes
}

func chat(s *stage) Result {
	if s.lacks("chat") {
		return None
	}
	v := s.visitor()
	v.ask("login")
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	client := &http.Client{Jar: v.jar, Transport: &http.Transport{TLSClientConfig: &tls.Config{
		RootCAs: s.srv.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}}}
	conn, _, err := websocket.Dial(ctx, v.url("/chat").String(), &websocket.DialOptions{HTTPClient: client})
	if err != nil {
		return s.fault("%v", err)
	}
	defer conn.CloseNow()
	if _, text, err := conn.Read(ctx); err != nil || string(text) != "Hello ann" {
		return s.fault("%q, %v", text, err)
	}
	for _, want := range []websocket.StatusCode{-1, websocket.StatusPolicyViolation} {
		if err := conn.Write(ctx, websocket.MessageText, []byte("there?")); err != nil {
			return s.fault("%v", err)
		}
		if _, text, err := conn.Read(ctx); websocket.CloseStatus(err) != want {
			return s.fault("%q, %v", text, err)
		}
		v.ask("logout")
	}
	return Yes
}
