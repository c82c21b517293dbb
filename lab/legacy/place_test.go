package legacy

import (
	"context"
	"encoding/gob"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alexedwards/scs/v2"
	oldstore "github.com/alexedwards/scs/v2/memstore"
	"github.com/gorilla/sessions"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/gorillacompat"
	gorilla "github.com/gosojourn/sojourn/gorillacompat/legacy"
	"github.com/gosojourn/sojourn/legacy"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/scscompat"
)

// A compat is an application whose library is replaced by ours of the same API, so the code and the cookie's name
// stay. At /login it logs in, at /hit it counts and saves, and everywhere it answers who is logged in and the count.
type compat struct {
	old    http.Handler
	server func(t *testing.T, kept sojourn.Store, keep time.Duration) (http.Handler, *sojourn.Manager)
	copies bool // the old session is in the cookie, so nobody can end a copy there
}

const group = 50

// slow is a store that takes its time, so that requests overlap.
type slow struct{ *memstore.Store }

func (s slow) Load(ctx context.Context, id string) (sojourn.Record, error) {
	defer time.Sleep(rand.N(5 * time.Millisecond))
	time.Sleep(rand.N(5 * time.Millisecond))
	return s.Store.Load(ctx, id)
}

func (s slow) Create(ctx context.Context, r sojourn.Record) error {
	defer time.Sleep(rand.N(5 * time.Millisecond))
	time.Sleep(rand.N(5 * time.Millisecond))
	return s.Store.Create(ctx, r)
}

func (s slow) Update(ctx context.Context, r sojourn.Record, version uint64) error {
	defer time.Sleep(rand.N(5 * time.Millisecond))
	return s.Store.Update(ctx, r, version)
}

func (c *compat) run(t *testing.T) {
	for _, x := range []struct {
		name string
		keep time.Duration
	}{{"rolling", time.Hour}, {"at once", -1}} {
		t.Run(x.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { c.roll(t, x.keep) })
		})
	}
}

func (c *compat) roll(t *testing.T, keep time.Duration) {
	kept := slow{memstore.New()}
	var servers [2]http.Handler
	var m *sojourn.Manager
	for i := range servers {
		servers[i], m = c.server(t, kept, keep)
	}
	var all sync.WaitGroup
	for i := range group {
		all.Go(func() { c.live(t, m, servers, fmt.Sprint("person-", i), keep) })
	}
	all.Wait()
}

// live is one browser: it logs in on an old server, and is sent to old and new ones with two tabs, then to new ones.
func (c *compat) live(t *testing.T, m *sojourn.Manager, servers [2]http.Handler, owner string, keep time.Duration) {
	jar, _ := cookiejar.New(nil)
	b := &browser{jar: jar, owner: owner}
	if who, code := b.visit(c.old, "/login?as="+owner, false); code != 200 {
		t.Errorf("the login answers %q, %d", who, code)
		return
	}
	first := b.cookie(cookieName)
	var mu sync.Mutex
	hits, visits := 0, 0
	visit := func(h http.Handler, path string, mayMiss bool) {
		mu.Lock()
		visits++
		query := fmt.Sprint("?visit=", visits)
		mu.Unlock()
		who, code := b.visit(h, path+query, rand.N(5) == 0)
		if code != 200 || who != owner && !(mayMiss && who == "") {
			t.Errorf("%s is %q, status %d", owner, who, code)
		}
		if path == "/hit" && who == owner {
			mu.Lock()
			hits++
			mu.Unlock()
		}
	}
	tabs(func() {
		for range 6 {
			h, path := servers[rand.N(2)], "/"
			switch rand.N(3) {
			case 0:
				path = "/hit"
			case 1:
				if keep > 0 {
					h = c.old
				}
			}
			// Without a time in which the old session is kept, a request that was under way may see nobody.
			visit(h, path, keep < 0)
			time.Sleep(rand.N(2 * time.Minute))
		}
	})
	if keep > 0 && b.cookie(cookieName) != first {
		t.Errorf("%s has another cookie while the old servers run", owner)
	}
	time.Sleep(2 * max(keep, 0))
	for range 4 {
		tabs(func() { visit(servers[rand.N(2)], "/hit", keep < 0) })
	}
	time.Sleep(2 * time.Minute)
	visit(servers[0], "/hit", false)
	visit(servers[1], "/hit", false)

	if ours := b.cookie(cookieName); len(ours) != 64 {
		t.Errorf("%s has %q in the end", owner, ours)
	}
	if who, _ := alone(servers[1], cookieName, first); who != "" {
		t.Errorf("the old token of %s is good for %q on a new server", owner, who)
	}
	if who, code := alone(c.old, cookieName, first); code == 200 && who != "" && !c.copies {
		t.Errorf("the old token of %s is good for %q on an old server", owner, who)
	}
	n := 0
	for _, err := range m.List(context.Background(), owner) {
		if err != nil {
			t.Error(err)
		}
		n++
	}
	if n != 1 {
		t.Errorf("%s has %d sessions", owner, n)
	}
	if got, _ := b.visit(servers[0], "/hits", false); got != strconv.Itoa(hits) {
		t.Errorf("%s was counted %s times, of %d", owner, got, hits)
	}
}

// A cart is of a type that the application has registered with gob.
type cart struct{ N int }

func init() { gob.Register(cart{}) }

