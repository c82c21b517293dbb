package sojourn_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
)

// An administrator sees everybody, visitors too, and which session is his own.
func TestAllAndCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, sojourn.Config{}, newGate())
		own := s.beginAs("root")
		for i := range 200 {
			s.beginAs(fmt.Sprint("user ", i))
		}
		s.begin()
		time.Sleep(30 * time.Minute)
		s.begin()
		owners, current := map[string]int{}, 0
		s.look(own, func(ctx context.Context) {
			for i, err := range s.All(ctx) {
				if err != nil {
					t.Fatal(err)
				}
				owners[i.Owner]++
				if i.Current {
					current++
				}
			}
		})
		if len(owners) != 202 || owners[""] != 2 || owners["root"] != 1 || current != 1 {
			t.Errorf("%d owners, %d visitors, %d of root, %d current", len(owners), owners[""], owners["root"], current)
		}
		if n, err := s.Count(t.Context()); n != 203 || err != nil {
			t.Errorf("Count: %d, %v; want 203", n, err)
		}
		time.Sleep(45 * time.Minute) // the first have expired
		live := 0
		for range s.All(t.Context()) {
			live++
		}
		if live != 2 {
			t.Errorf("%d are listed, want the one that was looked at and the last", live)
		}
		s.gate.set(down(everything, errFire))
		for _, err := range s.All(t.Context()) {
			if !sojourn.Unavailable(err) {
				t.Errorf("All of a store that is down: %v", err)
			}
		}
		if _, err := s.Count(t.Context()); !sojourn.Unavailable(err) {
			t.Errorf("Count of a store that is down: %v", err)
		}
	})
}

func TestAllOfWhatCannotBeListed(t *testing.T) {
	bare, err := sojourn.New(struct{ sojourn.Store }{memstore.New()}, sojourn.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []*sojourn.Manager{bare, newSealedSite(t, sojourn.Config{}, newGate()).Manager} {
		for _, err := range m.All(t.Context()) {
			if !errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("All: %v", err)
			}
		}
		if _, err := m.Count(t.Context()); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("Count: %v", err)
		}
	}
}

// An administrator looks for the sessions of one address, and ends them.
func ExampleManager_All() {
	m, err := sojourn.New(memstore.New(), sojourn.Config{Device: func(r *http.Request) sojourn.Device {
		return sojourn.Device{Addr: r.RemoteAddr}
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	login := m.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = m.Login(r.Context(), r.FormValue("name"))
	}))
	for _, name := range []string{"ada", "bob"} {
		login.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/login?name="+name, nil))
	}

	ctx := context.Background()
	for i, err := range m.All(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		if i.Device.Addr == "192.0.2.1:1234" && i.Owner == "bob" {
			fmt.Println("ended:", i.Owner, m.Revoke(ctx, i.Owner, i.ID))
		}
	}
	n, err := m.Count(ctx)
	fmt.Println(n, err)
	// Output:
	// ended: bob <nil>
	// 1 <nil>
}
