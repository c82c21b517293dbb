package scscompat_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	scsmem "github.com/alexedwards/scs/v2/memstore"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/scscompat"
)

// silent logs nothing, and gives a busy machine time.
func silent(cfg *sojourn.Config) {
	cfg.Logger, cfg.StoreTimeout = slog.New(slog.DiscardHandler), time.Minute
}

// A manager is what both session managers are.
type manager interface {
	LoadAndSave(next http.Handler) http.Handler
	Load(ctx context.Context, token string) (context.Context, error)
	Commit(ctx context.Context) (string, time.Time, error)
	Destroy(ctx context.Context) error
	RenewToken(ctx context.Context) error
	MergeSession(ctx context.Context, token string) error
	Iterate(ctx context.Context, fn func(context.Context) error) error
	Put(ctx context.Context, key string, val interface{})
	Get(ctx context.Context, key string) interface{}
	GetString(ctx context.Context, key string) string
	GetInt(ctx context.Context, key string) int
	PopString(ctx context.Context, key string) string
	Keys(ctx context.Context) []string
	Token(ctx context.Context) string
	Deadline(ctx context.Context) time.Time
	SetDeadline(ctx context.Context, expire time.Time)
	RememberMe(ctx context.Context, val bool)
}

var (
	_ manager = (*scs.SessionManager)(nil)
	_ manager = (*scscompat.SessionManager)(nil)
)

// fields are what a test sets of both.
type fields struct {
	lifetime, idle time.Duration
	cookie         func(*scs.SessionCookie)
	store          scs.Store // scs's own
}

func quiet(w http.ResponseWriter, _ *http.Request, _ error) { http.Error(w, "sorry", 500) }

func newTheirs(f fields) *scs.SessionManager {
	s := scs.New()
	s.ErrorFunc = quiet
	if f.lifetime != 0 {
		s.Lifetime = f.lifetime
	}
	if s.IdleTimeout = f.idle; f.store != nil {
		s.Store = f.store
	} else {
		s.Store = scsmem.NewWithCleanupInterval(0)
	}
	if f.cookie != nil {
		f.cookie(&s.Cookie)
	}
	return s
}

func newOurs(f fields) *scscompat.SessionManager {
	s := scscompat.New()
	s.ErrorFunc, s.Adjust = quiet, silent
	if f.lifetime != 0 {
		s.Lifetime = f.lifetime
	}
	if s.IdleTimeout = f.idle; f.store != nil {
		s.Store = f.store
	} else {
		s.Store = scscompat.Native(memstore.New())
	}
	if f.cookie != nil {
		k := scs.SessionCookie(s.Cookie)
		f.cookie(&k)
		s.Cookie = scscompat.SessionCookie(k)
	}
	return s
}

// ask sends a request that shows token, and answers the response and the token that is shown next.
func ask(t testing.TB, m manager, token string, do func(w http.ResponseWriter, ctx context.Context)) (*httptest.ResponseRecorder, string) {
	t.Helper()
	r := httptest.NewRequest("POST", "https://app.test/", nil)
	if token != "" {
		r.Header.Set("Cookie", "session="+token)
	}
	return send(m, r, token, do)
}

func send(m manager, r *http.Request, token string, do func(w http.ResponseWriter, ctx context.Context)) (*httptest.ResponseRecorder, string) {
	w := httptest.NewRecorder()
	m.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { do(w, r.Context()) })).ServeHTTP(w, r)
	for _, line := range w.Header()["Set-Cookie"] {
		if rest, ok := strings.CutPrefix(line, "session="); ok {
			token, _, _ = strings.Cut(rest, ";")
		}
	}
	return w, token
}

// begin makes a session that holds message=hello, and answers its token.
func begin(t testing.TB, m manager) string {
	t.Helper()
	_, token := ask(t, m, "", func(_ http.ResponseWriter, ctx context.Context) { m.Put(ctx, "message", "hello") })
	if token == "" {
		t.Fatal("no session was begun")
	}
	return token
}

// seen is what a request that shows token finds under key.
func seen(t testing.TB, m manager, token, key string) (v any) {
	t.Helper()
	ask(t, m, token, func(_ http.ResponseWriter, ctx context.Context) { v = m.Get(ctx, key) })
	return v
}
