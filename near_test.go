package sojourn_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
)

// oldCopies answers LoadNear with the first record that it has seen of each id, for ever: worse than any
// near store.
type oldCopies struct {
	*memstore.Store
	copies sync.Map
	loads  int
	down   bool
}

func (s *oldCopies) Load(ctx context.Context, id string) (sojourn.Record, error) {
	if s.loads++; s.down {
		return sojourn.Record{}, errors.New("the store is down")
	}
	return s.Store.Load(ctx, id)
}

func (s *oldCopies) LoadNear(ctx context.Context, id string) (sojourn.Record, bool, error) {
	if r, ok := s.copies.Load(id); ok {
		return r.(sojourn.Record), true, nil
	}
	r, err := s.Load(ctx, id)
	if err == nil {
		s.copies.Store(id, r)
	}
	return r, false, err
}

func nearManager(t *testing.T) (*sojourn.Manager, *oldCopies) {
	t.Helper()
	store := &oldCopies{Store: memstore.New()}
	m, err := sojourn.New(store, sojourn.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return m, store
}

// endedBehind answers a cookie whose session has ended, and a manager that has a copy that says otherwise.
func endedBehind(t *testing.T) (m *sojourn.Manager, store *oldCopies, cookie string) {
	t.Helper()
	m, store = nearManager(t)
	_, cookie = ask(m, "", func(_ http.ResponseWriter, r *http.Request) {
		name.Put(r.Context(), "Ada")
		_ = m.Login(r.Context(), "ada")
	})
	if nameAt(m, cookie) != "Ada" {
		t.Fatal("nobody is logged in")
	}
	if err := m.RevokeAll(t.Context(), "ada"); err != nil {
		t.Fatal(err)
	}
	return m, store, cookie
}

// A copy nearby may say yes to a page that is read, and the store is not asked.
func TestNearCopyAnswersReads(t *testing.T) {
	m, store, c := endedBehind(t)
	before := store.loads
	if nameAt(m, c) != "Ada" {
		t.Error("the copy was not believed")
	}
	if store.loads != before {
		t.Error("the store was asked although there was a copy")
	}
}

// Whatever changes something, or decides, asks the store.
func TestNearCopyDecidesNothing(t *testing.T) {
	under := func(m *sojourn.Manager, method, cookie string, h http.HandlerFunc) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "/", nil)
		r.Header.Set("Cookie", cookie)
		w := httptest.NewRecorder()
		m.LoadAndSave(h).ServeHTTP(w, r)
		return w
	}
	t.Run("an unsafe method", func(t *testing.T) {
		m, _, c := endedBehind(t)
		under(m, "POST", c, func(_ http.ResponseWriter, r *http.Request) {
			if i := m.Info(r.Context()); i.ID != "" {
				t.Error("the copy was believed")
			}
		})
	})
	t.Run("a GET that says by LoadEager that it changes something", func(t *testing.T) {
		_, store, c := endedBehind(t)
		m, err := sojourn.New(store, sojourn.Config{Load: sojourn.LoadEager})
		if err != nil {
			t.Fatal(err)
		}
		under(m, "GET", c, func(_ http.ResponseWriter, r *http.Request) {
			if i := m.Info(r.Context()); i.ID != "" {
				t.Error("the copy was believed")
			}
		})
	})
	t.Run("Valid", func(t *testing.T) {
		m, _, c := endedBehind(t)
		under(m, "GET", c, func(_ http.ResponseWriter, r *http.Request) {
			if err := m.Valid(r.Context()); !errors.Is(err, sojourn.ErrEnded) {
				t.Errorf("%v, want ErrEnded", err)
			}
		})
	})
	t.Run("RequireFresh", func(t *testing.T) {
		for _, read := range []bool{false, true} {
			m, _, c := endedBehind(t)
			stale := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusForbidden) })
			next := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {})
			w := under(m, "GET", c, func(w http.ResponseWriter, r *http.Request) {
				if read && name.Get(r.Context()) != "Ada" {
					t.Error("the copy was not believed")
				}
				m.RequireFresh(time.Hour, stale)(next).ServeHTTP(w, r)
			})
			if w.Code != http.StatusForbidden {
				t.Errorf("read before: %v: the copy was believed", read)
			}
		}
	})
	t.Run("StatusHandler", func(t *testing.T) {
		m, _, c := endedBehind(t)
		if w := under(m, "GET", c, m.StatusHandler().ServeHTTP); w.Body.String()[:13] != `{"live":false` {
			t.Errorf("%s", w.Body)
		}
	})
	t.Run("RevokeOthers", func(t *testing.T) {
		m, _, c := endedBehind(t)
		under(m, "GET", c, func(_ http.ResponseWriter, r *http.Request) {
			_ = name.Get(r.Context())
			if err := m.RevokeOthers(r.Context()); !errors.Is(err, sojourn.ErrEnded) {
				t.Errorf("%v, want ErrEnded", err)
			}
		})
	})
	t.Run("a save", func(t *testing.T) {
		m, store, c := endedBehind(t)
		w := under(m, "GET", c, func(_ http.ResponseWriter, r *http.Request) {
			name.Update(r.Context(), func(n string) string { return n + "!" })
		})
		if w.Header().Get("Set-Cookie") != "" {
			t.Error("a cookie for a session that has ended")
		}
		for range store.ListOwner(t.Context(), "ada") {
			t.Error("the session is back")
		}
	})
}

// A copy is out of date in what it holds, too: a save begins again with what the store has.
func TestNearCopyIsNotWrittenBack(t *testing.T) {
	m, _ := nearManager(t)
	_, c := ask(m, "", putName)
	nameAt(m, c) // a copy is kept
	add := func(_ http.ResponseWriter, r *http.Request) {
		name.Update(r.Context(), func(n string) string { return n + "!" })
	}
	for range 3 {
		ask(m, c, add)
	}
	r := httptest.NewRequest("POST", "/", nil)
	r.Header.Set("Cookie", c)
	m.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if got := name.Get(r.Context()); got != "gopher!!!" {
			t.Errorf("%q, want all three", got)
		}
	})).ServeHTTP(httptest.NewRecorder(), r)
}

// A no of a copy is not believed: it may be from before the login.
func TestNearCopySaysNothingButYes(t *testing.T) {
	m, store := nearManager(t)
	_, c := ask(m, "", putName)
	nameAt(m, c)
	_, c2 := ask(m, c, func(_ http.ResponseWriter, r *http.Request) { _ = m.Renew(r.Context()) })
	if c2 == c || nameAt(m, c2) != "gopher" {
		t.Error("the new token was judged by a copy of the old record")
	}
	store.down = true
	if nameAt(m, c) != "gopher" {
		t.Error("the copy was not believed while the store is down")
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Cookie", c2)
	m.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _ = name.Get(r.Context()) })).ServeHTTP(w, r)
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("answered %d although the store could not", w.Code)
	}
}
