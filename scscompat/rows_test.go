package scscompat_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/legacy"
	scs "github.com/gosojourn/sojourn/scscompat"
)

// plainStore is a store as somebody has written it for scs, without contexts.
type plainStore struct {
	mu   sync.Mutex
	rows map[string][]byte
	fail func(op string) error
	ops  []string
}

func newPlainStore() *plainStore { return &plainStore{rows: map[string][]byte{}} }

func (p *plainStore) enter(op string) (func(), error) {
	p.mu.Lock()
	p.ops = append(p.ops, op)
	if p.fail != nil {
		if err := p.fail(op); err != nil {
			return p.mu.Unlock, err
		}
	}
	return p.mu.Unlock, nil
}

func (p *plainStore) Delete(token string) error {
	leave, err := p.enter("delete")
	defer leave()
	if err == nil {
		delete(p.rows, token)
	}
	return err
}

func (p *plainStore) Find(token string) ([]byte, bool, error) {
	leave, err := p.enter("find")
	defer leave()
	b, ok := p.rows[token]
	return b, ok && err == nil, err
}

func (p *plainStore) Commit(token string, b []byte, _ time.Time) error {
	leave, err := p.enter("commit")
	defer leave()
	if err == nil {
		p.rows[token] = b
	}
	return err
}

// set makes fail the answer to what follows.
func (p *plainStore) set(fail func(op string) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fail, p.ops = fail, nil
}

var errDown = errors.New("the disk is gone")

func down(ops ...string) func(string) error {
	return func(op string) error {
		if strings.Contains(strings.Join(ops, " "), op) {
			return errDown
		}
		return nil
	}
}

func silent(cfg *sojourn.Config) { cfg.Logger = slog.New(slog.DiscardHandler) }

// newApp is a manager on store, or in memory if that is nil.
func newApp(store scs.Store) *scs.SessionManager {
	s := scs.New()
	s.Adjust = silent
	s.ErrorFunc = func(w http.ResponseWriter, _ *http.Request, err error) { http.Error(w, "sorry", 500) }
	if store != nil {
		s.Store = store
	}
	return s
}

func ask(s *scs.SessionManager, token string, do func(w http.ResponseWriter, ctx context.Context)) (*httptest.ResponseRecorder, string) {
	r := httptest.NewRequest("POST", "/", nil)
	if token != "" {
		r.AddCookie(&http.Cookie{Name: "session", Value: token})
	}
	w := httptest.NewRecorder()
	s.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { do(w, r.Context()) })).ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		token = c.Value
	}
	return w, token
}

func begin(t *testing.T, s *scs.SessionManager) string {
	t.Helper()
	_, token := ask(s, "", func(_ http.ResponseWriter, ctx context.Context) { s.Put(ctx, "userID", 7) })
	if token == "" {
		t.Fatal("no session was begun")
	}
	return token
}

func userAt(s *scs.SessionManager, token string) (id int) {
	ask(s, token, func(_ http.ResponseWriter, ctx context.Context) { id = s.GetInt(ctx, "userID") })
	return id
}

// A store of scs that cannot answer logs nobody out, and what it has not done is not reported as done.
func TestAStoreThatIsDown(t *testing.T) {
	for _, x := range []struct {
		name string
		down string
		do   func(s *scs.SessionManager, ctx context.Context) error
		told bool // by the method, before the response
	}{
		{"reading", "find", func(s *scs.SessionManager, ctx context.Context) error { s.GetInt(ctx, "userID"); return nil }, false},
		{"a change", "commit", func(s *scs.SessionManager, ctx context.Context) error { s.Put(ctx, "n", 1); return nil }, false},
		{"ending", "delete", func(s *scs.SessionManager, ctx context.Context) error { return s.Destroy(ctx) }, true},
		{"renewing, the new row", "commit", func(s *scs.SessionManager, ctx context.Context) error { return s.RenewToken(ctx) }, false},
		{"renewing, the old row", "delete", func(s *scs.SessionManager, ctx context.Context) error { return s.RenewToken(ctx) }, false},
	} {
		t.Run(x.name, func(t *testing.T) {
			store := newPlainStore()
			s := newApp(store)
			token := begin(t, s)
			store.set(down(x.down))
			w, next := ask(s, token, func(w http.ResponseWriter, ctx context.Context) {
				err := x.do(s, ctx)
				if x.told != (err != nil) {
					t.Errorf("the method answers %v", err)
				}
				if err != nil {
					http.Error(w, err.Error(), 500)
					return
				}
				_, _ = w.Write([]byte("done"))
			})
			if w.Code != 500 || strings.Contains(w.Body.String(), "done") {
				t.Errorf("%d %q", w.Code, w.Body)
			}
			store.set(nil)
			if next != token || userAt(s, token) != 7 {
				t.Error("the person is logged out")
			}
		})
	}
}

