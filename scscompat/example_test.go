package scscompat_test

import (
	"context"
	"database/sql"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/legacy"
	"github.com/gosojourn/sojourn/memstore"
	scs "github.com/gosojourn/sojourn/scscompat"
)

// visit is a browser's: it answers the page, and the cookie to send next.
func visit(h http.Handler, path, cookie string) (page, next string) {
	r := httptest.NewRequest("GET", path, nil)
	r.Header.Set("Cookie", cookie)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		cookie = c.Name + "=" + c.Value
	}
	return w.Body.String(), cookie
}

// The program of scs's documentation, with one import line changed.
func Example() {
	sessionManager := scs.New()
	sessionManager.Lifetime = 24 * time.Hour

	mux := http.NewServeMux()
	mux.HandleFunc("/put", func(_ http.ResponseWriter, r *http.Request) {
		sessionManager.Put(r.Context(), "message", "Hello from a session!")
	})
	mux.HandleFunc("/get", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, sessionManager.GetString(r.Context(), "message"))
	})
	h := sessionManager.LoadAndSave(mux)

	_, cookie := visit(h, "/put", "")
	page, _ := visit(h, "/get", cookie)
	fmt.Println(page)
	// Output: Hello from a session!
}

// Sessions in a store of Sojourn's: each key is a value of its own, so no change is lost.
func ExampleNative() {
	sessionManager := scs.New()
	sessionManager.Store = scs.Native(memstore.New()) // or sqlstore, redisstore
	m, err := sessionManager.Manager()                // every mistake in the fields, when the program starts
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go m.Run(ctx) // takes away what has expired
	fmt.Println(m.Check(ctx))
	// Output: <nil>
}

// A program moves on value by value: keys of Sojourn's and the methods of scs act on the same sessions.
func ExampleSessionManager_Manager() {
	sessionManager := scs.New()
	visits := sojourn.NewKey[int]("visits") // was sessionManager.GetInt(ctx, "visits")

	h := sessionManager.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		visits.Update(r.Context(), func(n int) int { return n + 1 }) // counts every request, also at once
		_, _ = fmt.Fprint(w, sessionManager.GetInt(r.Context(), "visits"))
	}))
	_, cookie := visit(h, "/", "")
	page, _ := visit(h, "/", cookie)
	fmt.Println(page)
	// Output: 2
}

type Basket struct{ Items []string }

// A type of the application's own is registered with gob, as with scs; its key reads what Put has written.
func ExampleNewKey() {
	gob.Register(Basket{})
	sessionManager := scs.New()
	basket := scs.NewKey[Basket]("basket")

	h := sessionManager.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sessionManager.Put(r.Context(), "basket", Basket{[]string{"tea"}})
		_, _ = fmt.Fprint(w, basket.Get(r.Context()).Items)
	}))
	page, _ := visit(h, "/", "")
	fmt.Println(page)
	// Output: [tea]
}

// The token in a header, by middleware of one's own.
func ExampleSessionManager_Load() {
	sessionManager := scs.New()
	header := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, err := sessionManager.Load(r.Context(), r.Header.Get("X-Session"))
			if err != nil {
				http.Error(w, "try again", http.StatusServiceUnavailable)
				return
			}
			next.ServeHTTP(w, r.WithContext(ctx)) // must write nothing: the header is not complete yet
			if sessionManager.Status(ctx) == scs.Modified {
				token, _, err := sessionManager.Commit(ctx)
				if err != nil {
					http.Error(w, "try again", http.StatusServiceUnavailable)
					return
				}
				w.Header().Set("X-Session", token)
			}
		})
	}
	h := header(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		sessionManager.Put(r.Context(), "n", 1)
	}))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	fmt.Println(len(w.Header().Get("X-Session")))
	// Output: 64
}

// The wrong way: a change in place is no change. Put what has changed.
func ExampleSessionManager_Put_wrong() {
	gob.Register(map[string]int{})
	sessionManager := scs.New()
	ctx, _ := sessionManager.Load(context.Background(), "")
	sessionManager.Put(ctx, "scores", map[string]int{"ada": 1})
	token, _, _ := sessionManager.Commit(ctx)

	ctx, _ = sessionManager.Load(context.Background(), token)
	scores := sessionManager.Get(ctx, "scores").(map[string]int)
	scores["ada"] = 2 // and then nothing
	_, _, _ = sessionManager.Commit(ctx)

	ctx, _ = sessionManager.Load(context.Background(), token)
	fmt.Println(sessionManager.Get(ctx, "scores"))
	// Output: map[ada:1]
}

// Every session of a person ends, as scs's documentation has it. Manager.RevokeAll does it without reading all
// sessions, where Login has given them an owner.
func ExampleSessionManager_Iterate() {
	sessionManager := scs.New()
	ctx, _ := sessionManager.Load(context.Background(), "")
	sessionManager.Put(ctx, "userID", 4)
	token, _, _ := sessionManager.Commit(ctx)

	err := sessionManager.Iterate(context.Background(), func(ctx context.Context) error {
		if sessionManager.GetInt(ctx, "userID") == 4 {
			return sessionManager.Destroy(ctx)
		}
		return nil
	})
	ctx, err2 := sessionManager.Load(context.Background(), token)
	fmt.Println(errors.Join(err, err2), sessionManager.Exists(ctx, "userID"))
	// Output: <nil> false
}

// The sessions go from scs's store to one of Sojourn's, and whoever is logged in stays so, under the same cookie name.
func ExampleSessionManager_legacy() {
	var db *sql.DB // has scs's table

	sessionManager := scs.New()
	sessionManager.Store = scs.Native(memstore.New()) // was mysqlstore.New(db)
	sessionManager.Legacy = &legacy.SCS{
		Rows:    legacy.MySQL(db, ""),
		KeepFor: time.Hour, // longer than a deployment takes
	}
	_, err := sessionManager.Manager()
	fmt.Println(err)
	// Output: sojourn: Legacy: legacy: the database of the old sessions is nil
}
