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

// A store that refuses, or is silent, keeps its promises.
func TestFaultyStoreFailsAsStoresDo(t *testing.T) {
	storetest.RunFaults(t, func(t *testing.T) (sojourn.Store, storetest.Medium) {
		f := &sojourntest.FaultyStore{Store: memstore.New()}
		return f, storetest.Medium{
			Refuse: func() func() {
				f.Fail(fmt.Errorf("%w: the disk is full", sojourn.ErrRefused))
				return func() { f.Fail(nil) }
			},
			Stall: f.Stall,
		}
	})
}

// near is a store with copies, of which FaultyStore must ask.
type near struct{ *memstore.Store }

func (n near) LoadNear(ctx context.Context, id string) (sojourn.Record, bool, error) {
	r, err := n.Load(ctx, id)
	return r, true, err
}

func TestFaultyStoreHasTheCopiesOfTheStoreInside(t *testing.T) {
	ctx, down := t.Context(), errors.New("down")
	r := sojourn.Record{ID: "AAAAAAAAAAAAAAAAAAAAAAAA", Expiry: time.Now().Add(time.Hour), Version: 1}
	for copies, inside := range map[bool]sojourn.Store{true: near{memstore.New()}, false: memstore.New()} {
		f := &sojourntest.FaultyStore{Store: inside}
		if err := f.Create(ctx, r); err != nil {
			t.Fatal(err)
		}
		if got, copied, err := f.LoadNear(ctx, r.ID); got.ID != r.ID || copied != copies || err != nil {
			t.Errorf("LoadNear: %q, copied %v, %v; want copied %v", got.ID, copied, err, copies)
		}
		f.Fail(down)
		if _, _, err := f.LoadNear(ctx, r.ID); err != down {
			t.Errorf("LoadNear: %v, want %v", err, down)
		}
	}
}

func TestFaultyStoreFailsAfter(t *testing.T) {
	ctx, lost := t.Context(), errors.New("connection lost")
	f := &sojourntest.FaultyStore{Store: memstore.New()}
	r := sojourn.Record{ID: "AAAAAAAAAAAAAAAAAAAAAAAA", Expiry: time.Now().Add(time.Hour), Version: 1, Owner: "bob"}
	next := r
	next.Version = 2
	f.FailAfter(lost)
	for _, step := range []struct {
		what string
		err  error
		done bool
	}{
		{"Create", f.Create(ctx, r), version(f) == 1},
		{"Update", f.Update(ctx, next, 1), version(f) == 2},
		{"Touch", f.Touch(ctx, next), version(f) == 2},
		{"RevokeOwner", second(f.RevokeOwner(ctx, "bob", "")), version(f) == 0},
		{"Create", f.Create(ctx, r), version(f) == 1},
		{"Delete", f.Delete(ctx, r.ID, 1), version(f) == 0},
	} {
		if step.err != lost || !step.done {
			t.Errorf("%s: %v, applied: %v; want it applied and %v", step.what, step.err, step.done, lost)
		}
	}
	f.FailAfter(nil)
	if err := f.Create(ctx, r); err != nil {
		t.Errorf("Create: %v, though nothing fails any more", err)
	}
}

// version is that of the one record of a test, 0 if it is not there.
func version(f *sojourntest.FaultyStore) uint64 {
	r, _ := f.Load(context.Background(), "AAAAAAAAAAAAAAAAAAAAAAAA")
	return r.Version
}

// A request before a silent store is answered when its time is over, though the store inside is local.
func TestFaultyStoreStalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &sojourntest.FaultyStore{Store: memstore.New()}
		m := manager(t, f)
		b := sojourntest.NewBrowser(t, m, site(m))
		b.PostForm("/login", url.Values{"name": {"bob"}})
		resume := f.Stall()
		if res := b.Get("/"); res.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("a silent store: %s, want 503", res.Status)
		}
		time.AfterFunc(time.Second, resume)
		if body, _ := io.ReadAll(b.Get("/").Body); string(body) != "hello bob" {
			t.Errorf("%q, want bob once the store goes on", body)
		}
		resume() // again, and nothing happens
	})
}

func TestFaultyStoreAddsNothing(t *testing.T) {
	ctx := t.Context()
	f := &sojourntest.FaultyStore{Store: struct{ sojourn.Store }{memstore.New()}}
	for what, err := range map[string]error{
		"Fence":       third(f.Fence(ctx, "bob")),
		"RevokeOwner": second(f.RevokeOwner(ctx, "bob", "")),
		"Sweep":       second(f.Sweep(ctx, time.Now(), 1)),
		"Check":       f.Check(ctx),
		"ListOwner":   lastOf(f, "bob"),
	} {
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: %v, want errors.ErrUnsupported", what, err)
		}
	}
	if _, ok := any(f).(sojourn.Local); ok {
		t.Error("it says that it is local, so that nothing would guard a request against a stall")
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
		"Fence":       third(f.Fence(ctx, "bob")),
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

func third[A, B any](_ A, _ B, err error) error { return err }
