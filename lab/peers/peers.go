// Package peers has one way to write a handler for each of the libraries that Sojourn is measured beside.
package peers

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/alexedwards/scs/v2"
	scsmem "github.com/alexedwards/scs/v2/memstore"
	"github.com/gorilla/sessions"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sealed"
)

// A Library keeps sessions: what handlers do with them, the way each wants it written. What it cannot do
// is nil. A save that fails by hand is answered 500, as its documentation shows.
type Library struct {
	Name   string
	Wrap   func(http.Handler) http.Handler
	Get    func(r *http.Request, key string) string
	Put    func(w http.ResponseWriter, r *http.Request, key, value string)
	Add    func(w http.ResponseWriter, r *http.Request, key string) // counts, in a value of its own
	Count  func(r *http.Request, key string) int
	Login  func(w http.ResponseWriter, r *http.Request, owner string)
	Owner  func(r *http.Request) string
	Logout func(w http.ResponseWriter, r *http.Request)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

var quiet = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))

// keys are typed, and made once, as an application does.
var keys = func() map[string]sojourn.Key[string] {
	all := make(map[string]sojourn.Key[string])
	for i := range 20 {
		all[KeyName(i)] = sojourn.NewKey[string](KeyName(i))
	}
	return all
}()

var counts = sojourn.NewKey[int]("count")

var keyNames = func() (all [20]string) {
	for i := range all {
		all[i] = fmt.Sprintf("key%02d", i)
	}
	return all
}()

// KeyName is the i-th of 20 names of values.
func KeyName(i int) string { return keyNames[i] }

// Sojourn is m as a Library.
func Sojourn(m *sojourn.Manager) Library {
	return Library{
		Name: "Sojourn",
		Wrap: m.LoadAndSave,
		Get:  func(r *http.Request, key string) string { return keys[key].Get(r.Context()) },
		Put:  func(_ http.ResponseWriter, r *http.Request, key, value string) { keys[key].Put(r.Context(), value) },
		Add: func(_ http.ResponseWriter, r *http.Request, _ string) {
			counts.Update(r.Context(), func(n int) int { return n + 1 })
		},
		Count: func(r *http.Request, _ string) int { return counts.Get(r.Context()) },
		Login: func(_ http.ResponseWriter, r *http.Request, owner string) {
			if err := m.Login(r.Context(), owner); err != nil {
				panic(err)
			}
		},
		Owner:  func(r *http.Request) string { return m.Info(r.Context()).Owner },
		Logout: func(_ http.ResponseWriter, r *http.Request) { _ = m.Logout(r.Context()) },
	}
}

// SojournOn keeps sessions in store. idle 0: no idle limit.
func SojournOn(store sojourn.Store, idle time.Duration) Library {
	if idle == 0 {
		idle = sojourn.NoIdleTimeout
	}
	return Sojourn(must(sojourn.New(store, sojourn.Config{IdleTimeout: idle, Lifetime: 24 * time.Hour, Logger: quiet})))
}

// SojournInMemory is on memstore.
func SojournInMemory(idle time.Duration) Library { return SojournOn(memstore.New(), idle) }

// SojournSealed keeps sessions in cookies.
func SojournSealed() Library {
	ring := must(sealed.New([]string{sealed.GenerateKey()}, sealed.Options{}))
	return Sojourn(must(sojourn.NewSealed(ring, sojourn.Config{Lifetime: 24 * time.Hour, IdleTimeout: sojourn.NoIdleTimeout, Logger: quiet})))
}

// SCS is m as a Library.
func SCS(m *scs.SessionManager) Library {
	return Library{
		Name: "scs",
		Wrap: m.LoadAndSave,
		Get:  func(r *http.Request, key string) string { return m.GetString(r.Context(), key) },
		Put:  func(_ http.ResponseWriter, r *http.Request, key, value string) { m.Put(r.Context(), key, value) },
		Add: func(_ http.ResponseWriter, r *http.Request, key string) {
			m.Put(r.Context(), key, m.GetInt(r.Context(), key)+1)
		},
		Count: func(r *http.Request, key string) int { return m.GetInt(r.Context(), key) },
		Login: func(_ http.ResponseWriter, r *http.Request, owner string) {
			if err := m.RenewToken(r.Context()); err != nil {
				panic(err)
			}
			m.Put(r.Context(), "owner", owner)
		},
		Owner:  func(r *http.Request) string { return m.GetString(r.Context(), "owner") },
		Logout: func(_ http.ResponseWriter, r *http.Request) { _ = m.Destroy(r.Context()) },
	}
}

// SCSOn keeps sessions in store.
func SCSOn(store scs.Store, idle time.Duration) Library {
	m := scs.New()
	m.Store, m.Lifetime, m.IdleTimeout = store, 24*time.Hour, idle
	m.ErrorFunc = func(w http.ResponseWriter, _ *http.Request, err error) { // without its line in the log
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
	}
	return SCS(m)
}

// SCSInMemory is on its own memstore, without its goroutine.
func SCSInMemory(idle time.Duration) Library {
	return SCSOn(scsmem.NewWithCleanupInterval(0), idle)
}

// Gorilla is store as a Library. It has no middleware, and no way to renew a token: a session is read and
// saved by hand.
func Gorilla(store sessions.Store) Library {
	type key struct{}
	of := func(r *http.Request) *sessions.Session { return r.Context().Value(key{}).(*sessions.Session) }
	save := func(w http.ResponseWriter, r *http.Request) {
		if err := of(r).Save(r, w); err != nil {
			http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		}
	}
	put := func(w http.ResponseWriter, r *http.Request, k string, v any) {
		of(r).Values[k] = v
		save(w, r)
	}
	return Library{
		Name: "gorilla",
		Wrap: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				s, _ := store.New(r, "id") // Get would answer from what it has kept of this request
				next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), key{}, s)))
			})
		},
		Get: func(r *http.Request, k string) string {
			v, _ := of(r).Values[k].(string)
			return v
		},
		Put: func(w http.ResponseWriter, r *http.Request, k, v string) { put(w, r, k, v) },
		Add: func(w http.ResponseWriter, r *http.Request, k string) {
			n, _ := of(r).Values[k].(int)
			put(w, r, k, n+1)
		},
		Count: func(r *http.Request, k string) int {
			n, _ := of(r).Values[k].(int)
			return n
		},
		Login: func(w http.ResponseWriter, r *http.Request, owner string) { put(w, r, "owner", owner) }, // the token stays
		Owner: func(r *http.Request) string {
			v, _ := of(r).Values["owner"].(string)
			return v
		},
		Logout: func(w http.ResponseWriter, r *http.Request) {
			of(r).Options.MaxAge = -1
			save(w, r)
		},
	}
}

// GorillaCookies is a CookieStore with a key to authenticate and one to encrypt.
func GorillaCookies() Library { return Gorilla(sessions.NewCookieStore(random(64), random(32))) }

// GorillaFiles keeps sessions in files of a folder: the store that it has for servers.
func GorillaFiles(dir string) Library {
	return Gorilla(sessions.NewFilesystemStore(dir, random(64), random(32)))
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}