func tabs(do func()) {
	var all sync.WaitGroup
	for range 2 {
		all.Go(do)
	}
	all.Wait()
}

// onStore is an application on gorilla's Store, whoever's that is.
func onStore(store sessions.Store) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, err := store.Get(r, cookieName)
		if err != nil {
			http.Error(w, err.Error(), 500)
			return
		}
		switch r.URL.Path {
		case "/login":
			s.Values[key] = r.FormValue("as")
			s.Values[cart{1}] = cart{2}
		case "/hit":
			s.AddFlash(1, "hits") // of two at once both stay
		case "/hits":
			all, _ := s.Values["hits"].([]any)
			_, _ = io.WriteString(w, strconv.Itoa(len(all)))
			return
		}
		if r.URL.Path != "/" {
			if err := s.Save(r, w); err != nil {
				http.Error(w, err.Error(), 500)
				return
			}
		}
		owner, _ := s.Values[key].(string)
		if owner != "" && s.Values[cart{1}] != (cart{2}) {
			owner = "without a cart"
		}
		_, _ = io.WriteString(w, owner)
	})
}

func fromGorilla(old sessions.Store, l func(keep time.Duration) sojourn.Legacy) *compat {
	_, copies := old.(*sessions.CookieStore)
	return &compat{
		old: onStore(old), copies: copies,
		server: func(t *testing.T, kept sojourn.Store, keep time.Duration) (http.Handler, *sojourn.Manager) {
			store, err := gorillacompat.New(kept, sojourn.Config{Legacy: l(keep), StoreTimeout: time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			m, err := store.Manager(cookieName)
			if err != nil {
				t.Fatal(err)
			}
			return onStore(store), m
		},
	}
}

func TestCompatFromCookieStore(t *testing.T) {
	fromGorilla(sessions.NewCookieStore(pairs...), func(keep time.Duration) sojourn.Legacy {
		return &gorilla.Cookies{Keys: pairs, Owner: key, KeepFor: keep}
	}).run(t)
}

func TestCompatFromFilesystemStore(t *testing.T) {
	dir := t.TempDir()
	fromGorilla(sessions.NewFilesystemStore(dir, pairs...), func(keep time.Duration) sojourn.Legacy {
		return &gorilla.Files{Dir: dir, Keys: pairs, Owner: key, KeepFor: keep}
	}).run(t)
}

// An scsAPI is what scs and scscompat have alike.
type scsAPI interface {
	LoadAndSave(http.Handler) http.Handler
	Get(ctx context.Context, key string) interface{}
	GetString(ctx context.Context, key string) string
	Put(ctx context.Context, key string, val interface{})
	Keys(ctx context.Context) []string
	RenewToken(ctx context.Context) error
}

// onAPI is an application on scs, whoever's that is.
func onAPI(m scsAPI) http.Handler {
	return m.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		switch r.URL.Path {
		case "/login":
			if err := m.RenewToken(ctx); err != nil {
				http.Error(w, err.Error(), 500)
				return
			}
			m.Put(ctx, key, r.FormValue("as"))
			m.Put(ctx, strings.Repeat("cart", 20), cart{2}) // a name that Sojourn has no room for
		case "/hit":
			m.Put(ctx, "hit "+r.FormValue("visit"), true)
		case "/hits":
			n := 0
			for _, k := range m.Keys(ctx) {
				if strings.HasPrefix(k, "hit ") {
					n++
				}
			}
			_, _ = io.WriteString(w, strconv.Itoa(n))
			return
		}
		owner := m.GetString(ctx, key)
		if owner != "" && m.Get(ctx, strings.Repeat("cart", 20)) != (cart{2}) {
			owner = "without a cart"
		}
		_, _ = io.WriteString(w, owner)
	}))
}

// plainRows are those of a store of scs whose methods take no context.
type plainRows struct{ scs.Store }

func (p plainRows) Find(_ context.Context, key string) ([]byte, error) {
	b, found, err := p.Store.Find(key)
	if err == nil && !found {
		err = sojourn.ErrNotFound
	}
	return b, err
}

func (p plainRows) Delete(_ context.Context, key string) error { return p.Store.Delete(key) }

// An idle timeout has scs write each session back at each request: what it has read may come back after we have
// ended it.
func fromSCS(hashed bool, idle time.Duration) *compat {
	store := oldstore.NewWithCleanupInterval(0)
	old := scs.New()
	old.Store, old.HashTokenInStore, old.IdleTimeout, old.Cookie.Name = store, hashed, idle, cookieName
	return &compat{
		old: onAPI(old),
		server: func(t *testing.T, kept sojourn.Store, keep time.Duration) (http.Handler, *sojourn.Manager) {
			s := scscompat.New()
			s.HashTokenInStore, s.IdleTimeout, s.Cookie.Name = hashed, idle, cookieName
			s.Store = scscompat.Native(kept)
			s.Legacy = &legacy.SCS{Rows: plainRows{store}, Owner: key, KeepFor: keep}
			s.Adjust = func(cfg *sojourn.Config) { cfg.StoreTimeout = time.Minute }
			m, err := s.Manager()
			if err != nil {
				t.Fatal(err)
			}
			return onAPI(s), m
		},
	}
}

func TestCompatFromSCS(t *testing.T)       { fromSCS(false, 0).run(t) }
func TestCompatFromSCSHashed(t *testing.T) { fromSCS(true, 8*time.Hour).run(t) }
