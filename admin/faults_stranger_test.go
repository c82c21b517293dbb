package admin_test

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/admin"
	"github.com/gosojourn/sojourn/memstore"
)

// A keeping store raises fences, and may not delete rows: so is a database without the right to DELETE.
type keeping struct{ *memstore.Store }

var errMayNot = fmt.Errorf("%w: DELETE command denied", sojourn.ErrRefused)

func (keeping) DeleteBelow(context.Context, uint64) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) { yield(0, errMayNot) }
}

func (k keeping) RevokeOwner(ctx context.Context, owner, keep string) (uint64, error) {
	fence, err := k.Store.RevokeOwner(ctx, owner, keep)
	if err != nil {
		return 0, err
	}
	return fence, errMayNot
}

// The fence is raised first, and committed: everybody is out, and logins under way fail, whether or not rows may be
// deleted. The page must not say "Nothing was done", but what is done and what is left.
func TestFaultRefusedBehindTheFence(t *testing.T) {
	m, err := sojourn.New(keeping{memstore.New()}, sojourn.Config{})
	if err != nil {
		t.Fatal(err)
	}
	h, err := admin.New(m, admin.Config{Authorize: func(*http.Request) (string, error) { return "root", nil }})
	if err != nil {
		t.Fatal(err)
	}
	for path, words := range map[string]string{"/end-everyone": "Everybody is out, and rows are left", "/end-owner?owner=bob": "Logins that were under way fail. But"} {
		r := httptest.NewRequest("POST", path, strings.NewReader(url.Values{"confirm": {"everybody"}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if body := w.Body.String(); w.Code != http.StatusServiceUnavailable || strings.Contains(body, "Nothing was done") || !strings.Contains(body, words) || !strings.Contains(body, "DELETE command denied") {
			t.Errorf("%s: %d, %s", path, w.Code, body)
		}
	}
}

// A late store answers within Config.StoreTimeout, which is longer than a search looks.
type late struct{ *memstore.Store }

func (late) Local() bool { return false }

func (l late) ListAll(ctx context.Context) iter.Seq2[sojourn.Record, error] {
	return func(yield func(sojourn.Record, error) bool) {
		time.Sleep(6 * time.Second)
		l.Store.ListAll(ctx)(yield)
	}
}

// "The page says … when a search has not seen all." Where the first answer comes after five seconds, the search has
// looked at none, and the page must not say that there is no live session.
func TestFaultSearchThatHasLookedAtNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, err := sojourn.New(late{memstore.New()}, sojourn.Config{StoreTimeout: 20 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		h, err := admin.New(m, admin.Config{Authorize: func(*http.Request) (string, error) { return "root", nil }})
		if err != nil {
			t.Fatal(err)
		}
		m.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _ = m.Login(r.Context(), "bob") })).
			ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "https://example.com/", nil))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		if page := w.Body.String(); strings.Contains(page, "No live session") || !strings.Contains(page, "looked at no session, and there are some") {
			t.Errorf("bob is logged in: %s", page)
		}
	})
}

// What is no owner has no sessions to end: 400, as the search says, and not "All sessions of this owner have ended".
func TestFaultEndOwnerOfWhatIsNone(t *testing.T) {
	m, err := sojourn.New(memstore.New(), sojourn.Config{})
	if err != nil {
		t.Fatal(err)
	}
	h, err := admin.New(m, admin.Config{Authorize: func(*http.Request) (string, error) { return "root", nil }})
	if err != nil {
		t.Fatal(err)
	}
	for _, owner := range []string{"%ff", strings.Repeat("a", 256)} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("POST", "/end-owner?owner="+owner, nil))
		if w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", owner, w.Code)
		}
	}
}
