package integration

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/gorillacompat"
)

// Programs that are written against gorilla's Store, on real servers: requests at once that change different keys
// lose nothing, and what a logout has ended stays ended.
func TestGorillaOnEachStore(t *testing.T) {
	for _, p := range asApplications {
		t.Run(p.name, func(t *testing.T) {
			store := p.at(t).store(t)
			migrate(t, store)
			gorillaOn(t, store)
		})
	}
	t.Run("Redis", func(t *testing.T) {
		c, o := redisPlaces[0].open(t)
		gorillaOn(t, redisStore(t, c, o))
	})
}

func gorillaOn(t *testing.T, kept sojourn.Store) {
	store, err := gorillacompat.New(kept, sojourn.Config{})
	if err != nil {
		t.Fatal(err)
	}
	var cookie *http.Cookie
	request := func() *http.Request {
		r := httptest.NewRequest("POST", "https://example.com/", nil)
		if cookie != nil {
			r.AddCookie(cookie)
		}
		return r
	}
	save := func(change func(values map[any]any), maxAge int) error {
		r, w := request(), httptest.NewRecorder()
		session, err := store.Get(r, "session")
		if err != nil {
			return err
		}
		change(session.Values)
		session.Options.MaxAge += maxAge
		if err := session.Save(r, w); err != nil {
			return err
		}
		if c := w.Result().Cookies(); len(c) > 0 && cookie == nil {
			cookie = c[0]
		}
		return nil
	}
	if err := save(func(v map[any]any) { v["user"] = 7 }, 0); err != nil {
		t.Fatal(err)
	}
	const n = 30
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if err := save(func(v map[any]any) { v[fmt.Sprint("key", i)] = i }, 0); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	count := func() int {
		session, err := store.Get(request(), "session")
		if err != nil {
			t.Error(err)
		}
		return len(session.Values)
	}
	if got := count(); got != n+1 {
		t.Errorf("%d values survive, want %d", got, n+1)
	}
	if err := save(func(map[any]any) {}, -1<<31); err != nil {
		t.Error(err)
	}
	if got := count(); got != 0 {
		t.Errorf("%d values after the logout", got)
	}
}
