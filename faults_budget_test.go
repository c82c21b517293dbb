package sojourn_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
)

// A door is a public call that may ask the keeper.
type door struct {
	name  string
	both  bool // sealed sessions have it too
	login bool // the request's session is bob's
	call  func(s *site, w http.ResponseWriter, r *http.Request) error
}

var doorsOfKeepers = []door{
	{"Load", true, true, func(s *site, _ http.ResponseWriter, r *http.Request) error { return s.Load(r.Context()) }},
	{"Commit of a Put", false, true, func(s *site, _ http.ResponseWriter, r *http.Request) error {
		name.Put(r.Context(), "x")
		return s.Commit(r.Context())
	}},
	{"Commit of a Login", true, false, func(s *site, _ http.ResponseWriter, r *http.Request) error {
		_ = s.Login(r.Context(), "bob")
		return s.Commit(r.Context())
	}},
	{"Commit of a Logout", false, true, func(s *site, _ http.ResponseWriter, r *http.Request) error {
		_ = s.Logout(r.Context())
		return s.Commit(r.Context())
	}},
	{"Commit of a Renew", false, true, func(s *site, _ http.ResponseWriter, r *http.Request) error {
		_ = s.Renew(r.Context())
		return s.Commit(r.Context())
	}},
	{"Commit of a Remember", false, true, func(s *site, _ http.ResponseWriter, r *http.Request) error {
		s.Remember(r.Context(), true)
		return s.Commit(r.Context())
	}},
	{"Take", false, true, func(s *site, _ http.ResponseWriter, r *http.Request) error {
		_, _, err := name.Take(r.Context())
		return err
	}},
	{"Take of nothing", false, true, func(s *site, _ http.ResponseWriter, r *http.Request) error {
		_, _, err := state.Take(r.Context())
		return err
	}},
	{"Valid", true, true, func(s *site, _ http.ResponseWriter, r *http.Request) error { return s.Valid(r.Context()) }},
	{"RevokeAll", true, true, func(s *site, _ http.ResponseWriter, r *http.Request) error { return s.RevokeAll(r.Context(), "bob") }},
	{"RevokeOthers", true, true, func(s *site, _ http.ResponseWriter, r *http.Request) error { return s.RevokeOthers(r.Context()) }},
	{"RevokeOthers after a Login", true, false, func(s *site, _ http.ResponseWriter, r *http.Request) error {
		_ = s.Login(r.Context(), "bob")
		return s.RevokeOthers(r.Context())
	}},
	{"Revoke", false, true, func(s *site, _ http.ResponseWriter, r *http.Request) error {
		return s.Revoke(r.Context(), "bob", s.Info(r.Context()).ID)
	}},
	{"List", false, true, func(s *site, _ http.ResponseWriter, r *http.Request) error {
		for _, err := range s.List(r.Context(), "bob") {
			if err != nil {
				return err
			}
		}
		return nil
	}},
	{"RequireFresh", true, true, func(s *site, w http.ResponseWriter, r *http.Request) error {
		return inner503(s.RequireFresh(time.Hour, http.NotFoundHandler())(http.NotFoundHandler()), r)
	}},
	{"StatusHandler", true, true, func(s *site, w http.ResponseWriter, r *http.Request) error {
		return inner503(s.StatusHandler(), r)
	}},
}

// inner503 answers an error if h answers 503.
func inner503(h http.Handler, r *http.Request) error {
	if a := serve(h, r); a.code == 503 {
		return fmt.Errorf("%d %s", a.code, a.body)
	}
	return nil
}

// each tells of every door; before says what the store is to do from then on. The request's session has been
// loaded by then, unless it is the load that is told of.
func eachDoor(t *testing.T, cfg sojourn.Config, before func(s *site), tell func(t *testing.T, s *site, took time.Duration, err error)) {
	for _, d := range doorsOfKeepers {
		t.Run(d.name, func(t *testing.T) {
			run := func(t *testing.T, s *site) {
				c := ""
				if d.login {
					c = s.ask("POST", "", func(w http.ResponseWriter, r *http.Request) {
						name.Put(r.Context(), "first")
						s.login("bob")(w, r)
					}).set
				}
				s.ask("GET", c, func(w http.ResponseWriter, r *http.Request) {
					if d.name != "Load" {
						_ = s.Load(r.Context())
					}
					// A fence that was read a moment ago would do for a while.
					time.Sleep(time.Minute)
					before(s)
					began := time.Now()
					err := d.call(s, w, r)
					tell(t, s, time.Since(began), err)
					s.gate.set(nil)
				})
			}
			if d.both && cfg.MaxPerOwner == 0 {
				inBubbles(t, cfg, run)
			} else {
				onStore(t, cfg, run)
			}
		})
	}
}

