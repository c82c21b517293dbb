package sojourn_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sojourntest"
)

// O44, O45, O42: each turn of a session's life is told, in order, in UTC, and no token or value with it.
func TestEvents(t *testing.T) {
	var log bytes.Buffer
	var told []string
	f := &sojourntest.FaultyStore{Store: memstore.New()}
	m, err := sojourn.New(f, sojourn.Config{
		Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		OnEvent: func(_ context.Context, e sojourn.Event) {
			told = append(told, strings.TrimSpace(fmt.Sprint(e.Name, " ", e.Reason)))
			if e.Time.IsZero() || e.Time.Location().String() != "UTC" {
				t.Errorf("%s at %v", e.Name, e.Time)
			}
			if e.Err != nil {
				fmt.Fprintln(&log, e.Err)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	var cookies []string
	do := func(c string, h http.HandlerFunc) string {
		_, c = ask(m, c, h)
		cookies = append(cookies, c)
		return c
	}
	login := func(_ http.ResponseWriter, r *http.Request) { _ = m.Login(r.Context(), "bob") }

	anonymous := do("", func(_ http.ResponseWriter, r *http.Request) { name.Put(r.Context(), "the secret value") })
	bob := do(anonymous, login)
	do(anonymous, putName)
	bob = do(bob, func(_ http.ResponseWriter, r *http.Request) { _ = m.Renew(r.Context()) })
	do(bob, func(_ http.ResponseWriter, r *http.Request) { sojourn.NewKey[int]("name").Get(r.Context()) })
	do(bob, func(_ http.ResponseWriter, r *http.Request) { _ = m.Logout(r.Context()) })
	do(bob, func(_ http.ResponseWriter, r *http.Request) { name.Get(r.Context()) })
	do("__Host-Http-id=nonsense", func(_ http.ResponseWriter, r *http.Request) { name.Get(r.Context()) })
	carol := do("", login)
	f.Fail(errors.New("no route to host"))
	do(carol, func(_ http.ResponseWriter, r *http.Request) { name.Get(r.Context()) })

	want := []string{
		"session_created",
		"session_renewed", "authn_login_success",
		"session_use_after_expire superseded", "session_use_after_expire dropped",
		"session_renewed",
		"session_unreadable value",
		"session_expired logout",
		"session_token_refused token_unknown",
		"session_token_refused token_malformed",
		"session_created", "authn_login_success",
		"session_store_unavailable",
	}
	if got := strings.Join(told, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("told\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	for _, c := range cookies {
		if token := strings.TrimPrefix(c, "__Host-Http-id="); len(token) == 64 && strings.Contains(log.String(), token[24:]) {
			t.Error("a token is in the log")
		}
	}
	if strings.Contains(log.String(), "secret value") || strings.Contains(log.String(), "nonsense") {
		t.Error("a value, or what a client sent, is in the log")
	}
	if n := strings.Count(log.String(), "event="); n != len(want) {
		t.Errorf("%d lines for %d events:\n%s", n, len(want), log.String())
	}
}

// A change behind the handler is not saved, and the log says so in words and what would save it.
func TestLogSaysWhatIsLeftBehind(t *testing.T) {
	var log bytes.Buffer
	m, err := sojourn.New(memstore.New(), sojourn.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	var later context.Context
	ask(m, "", func(_ http.ResponseWriter, r *http.Request) { later = r.Context() })
	name.Put(later, "late")
	if want := "a change came after the handler had returned, and only a call of Commit would save it"; !strings.Contains(log.String(), want) {
		t.Errorf("the log does not say %q:\n%s", want, log.String())
	}
}

// Whoever forgets the middleware is told what to wrap with which Manager's.
func TestPanicWithoutMiddlewareNamesIt(t *testing.T) {
	m, err := sojourn.New(memstore.New(), sojourn.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for want, call := range map[string]func(){
		"the LoadAndSave of a Manager":    func() { name.Get(t.Context()) },
		"the LoadAndSave of this Manager": func() { m.Info(t.Context()) },
	} {
		func() {
			defer func() {
				if text := fmt.Sprint(recover()); !strings.Contains(text, want) {
					t.Errorf("%s, want %q", text, want)
				}
			}()
			call()
		}()
	}
}