// A token that cannot be one is not looked for, and a store is asked no more than needed.
func TestWhatTheStoreIsAsked(t *testing.T) {
	store := newPlainStore()
	s := newApp(store)
	token := begin(t, s)
	for _, x := range []struct {
		token, want string
		do          func(ctx context.Context)
	}{
		{"short", "", func(ctx context.Context) { s.Keys(ctx) }},
		{strings.Repeat("a", 44), "", func(ctx context.Context) { s.Keys(ctx) }},
		{strings.Repeat("'", 43), "", func(ctx context.Context) { s.Keys(ctx) }},
		{strings.Repeat("A", 43), "find", func(ctx context.Context) { s.Put(ctx, "n", 1); s.Remove(ctx, "n") }},
		{token, "find", func(ctx context.Context) { s.Keys(ctx); s.GetInt(ctx, "userID"); s.Status(ctx) }},
		{token, "find find commit", func(ctx context.Context) { s.Put(ctx, "n", 1); s.Put(ctx, "m", 1) }},
		{token, "find delete", func(ctx context.Context) { _ = s.Destroy(ctx) }},
	} {
		store.set(nil)
		ask(s, x.token, func(_ http.ResponseWriter, ctx context.Context) { x.do(ctx) })
		if got := strings.Join(store.ops, " "); got != x.want {
			t.Errorf("%.10s…: asked %q, want %q", x.token, got, x.want)
		}
	}
}

// What needs owners or versions says that a store of scs has none, and changes nothing.
func TestNoOwnersOnRows(t *testing.T) {
	s := newApp(newPlainStore())
	m, err := s.Manager()
	if err != nil {
		t.Fatal(err)
	}
	n := sojourn.NewKey[int]("n")
	token := begin(t, s)
	w, _ := ask(s, token, func(_ http.ResponseWriter, ctx context.Context) {
		_, _, take := n.Take(ctx)
		_, sweep := m.Sweep(ctx)
		_, count := m.Count(ctx)
		var all error
		for _, all = range m.All(ctx) {
		}
		if err := m.Check(ctx); err != nil {
			t.Errorf("Check: %v", err)
		}
		for what, err := range map[string]error{"Count": count, "All": all, "Login": m.Login(ctx, "bob"), "RevokeAll": m.RevokeAll(ctx, "bob"),
			"Revoke": m.Revoke(ctx, "bob", m.Info(ctx).ID), "Take": take, "Sweep": sweep} {
			if !errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("%s: %v", what, err)
			}
		}
		n.Update(ctx, func(i int) int { return i + 1 })
	})
	if w.Code != 200 || userAt(s, token) != 7 {
		t.Errorf("%d, and the person is %d", w.Code, userAt(s, token))
	}
	ask(s, token, func(_ http.ResponseWriter, ctx context.Context) {
		if s.GetInt(ctx, "n") != 1 || m.Info(ctx).ID == "" || m.Valid(ctx) != nil {
			t.Errorf("n is %d, the id %q", s.GetInt(ctx, "n"), m.Info(ctx).ID)
		}
	})
}

// A stream ends with the session that it hangs on, when this process has ended that.
func TestUntilOnRows(t *testing.T) {
	s := newApp(newPlainStore())
	m, err := s.Manager()
	if err != nil {
		t.Fatal(err)
	}
	token := begin(t, s)
	ask(s, token, func(_ http.ResponseWriter, ctx context.Context) {
		until, cancel := m.Until(ctx)
		defer cancel()
		if until.Err() != nil {
			t.Fatal("the stream has ended already")
		}
		ask(s, token, func(_ http.ResponseWriter, ctx context.Context) { _ = s.Destroy(ctx) })
		select {
		case <-until.Done():
			if !errors.Is(context.Cause(until), sojourn.ErrEnded) {
				t.Errorf("ended by %v", context.Cause(until))
			}
		case <-time.After(time.Minute):
			t.Error("the session has ended, and the stream goes on")
		}
	})
}

// What is moved in goes into a store of Sojourn's: on one of scs's it would be ignored without a word.
func TestLegacyOnAStoreOfScs(t *testing.T) {
	s := newApp(newPlainStore())
	s.Adjust = func(c *sojourn.Config) {
		c.Legacy = &legacy.SCS{Rows: legacy.CtxStore(nil), Owner: "userID", SessionCookie: http.Cookie{Name: "older"}}
	}
	if _, err := s.Manager(); err == nil || !strings.Contains(err.Error(), "need no moving in") {
		t.Errorf("%v", err)
	}
}
