package sojourn_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
)

type callKey struct{}

// A notebook is an Observer that writes down what it sees.
type notebook struct {
	mu    sync.Mutex
	begun int
	lines []string
}

func (n *notebook) Start(ctx context.Context, op sojourn.Op) (context.Context, func(error)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.begun++
	return context.WithValue(ctx, callKey{}, op.Name), func(err error) {
		n.mu.Lock()
		defer n.mu.Unlock()
		line := string(op.Name)
		if (op.Bytes > 0) != (op.Name == sojourn.OpCreate || op.Name == sojourn.OpUpdate) {
			line += fmt.Sprintf(" of %d bytes", op.Bytes)
		}
		switch {
		case errors.Is(err, sojourn.ErrNotFound):
			line += ": not found"
		case err != nil:
			line += ": " + err.Error()
		}
		n.lines = append(n.lines, line)
	}
}

func (n *notebook) read(t *testing.T, want ...string) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	if !slices.Equal(n.lines, want) || n.begun != len(want) {
		t.Errorf("saw %q, %d begun; want %q", n.lines, n.begun, want)
	}
	n.begun, n.lines = 0, nil
}

func TestObserverSeesEachQuestion(t *testing.T) {
	n := new(notebook)
	g := newGate()
	s := newSite(t, sojourn.Config{Observer: n}, g)
	g.set(func(ctx context.Context, op string) error {
		if ctx.Value(callKey{}) == nil {
			t.Errorf("%s is not asked in the context of Start", op)
		}
		return nil
	})
	s.ask("GET", "", func(http.ResponseWriter, *http.Request) {})
	n.read(t)
	c := s.begin()
	n.read(t, "create")
	s.nameOf(c)
	n.read(t, "load")
	a := s.ask("POST", c, s.login("ann"))
	n.read(t, "load", "fence", "update", "fence")
	for _, err := range s.List(t.Context(), "ann") {
		if err != nil {
			t.Error(err)
		}
	}
	n.read(t, "list")
	s.ask("POST", a.set, s.logout)
	n.read(t, "load", "delete")
	s.nameOf(a.set)
	n.read(t, "load: not found")
	if err := s.RevokeAll(t.Context(), "ann"); err != nil {
		t.Error(err)
	}
	n.read(t, "revoke")
	if _, err := s.Sweep(t.Context()); err != nil {
		t.Error(err)
	}
	n.read(t, "sweep")
	g.set(func(context.Context, string) error { return errors.New("it burns") })
	s.nameOf(c)
	n.read(t, "load: it burns")
}

// A store that panics has not answered, and is seen to have ended.
func TestObserverOfAStoreThatPanics(t *testing.T) {
	n := new(notebook)
	g := newGate()
	s := newSite(t, sojourn.Config{Observer: n}, g)
	c := s.begin()
	n.read(t, "create")
	g.set(func(context.Context, string) error { panic("in the store") })
	s.nameOf(c)
	n.read(t, "load: the store panicked, or ended its goroutine")
}

func TestObserverOfSeals(t *testing.T) {
	n := new(notebook)
	s := newSealedSite(t, sojourn.Config{Observer: n}, newGate())
	c := s.beginAs("ann")
	n.read(t, "fence", "fence")
	s.ask("POST", c, func(_ http.ResponseWriter, r *http.Request) { name.Put(r.Context(), "x") })
	n.read(t, "fence")
}

// A slowLog prints the questions that took long.
type slowLog struct{ limit time.Duration }

func (s slowLog) Start(ctx context.Context, op sojourn.Op) (context.Context, func(error)) {
	begun := time.Now()
	return ctx, func(err error) {
		if took := time.Since(begun); took >= s.limit {
			fmt.Println("slow:", op.Name, err)
		}
	}
}

// An Observer sees each question to the store. This one prints those that took too long.
func ExampleObserver() {
	m, err := sojourn.New(memstore.New(), sojourn.Config{Observer: slowLog{limit: 0}})
	if err != nil {
		fmt.Println(err)
		return
	}
	name := sojourn.NewKey[string]("name")
	h := m.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name.Put(r.Context(), "Ada")
	}))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	// Output:
	// slow: create <nil>
}
