package integration

import (
	"context"
	"errors"
	"regexp"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/lab/harness"
	"github.com/gosojourn/sojourn/redisstore"
)

// allCalls makes every call of a store, under contexts of their own that end soon, and answers the longest
// time that one took beyond.
func allCalls(t *testing.T, s *redisstore.Store, soon time.Duration, cancels bool) (worst time.Duration, name string) {
	t.Helper()
	r := newRecord("")
	next := newRecord("bob")
	next.ID = r.ID
	var mu sync.Mutex
	var wg sync.WaitGroup
	for call, do := range map[string]func(ctx context.Context) error{
		"Load":        func(ctx context.Context) error { _, err := s.Load(ctx, r.ID); return err },
		"LoadNear":    func(ctx context.Context) error { _, _, err := s.LoadNear(ctx, r.ID); return err },
		"Create":      func(ctx context.Context) error { return s.Create(ctx, newRecord("bob")) },
		"Update":      func(ctx context.Context) error { return s.Update(ctx, next, r.Version) },
		"Touch":       func(ctx context.Context) error { return s.Touch(ctx, r) },
		"Delete":      func(ctx context.Context) error { return s.Delete(ctx, r.ID, r.Version) },
		"Fence":       func(ctx context.Context) error { _, _, err := s.Fence(ctx, "bob"); return err },
		"RevokeOwner": func(ctx context.Context) error { _, err := s.RevokeOwner(ctx, "bob", ""); return err },
		"ListOwner": func(ctx context.Context) (err error) {
			for _, err = range s.ListOwner(ctx, "bob") {
			}
			return err
		},
	} {
		for range 10 {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), soon)
				if cancels {
					ctx, cancel = context.WithCancel(t.Context())
					defer time.AfterFunc(soon, cancel).Stop()
				}
				defer cancel()
				began := time.Now()
				_ = do(ctx)
				took := time.Since(began) - soon
				mu.Lock()
				defer mu.Unlock()
				if took > worst {
					worst, name = took, call
				}
			})
		}
	}
	wg.Wait()
	return worst, name
}

// A server that is silent, so that each connection has to be made anew and none comes about.
func TestRedisCallsEndWithTheirContexts(t *testing.T) {
	const soon, grace = 150 * time.Millisecond, 350 * time.Millisecond
	server := harness.StartRedis(t)
	for name, o := range map[string]redisstore.Options{
		"plain":         {Near: time.Second},
		"with replicas": {WaitReplicas: 1, WaitTimeout: 10 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			proxy := harness.NewProxy(t, server.Addr())
			client := redisClient(t, func(o *rueidis.ClientOption) { o.Dialer.Timeout, o.ConnWriteTimeout = 5*time.Second, 5*time.Second }, proxy.Addr())
			s := redisStore(t, client, o)
			proxy.Refuse()
			ctx, cancel := context.WithTimeout(t.Context(), soon)
			defer cancel()
			if _, err := s.Load(ctx, newRecord("").ID); err == nil {
				t.Fatal("there is no connection, and Load answers")
			}
			proxy.BlackHole()
			for _, cancels := range []bool{false, true} {
				if worst, call := allCalls(t, s, soon, cancels); worst > grace {
					t.Errorf("%s took %v longer than its context (which was canceled: %v), want at most %v", call, worst, cancels, grace)
				}
			}
			proxy.Heal()
			ctx, cancel = context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			_, err := s.Load(ctx, newRecord("").ID)
			for ; !errors.Is(err, sojourn.ErrNotFound) && ctx.Err() == nil; _, err = s.Load(ctx, newRecord("").ID) {
			}
			if ctx.Err() != nil {
				t.Errorf("it does not recover: %v", err)
			}
		})
	}
}

// What was given up while writes stalled is gone afterwards: goroutines here, connections there.
func TestF10_RedisGivesBackWhatWasGivenUp(t *testing.T) {
	server := harness.StartRedis(t)
	client := redisClient(t, nil, server.Addr())
	s := redisStore(t, client, redisstore.Options{Prefix: "sojourn:"})
	connections := func() string {
		return regexp.MustCompile(`connected_clients:\d+`).FindString(server.CLI("INFO", "clients"))
	}
	allCalls(t, s, time.Minute, false)
	goroutines, before := runtime.NumGoroutine(), connections()

	server.CLI("CLIENT", "PAUSE", "60000", "WRITE")
	for _, cancels := range []bool{false, true} {
		if worst, call := allCalls(t, s, 100*time.Millisecond, cancels); worst > 900*time.Millisecond {
			t.Errorf("%s took %v longer than its context", call, worst)
		}
	}
	server.CLI("CLIENT", "UNPAUSE")
	if err := s.Create(t.Context(), newRecord("bob")); err != nil {
		t.Errorf("Create after the stall: %v", err)
	}
	for end := time.Now().Add(20 * time.Second); ; {
		now, there := runtime.NumGoroutine(), connections()
		if now <= goroutines+2 && there == before {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d goroutines and %s, before the stall there were %d and %s", now, there, goroutines, before)
		}
	}
}
