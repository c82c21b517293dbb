package compliance_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/sojourntest"
	"github.com/gosojourn/sojourn/throttle"
)

var eventChecks = map[string]check{
	"O42": anomaliesAreTold,
	"O43": all(clientIsKept, changedClientIsAsked),
	"O44": lifeIsTold,
	"O45": logHasNoToken,
	"O47": anomaliesAreTold,
	"O50": clientIsKept,
	"O51": all(clientIsKept, changedClientIsAsked),
	"V16": all(lifeIsTold, nothingIsInjected, failureLetsNobodyIn),
}

func deviceOf(r *http.Request) sojourn.Device {
	return sojourn.Device{Addr: r.RemoteAddr, Agent: r.UserAgent() + "agent", Label: "Firefox on Linux"}
}

func lifeIsTold(t *testing.T, open opener) {
	s := newSite(t, open(t), sojourn.Config{})
	visitor := s.begin("x")
	ann := s.post(visitor, s.login("ann")).set
	renewed := s.post(ann, s.renew).set
	s.post(renewed, s.logout)
	s.name(renewed)
	want := "session_created, session_renewed, authn_login_success, session_renewed, session_expired logout, session_token_refused token_unknown"
	var got []string
	for _, e := range s.events {
		got = append(got, strings.TrimSpace(fmt.Sprint(e.Name, " ", e.Reason)))
		if e.Time.Location() != time.UTC || e.Time.IsZero() {
			t.Errorf("%s at %v", e.Name, e.Time)
		}
	}
	if strings.Join(got, ", ") != want {
		t.Errorf("told: %s\nwant: %s", strings.Join(got, ", "), want)
	}
	if n := strings.Count(s.log.String(), "event="); n != len(got) {
		t.Errorf("%d lines in the log for %d events", n, len(got))
	}
}

func anomaliesAreTold(t *testing.T, open opener) {
	s := newSite(t, open(t), sojourn.Config{})
	ann := s.beginAs("ann")
	s.name("__Host-Http-id=nonsense")
	s.name(ann[:len(ann)-40] + strings.Repeat("A", 40))
	s.name(ann + "; " + s.beginAs("bob"))
	renewed := s.post(ann, s.renew).set
	s.name(ann)
	forged := request("POST", "")
	forged.Header.Set("Sec-Fetch-Site", "cross-site")
	s.send(forged, put("x"))
	if err := s.RevokeAll(t.Context(), "ann"); err != nil {
		t.Error(err)
	}
	s.name(renewed)
	for _, want := range []struct {
		name   sojourn.EventName
		reason string
	}{
		{sojourn.EventTokenRefused, "token_malformed"}, {sojourn.EventTokenRefused, "token_unknown"}, {sojourn.EventTokenRefused, "token_ambiguous"},
		{sojourn.EventUsedAfterEnd, "superseded"}, {sojourn.EventTokenRefused, "cross_site"}, {sojourn.EventEnded, "revoked"},
	} {
		if s.saw(want.name, want.reason) == 0 {
			t.Errorf("nothing is told of %s", want.reason)
		}
	}
}

func logHasNoToken(t *testing.T, open opener) {
	f := &sojourntest.FaultyStore{Store: open(t)}
	s := newSite(t, f, sojourn.Config{})
	c := s.beginAs("ann")
	tokens := []string{c, s.post(c, s.login("ann")).set}
	tokens = append(tokens, s.post(tokens[1], put("a private value")).set, s.post(tokens[1], s.renew).set)
	f.Fail(errors.New("no route to host"))
	s.post(tokens[3], put("a private value"))
	f.Fail(nil)
	s.post(tokens[3], s.logout)
	s.name(tokens[3])
	said := s.log.String() + fmt.Sprint(s.events)
	if len(said) < 500 {
		t.Fatalf("little is said: %s", said)
	}
	for _, c := range tokens {
		if len(value(c)) == 64 && strings.Contains(said, value(c)[24:]) {
			t.Error("a token is in the log")
		}
	}
	if strings.Contains(said, "private") {
		t.Error("a value is in the log")
	}
}

func nothingIsInjected(t *testing.T, open opener) {
	s := newSite(t, open(t), sojourn.Config{Device: func(*http.Request) sojourn.Device {
		return sojourn.Device{Agent: "evil\r\nevent=forged\u2028\x1b[31m"}
	}})
	c := s.beginAs("ann\nevent=forged")
	if agent := s.info(c).Device.Agent; strings.ContainsAny(agent, "\r\n\x1b\u2028") || !strings.HasPrefix(agent, "evil") {
		t.Errorf("the agent is kept as %q", agent)
	}
	s.post(c, s.logout)
	if strings.Contains(s.log.String(), "\nevent=forged") {
		t.Error("a client writes lines into the log")
	}
}