// F10, F16: whatever the keeper is asked, and whatever it does not answer, is over within StoreTimeout.
func TestF10_EachDoorIsOverInTime(t *testing.T) {
	cfg := sojourn.Config{StoreTimeout: 2 * time.Second}
	eachDoor(t, cfg, func(s *site) { s.gate.set(stall(everything)) }, func(t *testing.T, s *site, took time.Duration, err error) {
		if took > cfg.StoreTimeout || err == nil {
			t.Errorf("%v after %v, want an error within StoreTimeout (%v)", err, took, cfg.StoreTimeout)
		}
	})
}

// F10: a store that answers, but late, adds up: the whole call has StoreTimeout, not each question.
func TestF10_SlowAnswersShareTheTime(t *testing.T) {
	for _, each := range []time.Duration{300 * time.Millisecond, 700 * time.Millisecond, 1400 * time.Millisecond} {
		t.Run(each.String(), func(t *testing.T) {
			cfg := sojourn.Config{StoreTimeout: 2 * time.Second}
			eachDoor(t, cfg, func(s *site) { s.gate.set(slow(each)) }, func(t *testing.T, s *site, took time.Duration, err error) {
				if took > cfg.StoreTimeout {
					t.Errorf("%v after %v, want it within StoreTimeout (%v)", err, took, cfg.StoreTimeout)
				}
			})
		})
	}
}

// F16: a login past MaxPerOwner lists and ends; all of it has one StoreTimeout.
func TestF16_LimitHasTheTimeOfTheLogin(t *testing.T) {
	cfg := sojourn.Config{StoreTimeout: 2 * time.Second, MaxPerOwner: 1}
	for what, hook := range map[string]func(context.Context, string) error{
		"silent in ListOwner": stall(only("list")),
		"silent in Delete":    stall(only("delete")),
		"late, and silent in ListOwner": func(ctx context.Context, op string) error {
			if op == "fence" {
				return slow(900*time.Millisecond)(ctx, op)
			}
			return stall(only("list"))(ctx, op)
		},
		"slow":   slow(300 * time.Millisecond),
		"slower": slow(900 * time.Millisecond),
	} {
		t.Run(what, func(t *testing.T) {
			onStore(t, cfg, func(t *testing.T, s *site) {
				more, err := sojourn.New(s.gate, sojourn.Config{}) // has no limit, so there is something to end
				if err != nil {
					t.Fatal(err)
				}
				for range 6 {
					ask(more, "", func(_ http.ResponseWriter, r *http.Request) { _ = more.Login(r.Context(), "bob") })
				}
				s.gate.set(hook)
				s.ask("POST", "", func(w http.ResponseWriter, r *http.Request) {
					s.login("bob")(w, r)
					began := time.Now()
					err := s.Commit(r.Context())
					if took := time.Since(began); took > cfg.StoreTimeout || !sojourn.Unavailable(err) {
						t.Errorf("%v after %v, want Unavailable within %v", err, took, cfg.StoreTimeout)
					}
				})
			})
		})
	}
}

// F10: writes stall and reads answer: each of many requests of one session is answered in time, and nothing
// waits behind them.
func TestF10_WritesStall(t *testing.T) {
	cfg := sojourn.Config{StoreTimeout: time.Second}
	changes := map[string]func(s *site) http.HandlerFunc{
		"Put": func(s *site) http.HandlerFunc { return putName },
		"Update": func(s *site) http.HandlerFunc {
			return func(_ http.ResponseWriter, r *http.Request) { count.Update(r.Context(), plusOne) }
		},
		"Renew":  func(s *site) http.HandlerFunc { return s.renew },
		"Login":  func(s *site) http.HandlerFunc { return s.login("bob") },
		"Logout": func(s *site) http.HandlerFunc { return s.logout },
		"Remember": func(s *site) http.HandlerFunc {
			return func(_ http.ResponseWriter, r *http.Request) { s.Remember(r.Context(), true) }
		},
	}
	for what, change := range changes {
		for _, n := range []int{1, 10} {
			t.Run(fmt.Sprintf("%s, %d at once", what, n), func(t *testing.T) {
				onStore(t, cfg, func(t *testing.T, s *site) {
					c := s.begin()
					s.gate.set(stall(writes))
					var all sync.WaitGroup
					for range n {
						all.Go(func() {
							began := time.Now()
							a := s.ask("POST", c, change(s))
							if took := time.Since(began); took > cfg.StoreTimeout+cfg.StoreTimeout/10 || a.code != 503 {
								t.Errorf("answered %d after %v", a.code, took)
							}
						})
					}
					all.Wait()
					s.gate.set(nil)
					began := time.Now()
					if a := s.ask("POST", c, putName); a.code != 200 || time.Since(began) > 0 {
						t.Errorf("afterwards, a request is answered %d after %v", a.code, time.Since(began))
					}
				})
			})
		}
	}
}

