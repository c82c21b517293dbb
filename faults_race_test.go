package sojourn_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
)

var state = sojourn.NewKey[string]("state")

// A race is a handler in which another goroutine than the one that writes the response asks the session.
type race struct {
	name   string
	handle func(s *site, out *outcomes) http.Handler
	kept   bool // what a Commit that succeeded has promised has to arrive
}

// outcomes are what the Commits of the requests have come to, by the number that a request carries.
type outcomes struct{ of sync.Map }

func (o *outcomes) note(r *http.Request, err error) { o.room(r.Header.Get("X-Number")) <- err }
func (o *outcomes) room(n string) chan error {
	c, _ := o.of.LoadOrStore(n, make(chan error, 1))
	return c.(chan error)
}

// late does everything to the session once its time is over, as a handler does that nobody stops.
func late(s *site, out *outcomes) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		w.Header().Set("X-Late", "1")
		name.Put(r.Context(), "late")
		_ = s.Login(r.Context(), "bob")
		out.note(r, s.Commit(r.Context()))
		http.SetCookie(w, &http.Cookie{Name: "own", Value: "1"})
		_, _ = io.WriteString(w, "done")
	})
}

// beside has do run in a goroutine of its own while the handler sets headers.
func beside(do func(ctx context.Context, r *http.Request)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			do(r.Context(), r)
		}()
		for range 200 {
			w.Header().Set("X-Busy", "1")
		}
		<-done
	})
}

var races = []race{
	{"http.TimeoutHandler inside", func(s *site, out *outcomes) http.Handler {
		return s.LoadAndSave(http.TimeoutHandler(late(s, out), time.Millisecond, ""))
	}, true},
	{"http.TimeoutHandler outside", func(s *site, out *outcomes) http.Handler {
		return http.TimeoutHandler(s.LoadAndSave(late(s, out)), time.Millisecond, "")
	}, false},
	{"a goroutine takes", func(s *site, out *outcomes) http.Handler {
		return s.LoadAndSave(beside(func(ctx context.Context, r *http.Request) {
			state.Put(ctx, "x")
			_, _, err := state.Take(ctx)
			out.note(r, err)
		}))
	}, false},
	{"a goroutine logs in", func(s *site, out *outcomes) http.Handler {
		return s.LoadAndSave(beside(func(ctx context.Context, r *http.Request) {
			_ = s.Login(ctx, "bob")
			out.note(r, s.Commit(ctx))
		}))
	}, true},
	{"a goroutine logs in further in", func(s *site, out *outcomes) http.Handler {
		outer := newSite(s.t, sojourn.Config{Cookie: sojourn.Cookie{Name: "__Host-outer"}}, newGate())
		return outer.LoadAndSave(s.LoadAndSave(beside(func(ctx context.Context, r *http.Request) {
			name.In(outer.Manager).Put(ctx, "x")
			_ = outer.Commit(ctx)
			_ = s.Login(ctx, "bob")
			out.note(r, s.Commit(ctx))
		})))
	}, true},
}

func raceRequests(t *testing.T) int {
	if n, err := strconv.Atoi(os.Getenv("SOJOURN_RACE_REQUESTS")); err == nil {
		return n
	}
	if testing.Short() {
		return 2_000
	}
	return 100_000
}

// F1: no request can end the process, and a login that was answered with nil arrives.
func TestF1_NoRequestEndsTheProcess(t *testing.T) {
	each := raceRequests(t) / (2 * len(races))
	for _, x := range races {
		t.Run(x.name, func(t *testing.T) {
			onBoth(t, sojourn.Config{}, func(t *testing.T, s *site) { x.run(t, s, each) })
		})
	}
}

func (x *race) run(t *testing.T, s *site, requests int) {
	var out outcomes
	server := httptest.NewServer(x.handle(s, &out))
	defer server.Close()
	const clients = 32
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	defer client.CloseIdleConnections()
	numbers := make(chan int)
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for n := range numbers {
				x.one(t, client, server.URL, &out, strconv.Itoa(n))
			}
		})
	}
	for n := range requests {
		numbers <- n
	}
	close(numbers)
	all.Wait()
}

func (x *race) one(t *testing.T, client *http.Client, url string, out *outcomes, n string) {
	r, err := http.NewRequest(http.MethodPost, url, nil)
	if err != nil {
		t.Error(err)
		return
	}
	r.Header.Set("X-Number", n)
	res, err := client.Do(r)
	if err != nil {
		t.Errorf("request %s: %v", n, err)
		return
	}
	defer res.Body.Close()
	a := reply{}.of(res)
	if err := <-out.room(n); x.kept && (err == nil) != (a.set != "") {
		t.Errorf("request %s: Commit said %v, and the response of status %d sets the cookie %q", n, err, a.code, a.set)
	}
	out.of.Delete(n)
}
