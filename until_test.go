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

// open begins a stream of the session of c. Its context outlives the request, as that of a hijacked connection does.
func (s *site) open(c string) (until context.Context, cancel context.CancelFunc) {
	s.t.Helper()
	s.look(c, func(ctx context.Context) { until, cancel = s.Until(ctx) })
	return until, cancel
}

// within holds that the streams are told in that time, with that cause.
func within(t *testing.T, d time.Duration, cause error, all ...context.Context) {
	t.Helper()
	deadline := time.After(d)
	for i, until := range all {
		select {
		case <-until.Done():
			if err := context.Cause(until); !errors.Is(err, cause) {
				t.Errorf("stream %d ends with %v, want %v", i, err, cause)
			}
		case <-deadline:
			t.Fatalf("stream %d goes on after %v", i, d)
		}
	}
}

func goesOn(t *testing.T, d time.Duration, until context.Context) {
	t.Helper()
	select {
	case <-until.Done():
		t.Errorf("the stream has ended: %v", context.Cause(until))
	case <-time.After(d):
	}
}

// Whatever ends a session in this process ends its streams at once.
func TestUntilTheSessionEndsHere(t *testing.T) {
	for what, end := range map[string]func(s *site, c, id string){
		"logout": func(s *site, c, _ string) { s.ask("POST", c, s.logout) },
		"RevokeAll": func(s *site, _, _ string) {
			if err := s.RevokeAll(context.Background(), "ann"); err != nil {
				s.t.Error(err)
			}
		},
		"Revoke": func(s *site, _, id string) {
			if err := s.Revoke(context.Background(), "ann", id); err != nil && !s.sealed {
				s.t.Error(err)
			} else if s.sealed {
				s.RevokeAll(context.Background(), "ann")
			}
		},
	} {
		inBubbles(t, sojourn.Config{}, func(t *testing.T, s *site) {
			c := s.beginAs("ann")
			first, cancel := s.open(c)
			defer cancel()
			second, cancel2 := s.open(c)
			defer cancel2()
			other, cancel3 := s.open(s.beginAs("bob"))
			defer cancel3()
			id := ""
			s.look(c, func(ctx context.Context) { id = s.Info(ctx).ID })
			goesOn(t, 10*time.Second, first)
			end(s, c, id)
			t.Log(what)
			within(t, time.Millisecond, sojourn.ErrEnded, first, second)
			goesOn(t, 10*time.Second, other)
		})
	}
}

// What ends in another process is told within a second.
func TestUntilTheSessionEndsElsewhere(t *testing.T) {
	inBubbles(t, sojourn.Config{}, func(t *testing.T, s *site) {
		there := newSite(t, sojourn.Config{}, s.gate)
		if s.sealed {
			there = newSealedSite(t, sojourn.Config{}, s.gate)
		}
		until, cancel := s.open(s.beginAs("ann"))
		defer cancel()
		goesOn(t, time.Minute, until)
		if err := there.RevokeAll(context.Background(), "ann"); err != nil {
			t.Fatal(err)
		}
		within(t, time.Second, sojourn.ErrEnded, until)
	})
}

// A login as somebody else ends the stream, one as the same owner and a Renew do not.
func TestUntilSomebodyElseLogsIn(t *testing.T) {
	onStore(t, sojourn.Config{}, func(t *testing.T, s *site) {
		c := s.beginAs("ann")
		until, cancel := s.open(c)
		defer cancel()
		c = s.ask("POST", c, s.renew).or(c)
		c = s.ask("POST", c, s.login("ann")).or(c)
		goesOn(t, time.Minute, until)
		s.ask("POST", c, s.login("bob"))
		within(t, time.Millisecond, sojourn.ErrEnded, until)
	})
}

// A stream extends no limit, and one whose session is used elsewhere goes on.
func TestUntilTheIdleLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, sojourn.Config{IdleTimeout: time.Hour}, newGate())
		c := s.beginAs("ann")
		until, cancel := s.open(c)
		defer cancel()
		for range 3 {
			goesOn(t, 50*time.Minute, until)
			s.ownerOf(c)
		}
		within(t, time.Hour+time.Second, sojourn.ErrEnded, until)
	})
}

func TestUntilWithoutASession(t *testing.T) {
	inBubbles(t, sojourn.Config{}, func(t *testing.T, s *site) {
		until, cancel := s.open("")
		defer cancel()
		within(t, time.Millisecond, sojourn.ErrEnded, until)
	})
}

// A store that cannot answer ends no stream, but no stream goes on past what was last known to be allowed.
func TestUntilTheStoreAnswersAgain(t *testing.T) {
	down := errors.New("the store is down")
	for what, fail := range map[string]func(context.Context, string) error{
		"fails":  func(context.Context, string) error { return down },
		"panics": func(context.Context, string) error { panic("in the store") },
		"stalls": func(ctx context.Context, _ string) error { <-ctx.Done(); return ctx.Err() },
	} {
		inBubbles(t, sojourn.Config{IdleTimeout: time.Hour, Lifetime: time.Hour}, func(t *testing.T, s *site) {
			t.Log(what)
			until, cancel := s.open(s.beginAs("ann"))
			defer cancel()
			s.gate.set(fail)
			goesOn(t, 30*time.Minute, until)
			if s.events(sojourn.EventUnavailable, "until") == 0 {
				t.Error("nobody is told that the store does not answer")
			}
			s.gate.set(nil)
			goesOn(t, 20*time.Minute, until)
			s.gate.set(fail)
			<-until.Done()
			if err := context.Cause(until); !sojourn.Unavailable(err) {
				t.Errorf("at its limit it ends with %v", err)
			}
		})
	}
}

// Ten thousand streams have one goroutine, which ends with the last of them. In a bubble one that is left
// would be found.
func TestUntilLeavesNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, sojourn.Config{}, newGate())
		c := s.beginAs("ann")
		ctx, gone := context.WithCancel(context.Background())
		s.look(c, func(r context.Context) {
			for i := range 10_000 {
				until, cancel := s.Until(r)
				if i%2 == 0 {
					cancel()
				} else {
					context.AfterFunc(ctx, cancel)
				}
				_ = until
			}
		})
		s.gate.set(nil) // counts anew
		time.Sleep(10 * time.Second)
		if loads := s.gate.count("load"); loads < 10 || loads > 25 {
			t.Errorf("%d loads in ten seconds for one session", loads)
		}
		gone()
		time.Sleep(time.Second)
		s.gate.set(nil)
		time.Sleep(10 * time.Second)
		if loads := s.gate.count("load"); loads != 0 {
			t.Errorf("%d loads when nobody waits any more", loads)
		}
	})
}

// A stream of server-sent events ends when its session does.
func ExampleManager_Until() {
	m, err := sojourn.New(memstore.New(), sojourn.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	events := func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := m.Until(r.Context())
		defer cancel()
		w.Header().Set("Content-Type", "text/event-stream")
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				fmt.Fprintf(w, "event: bye\ndata: %v\n\n", context.Cause(ctx))
				return
			case now := <-tick.C:
				fmt.Fprintf(w, "data: %s\n\n", now.Format(time.TimeOnly))
			}
		}
	}
	w := httptest.NewRecorder()
	m.LoadAndSave(http.HandlerFunc(events)).ServeHTTP(w, httptest.NewRequest("GET", "/events", nil)) // shows no session
	fmt.Print(w.Body)
	// Output:
	// event: bye
	// data: sojourn: session has ended
}