func failureLetsNobodyIn(t *testing.T, open opener) {
	f := &sojourntest.FaultyStore{Store: open(t)}
	s := newSite(t, f, sojourn.Config{})
	c := s.beginAs("ann")
	f.Fail(errors.New("no route to host"))
	for what, h := range map[string]http.HandlerFunc{
		"a read":  func(_ http.ResponseWriter, r *http.Request) { s.Info(r.Context()) },
		"a write": put("x"), "a login": s.login("ann"),
		"a logout": func(_ http.ResponseWriter, r *http.Request) { _ = s.Logout(r.Context()) },
	} {
		if a := s.post(c, h); a.Code != http.StatusServiceUnavailable || a.set != "" || a.expired {
			t.Errorf("%s: %d, cookie %q", what, a.Code, a.set)
		}
	}
	f.Fail(nil)
	if s.owner(c) != "ann" {
		t.Error("the outage has logged somebody out")
	}
}

func clientIsKept(t *testing.T, open opener) {
	s := newSite(t, open(t), sojourn.Config{Device: deviceOf})
	r := request("POST", "")
	r.Header.Set("User-Agent", "Mozilla/5.0 ")
	r.RemoteAddr = "192.0.2.1:1234"
	c := s.send(r, s.login("ann")).set
	s.post(c, func(_ http.ResponseWriter, r *http.Request) {
		kept, now := s.Info(r.Context()).Device, deviceOf(r)
		if kept != (sojourn.Device{Addr: "192.0.2.1:1234", Agent: "Mozilla/5.0 agent", Label: "Firefox on Linux"}) {
			t.Errorf("kept: %+v", kept)
		}
		if kept.Agent == now.Agent || kept.Label != now.Label {
			t.Errorf("the present client, %+v, cannot be told from the one that logged in, %+v", now, kept)
		}
	})
}

// A browser's upgrade passes; another system is asked for a login, and told of.
func changedClientIsAsked(t *testing.T, open opener) {
	s := newSite(t, open(t), sojourn.Config{Device: func(r *http.Request) sojourn.Device { return sojourn.Device{Agent: r.UserAgent()} }})
	with := func(agent, cookie string, h http.HandlerFunc) answer {
		r := request("POST", cookie)
		r.Header.Set("User-Agent", agent)
		return s.send(r, h)
	}
	const linux, newer, windows = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
		"Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0", "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
	page := s.RequireSameClient(sojourn.SameClient, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))(
		http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP
	c := with(linux, "", s.login("ann")).set
	for _, now := range []struct {
		agent string
		want  int
	}{{linux, http.StatusOK}, {newer, http.StatusOK}, {windows, http.StatusForbidden}} {
		if a := with(now.agent, c, page); a.Code != now.want {
			t.Errorf("%s is answered %d, want %d", now.agent, a.Code, now.want)
		}
	}
	if n := s.saw(sojourn.EventClientChanged, "challenge"); n != 1 {
		t.Errorf("%d changes are told", n)
	}
}

// Who guesses is told of, and answered 429; whoever shows nothing, or comes from elsewhere, is served.
func guessersAreRefused(t *testing.T, open opener) {
	told := ""
	guard, err := throttle.New(throttle.Config{Limit: 10, Logger: slog.New(slog.DiscardHandler), OnEvent: func(_ context.Context, e sojourn.Event) {
		told += fmt.Sprint(e.Name, " ", e.Network, "\n")
	}})
	if err != nil {
		t.Fatal(err)
	}
	m, err := sojourn.New(open(t), sojourn.Config{OnEvent: guard.OnEvent, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	h := guard.Protect(m)(m.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { m.Info(r.Context()) })))
	ask := func(from, cookie string) int {
		r, w := request("GET", cookie), httptest.NewRecorder()
		r.RemoteAddr = from + ":4711"
		h.ServeHTTP(w, r)
		return w.Code
	}
	for i := range 11 {
		if code := ask("203.0.113.9", fmt.Sprintf("__Host-Http-id=%064d", i)); code != http.StatusOK {
			t.Errorf("guess %d is answered %d", i, code)
		}
	}
	another := "__Host-Http-id=" + strings.Repeat("B", 64)
	got := fmt.Sprint(ask("203.0.113.9", another), ask("203.0.113.9", ""), ask("203.0.113.10", another))
	if got != "429 200 200" || !strings.Contains(told, "excess_rate_limit_exceeded 203.0.113.9/32") {
		t.Errorf("the next guess, a visitor from there, a neighbour: %s, want 429 200 200; told:\n%s", got, told)
	}
}
