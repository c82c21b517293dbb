package admin_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/admin"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sojourntest"
)

// The pages are for root alone. To look takes a login; to end a session takes one of the last quarter of an hour.
func Example() {
	figures := admin.NewFigures()
	sessions, err := sojourn.New(memstore.New(), sojourn.Config{
		Observer: figures,
		OnEvent: func(ctx context.Context, e sojourn.Event) {
			figures.OnEvent(ctx, e)
			if e.Name == sojourn.EventAdmin {
				fmt.Println(e.Actor, "asked for", e.Reason, "of", e.Owner+":", e.Err)
			}
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	pages, err := admin.New(sessions, admin.Config{
		Authorize: func(r *http.Request) (string, error) {
			owner := sessions.Info(r.Context()).Owner
			if owner != "root" { // in your program, a question to the table of roles
				return "", errors.New("no administrator")
			}
			return owner, nil
		},
		Figures: figures,
	})
	if err != nil {
		log.Fatal(err)
	}
	login := http.RedirectHandler("/user/login", http.StatusSeeOther)
	fresh := sessions.RequireFresh(15*time.Minute, login)(pages)
	formsFresh := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			fresh.ServeHTTP(w, r)
			return
		}
		pages.ServeHTTP(w, r)
	})
	mux := http.NewServeMux()
	mux.Handle("/admin/sessions/", http.StripPrefix("/admin/sessions", formsFresh))
	h := sessions.LoadAndSave(mux)
	server := &http.Server{Handler: h}
	server.RegisterOnShutdown(pages.Close) // or the server would wait for pages that are open

	var t testing.T
	root, ann := sojourntest.NewBrowser(&t, sessions, h), sojourntest.NewBrowser(&t, sessions, h)
	root.Session(func(ctx context.Context) { err = sessions.Login(ctx, "root") })
	ann.Session(func(ctx context.Context) { err = errors.Join(err, sessions.Login(ctx, "ann")) })
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("ann opens the pages:", ann.Get("/admin/sessions/").StatusCode)
	fmt.Println("root opens the pages:", root.Get("/admin/sessions/").StatusCode)
	fmt.Println("root ends the sessions of ann:", root.PostForm("/admin/sessions/end-owner?owner=ann", url.Values{}).StatusCode)
	ann.Session(func(ctx context.Context) { fmt.Printf("ann is %q\n", sessions.Info(ctx).Owner) })
	// Output:
	// ann opens the pages: 403
	// root opens the pages: 200
	// root asked for revoke_all of ann: <nil>
	// root ends the sessions of ann: 200
	// ann is ""
}
