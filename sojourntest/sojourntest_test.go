package sojourntest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sojourntest"
	"github.com/gosojourn/sojourn/storetest"
)

var name = sojourn.NewKey[string]("name")

func manager(t *testing.T, store sojourn.Store) *sojourn.Manager {
	t.Helper()
	m, err := sojourn.New(store, sojourn.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// A store that fails must otherwise be the store that it wraps, in every optional interface.
func TestFaultyStoreIsTheStoreInside(t *testing.T) {
	storetest.Run(t, func(t *testing.T) sojourn.Store {
		return &sojourntest.FaultyStore{Store: memstore.New()}
	})
}

func TestFaultyStoreAddsNothing(t *testing.T) {
	ctx := t.Context()
	f := &sojourntest.FaultyStore{Store: struct{ sojourn.Store }{memstore.New()}}
	for what, err := range map[string]error{
		"Fence":       second(f.Fence(ctx, "bob")),
		"RevokeOwner": second(f.RevokeOwner(ctx, "bob", "")),
		"Sweep":       second(f.Sweep(ctx, time.Now(), 1)),
		"Check":       f.Check(ctx),
		"ListOwner":   lastOf(f, "bob"),
	} {
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: %v, want errors.ErrUnsupported", what, err)
		}
	}
	if f.Local() {
		t.Error("it says that it is local")
	}
}

func TestFaultyStoreFails(t *testing.T) {
	ctx, down := t.Context(), errors.New("down")
	f := &sojourntest.FaultyStore{Store: memstore.New()}
	r := sojourn.Record{ID: "AAAAAAAAAAAAAAAAAAAAAAAA", Expiry: time.Now().Add(time.Hour), Version: 1}
	f.Fail(down)
	for what, err := range map[string]error{
		"Load":        second(f.Load(ctx, r.ID)),
		"Create":      f.Create(ctx, r),
		"Update":      f.Update(ctx, r, 1),
		"Touch":       f.Touch(ctx, r),
		"Delete":      f.Delete(ctx, r.ID, 0),
		"Fence":       second(f.Fence(ctx, "bob")),
		"RevokeOwner": second(f.RevokeOwner(ctx, "bob", "")),
		"Sweep":       second(f.Sweep(ctx, time.Now(), 1)),
		"Check":       f.Check(ctx),
		"ListOwner":   lastOf(f, "bob"),
	} {
		if err != down {
			t.Errorf("%s: %v, want %v", what, err, down)
		}
	}
	f.Fail(nil)
	if _, err := f.Load(ctx, r.ID); err != sojourn.ErrNotFound {
		t.Errorf("Load: %v; a failing Create has done something", err)
	}
	f.LoseReply(down)
	if err := f.Create(ctx, r); err != down {
		t.Errorf("Create: %v, want its answer lost", err)
	}
	if _, err := f.Load(ctx, r.ID); err != nil {
		t.Errorf("Load: %v; Create took no effect", err)
	}
	if err := f.Delete(ctx, r.ID, 0); err != nil {
		t.Errorf("Delete: %v; only one answer was to be lost", err)
	}
}

func second[T any](_ T, err error) error { return err }

func lastOf(x sojourn.OwnerIndex, owner string) (err error) {
	for _, err = range x.ListOwner(context.Background(), owner) {
	}
	return err
}

func TestContextIsOneHandler(t *testing.T) {
	m := manager(t, memstore.New())
	ctx := sojourntest.Context(t, m)
	name.Put(ctx, "gopher")
	if err := m.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	if name.Get(ctx) != "gopher" || m.Info(ctx).ID == "" {
		t.Error("what was put is not there after Commit")
	}
	if name.Get(sojourntest.Context(t, m)) != "" {
		t.Error("another handler sees it")
	}
}

// site logs in whoever posts a name, and says who is there.
func site(m *sojourn.Manager) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello "+name.Get(r.Context())) })
	mux.HandleFunc("GET /abort", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		name.Put(r.Context(), r.PostFormValue("name"))
		if err := m.Login(r.Context(), r.PostFormValue("name")); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	return http.NewCrossOriginProtection().Handler(mux)
}

func TestBrowserKeepsCookiesAndFollowsRedirects(t *testing.T) {
	m := manager(t, memstore.New())
	b := sojourntest.NewBrowser(t, m, site(m))
	res := b.PostForm("/login", url.Values{"name": {"bob"}})
	if body, _ := io.ReadAll(res.Body); string(body) != "hello bob" || res.Request.URL.Path != "/" {
		t.Errorf("%q at %s", body, res.Request.URL.Path)
	}
	b.Session(func(ctx context.Context) {
		if m.Info(ctx).Owner != "bob" {
			t.Error("nobody is logged in")
		}
		name.Put(ctx, "Robert")
	})
	if body, _ := io.ReadAll(b.Get("/").Body); string(body) != "hello Robert" {
		t.Errorf("%q after seeding", body)
	}
	thief := sojourntest.NewBrowser(t, m, m.LoadAndSave(site(m)))
	if len(thief.Cookies()) != 0 {
		t.Error("a new browser has cookies")
	}
	thief.SetCookies(b.Cookies())
	if body, _ := io.ReadAll(thief.Get("/").Body); string(body) != "hello Robert" {
		t.Errorf("%q with the other's cookies", body)
	}
	if _, err := b.Client.Get(b.Base + "/abort"); err == nil {
		t.Error("an aborted connection is answered")
	}
}

func TestNothingOpensASocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // in whose bubble the network would block for ever
		m := manager(t, memstore.New())
		b := sojourntest.NewBrowser(t, m, site(m))
		b.PostForm("/login", url.Values{"name": {"bob"}})
		time.Sleep(time.Hour)
		if body, _ := io.ReadAll(b.Get("/").Body); string(body) != "hello " {
			t.Errorf("%q an hour later, want nobody", body)
		}
	})
}
