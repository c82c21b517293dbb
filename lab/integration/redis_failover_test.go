package integration

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/lab/harness"
	"github.com/gosojourn/sojourn/redisstore"
)

const failoverTimeout = time.Second // of each exchange

// slowest notes how long the slowest exchange took.
type slowest struct {
	sojourn.Store
	took atomic.Int64
}

func (s *slowest) note(began time.Time) {
	for d := int64(time.Since(began)); ; {
		if old := s.took.Load(); d <= old || s.took.CompareAndSwap(old, d) {
			return
		}
	}
}

func (s *slowest) Load(ctx context.Context, id string) (sojourn.Record, error) {
	defer s.note(time.Now())
	return s.Store.Load(ctx, id)
}

func (s *slowest) Create(ctx context.Context, r sojourn.Record) error {
	defer s.note(time.Now())
	return s.Store.Create(ctx, r)
}

func (s *slowest) Update(ctx context.Context, r sojourn.Record, version uint64) error {
	defer s.note(time.Now())
	return s.Store.Update(ctx, r, version)
}

func (s *slowest) Delete(ctx context.Context, id string, version uint64) error {
	defer s.note(time.Now())
	return s.Store.Delete(ctx, id, version)
}

// A primary dies under load and its replica takes over. What was acknowledged is counted afterwards: where
// replicas are waited for nothing is lost and nobody who logged out comes back; where not, how many is
// told. The application goes on by itself.
func TestRedisFailover(t *testing.T) {
	cluster := func(t *testing.T) (rueidis.Client, func(key string), func()) {
		c := harness.StartRedisCluster(t)
		return redisClient(t, nil, c.Addrs()...), c.KillPrimary, c.StartKilled
	}
	sentinel := func(t *testing.T) (rueidis.Client, func(key string), func()) {
		s := harness.StartRedisSentinel(t)
		c := redisClient(t, func(o *rueidis.ClientOption) { o.Sentinel.MasterSet = "main" }, s.Addrs()...)
		return c, func(string) { s.KillPrimary() }, func() {}
	}
	for _, c := range []struct {
		name string
		open func(t *testing.T) (c rueidis.Client, kill func(key string), restart func())
		wait int
	}{
		{"cluster, waiting for a replica", cluster, 1},
		{"cluster", cluster, 0},
		{"sentinel", sentinel, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			client, kill, restart := c.open(t)
			store := &slowest{Store: redisStore(t, client, redisstore.Options{Prefix: "sojourn:", WaitReplicas: c.wait, WaitTimeout: failoverTimeout / 2})}
			m := managerOn(t, store, sojourn.Config{StoreTimeout: failoverTimeout, Logger: quiet})
			f := &failover{m: m}
			f.begin(t, 60, 1000)

			load, stop := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					for load.Err() == nil {
						f.count(rand.IntN(len(f.counted)))
						if i := int(f.next.Add(1)); i%20 == 0 && i/20 < len(f.ending) {
							f.logOut(i / 20)
						}
					}
				})
			}
			time.Sleep(500 * time.Millisecond)
			kill("sojourn:s:" + f.counted[0].id)
			killed := time.Now()
			time.Sleep(3 * time.Second)
			restart() // without a replica there would be nobody to wait for
			for f.count(0); !f.count(0); time.Sleep(10 * time.Millisecond) {
				if time.Since(killed) > 30*time.Second {
					t.Fatal("it does not recover")
				}
			}
			recovered := time.Since(killed)
			stop()
			wg.Wait()

			lost, revived, acked, ended := f.judge(t)
			t.Logf("%d acknowledged increments, %d lost; %d acknowledged logouts, %d came back; whole again after %v; slowest exchange %v",
				acked, lost, ended, revived, recovered.Round(time.Millisecond), time.Duration(store.took.Load()).Round(time.Millisecond))
			if c.wait > 0 && (lost > 0 || revived > 0) {
				t.Errorf("%d acknowledged increments are lost and %d logouts undone, although a replica had them", lost, revived)
			}
			if took := time.Duration(store.took.Load()); took > failoverTimeout+500*time.Millisecond {
				t.Errorf("an exchange took %v, StoreTimeout is %v", took, failoverTimeout)
			}
			if ended == 0 || acked < 100 {
				t.Errorf("%d increments and %d logouts: little is tested", acked, ended)
			}
		})
	}
}

type failover struct {
	m       *sojourn.Manager
	counted []*acknowledged
	ending  []*acknowledged
	next    atomic.Int64
}

// acknowledged is a session, and what the application was told had been done to it.
type acknowledged struct {
	cookie, id string
	n          atomic.Int64
	ended      atomic.Bool
}

func (f *failover) begin(t *testing.T, counted, ending int) {
	one := func() *acknowledged {
		w := visit(f.m, "POST", "", func(_ http.ResponseWriter, r *http.Request) { clicks.Put(r.Context(), 0) })
		a := &acknowledged{cookie: cookieOf(w)}
		if w.Code != 200 || a.cookie == "" {
			t.Fatalf("no session was begun: %d", w.Code)
		}
		visit(f.m, "GET", a.cookie, func(_ http.ResponseWriter, r *http.Request) { a.id = f.m.Info(r.Context()).ID })
		return a
	}
	for range counted {
		f.counted = append(f.counted, one())
	}
	for range ending {
		f.ending = append(f.ending, one())
	}
}

func (f *failover) count(i int) (ok bool) {
	a := f.counted[i]
	if ok = visit(f.m, "POST", a.cookie, plusOne).Code == 200; ok {
		a.n.Add(1)
	}
	return ok
}

func (f *failover) logOut(i int) {
	w := visit(f.m, "POST", f.ending[i].cookie, func(_ http.ResponseWriter, r *http.Request) { _ = f.m.Logout(r.Context()) })
	if w.Code == 200 {
		f.ending[i].ended.Store(true)
	}
}

// judge reads everything once more.
func (f *failover) judge(t *testing.T) (lost, revived, acked, ended int64) {
	read := func(a *acknowledged) (n int, live bool) {
		for range 50 {
			w := visit(f.m, "POST", a.cookie, func(_ http.ResponseWriter, r *http.Request) {
				n, live = clicks.Get(r.Context()), f.m.Info(r.Context()).ID != ""
			})
			if w.Code == 200 {
				return n, live
			}
			time.Sleep(100 * time.Millisecond)
		}
		t.Error("a session cannot be read")
		return 0, false
	}
	for _, a := range f.counted {
		n, _ := read(a)
		acked += a.n.Load()
		lost += max(0, a.n.Load()-int64(n))
	}
	for _, a := range f.ending {
		if a.ended.Load() {
			ended++
			if _, live := read(a); live {
				revived++
			}
		}
	}
	return lost, revived, acked, ended
}

// quiet is for tests whose outages are many and meant.
var quiet = slog.New(slog.DiscardHandler)