// F11: a refusal is an answer: one question, its words in the error and in the event.
func TestF11_RefusalIsAnAnswer(t *testing.T) {
	readOnly := fmt.Errorf("gate: the database is read-only: %w", sojourn.ErrRefused)
	changes := map[string]struct {
		handle func(s *site) http.HandlerFunc
		op     string
	}{
		"Put":    {func(s *site) http.HandlerFunc { return putName }, "update"},
		"Renew":  {func(s *site) http.HandlerFunc { return s.renew }, "update"},
		"Login":  {func(s *site) http.HandlerFunc { return s.login("bob") }, "update"},
		"Logout": {func(s *site) http.HandlerFunc { return s.logout }, "delete"},
		"Take": {func(s *site) http.HandlerFunc {
			return func(_ http.ResponseWriter, r *http.Request) { _, _, _ = name.Take(r.Context()) }
		}, "update"},
		"Revoke": {func(s *site) http.HandlerFunc {
			return func(_ http.ResponseWriter, r *http.Request) {
				if err := s.Revoke(r.Context(), "bob", s.Info(r.Context()).ID); !errors.Is(err, sojourn.ErrRefused) {
					s.t.Errorf("Revoke: %v", err)
				}
			}
		}, "delete"},
		"a first value": {nil, "create"},
	}
	for what, change := range changes {
		t.Run(what, func(t *testing.T) {
			onStore(t, sojourn.Config{}, func(t *testing.T, s *site) {
				c, h := s.ask("POST", "", func(w http.ResponseWriter, r *http.Request) { putName(w, r); s.login("bob")(w, r) }).set, http.HandlerFunc(putName)
				if change.handle != nil {
					h = change.handle(s)
				} else {
					c = ""
				}
				s.gate.set(down(writes, readOnly))
				var err error
				began := time.Now()
				s.ask("POST", c, func(w http.ResponseWriter, r *http.Request) {
					h(w, r)
					err = s.Commit(r.Context())
				})
				if n := s.gate.count(change.op); n != 1 || s.gate.count("load") > 2 || time.Since(began) > 0 {
					t.Errorf("%d times %s, %d loads, %v", n, change.op, s.gate.count("load"), time.Since(began))
				}
				if what == "Take" || what == "Revoke" {
					return // they answer themselves
				}
				e := s.lastEvent(sojourn.EventUnavailable)
				if !sojourn.Unavailable(err) || !errors.Is(err, sojourn.ErrRefused) || !strings.Contains(err.Error(), "read-only") {
					t.Errorf("Commit: %v", err)
				}
				if e.Err == nil || !strings.Contains(e.Err.Error(), "read-only") {
					t.Errorf("the event says %v", e.Err)
				}
			})
		})
	}
}

// F12: a handler that holds the only connection and asks the session is answered, and so are those behind it.
func TestF12_HandlerHoldsTheOnlyConnection(t *testing.T) {
	onStore(t, sojourn.Config{StoreTimeout: time.Second}, func(t *testing.T, s *site) {
		c := s.begin()
		pool := make(chan struct{}, 1)
		s.gate.set(func(ctx context.Context, op string) error {
			select {
			case pool <- struct{}{}:
				<-pool
				return nil
			case <-ctx.Done():
				return fmt.Errorf("no connection: %w", ctx.Err())
			}
		})
		began := time.Now()
		a := s.ask("GET", c, func(w http.ResponseWriter, r *http.Request) {
			pool <- struct{}{} // the handler begins a transaction
			name.Get(r.Context())
			_, _ = io.WriteString(w, "page")
			<-pool
		})
		if took := time.Since(began); took > time.Second || a.code != 503 {
			t.Errorf("answered %d after %v", a.code, took)
		}
		if e := s.lastEvent(sojourn.EventUnavailable); e.Err == nil || !strings.Contains(e.Err.Error(), "no connection") {
			t.Errorf("the event says %v", e.Err)
		}
		if v := s.nameOf(c); v != "first" {
			t.Errorf("the next request reads %q", v)
		}
	})
}

// F18: a touch that fails is tried once in a request.
func TestF18_OneTouchARequest(t *testing.T) {
	for what, hook := range map[string]func(context.Context, string) error{
		"fails":   down(only("touch"), errFire),
		"refused": down(only("touch"), fmt.Errorf("read-only: %w", sojourn.ErrRefused)),
		"raced":   down(only("touch"), sojourn.ErrConflict),
	} {
		t.Run(what, func(t *testing.T) {
			onStore(t, sojourn.Config{}, func(t *testing.T, s *site) {
				c := s.begin()
				time.Sleep(30 * time.Minute)
				s.gate.set(hook)
				a := s.ask("GET", c, func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.WriteString(w, name.Get(r.Context()))
					s.commit(r.Context())
				})
				if n := s.gate.count("touch"); n != 1 || a.code != 200 || a.body != "first" {
					t.Errorf("%d touches; %d %q", n, a.code, a.body)
				}
			})
		})
	}
}
