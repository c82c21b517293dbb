package model

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
)

// Races is what became of logins that raced with revocations of their owner.
type Races struct {
	Schedules int
	InFlight  int // logins whose request had begun when a revocation was asked for
	Survived  int // of these: they are logged in after all
	Later     int // logins whose request began after the last revocation had returned
	Refused   int // of these
	Why       map[string]int
}

func (r *Races) String() string {
	return fmt.Sprintf("%d schedules: of %d logins in flight %d survived; of %d that began after the revocation %d were refused",
		r.Schedules, r.InFlight, r.Survived, r.Later, r.Refused)
}

// Race runs schedules of logins and revocations of one owner on hosts whose clocks are apart.
func Race(t *testing.T, schedules int, seed uint64, apart ...time.Duration) (sum Races) {
	const together = 500 // schedules in one bubble
	for n := 0; n < schedules; n += together {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, uint64(n)))
			for range min(together, schedules-n) {
				race(t, r, apart, &sum)
			}
		})
	}
	return sum
}

// A contest is one schedule of them. Who is where when is a matter of how long everything takes: people come
// within a second, a password takes a while, and each exchange has its way to the store and back.
type contest struct {
	mu     sync.Mutex
	random *rand.Rand
}

// within sleeps for some of a time.
func (c *contest) within(least, most time.Duration) {
	c.mu.Lock()
	d := least + time.Duration(c.random.Int64N(int64(most-least)))
	c.mu.Unlock()
	time.Sleep(d)
}

// there is a call's way to the store, on which it may be held up.
func (c *contest) there() {
	c.mu.Lock()
	slow := c.random.IntN(10) == 0
	c.mu.Unlock()
	if slow {
		c.within(time.Millisecond, 50*time.Millisecond)
		return
	}
	c.back()
}

func (c *contest) back() { c.within(50*time.Microsecond, time.Millisecond) }

// A try is one login.
type try struct {
	begun time.Time
	set   []string
	err   error
}

func race(t *testing.T, random *rand.Rand, apart []time.Duration, sum *Races) {
	c := &contest{random: rand.New(rand.NewPCG(random.Uint64(), 1))}
	inner := newFences()
	var hosts []*sojourn.Manager
	for _, ahead := range apart {
		m, err := sojourn.New(&host{c, inner, ahead}, sojourn.Config{Logger: slog.New(slog.DiscardHandler), Lifetime: 400 * 24 * time.Hour, IdleTimeout: sojourn.NoIdleTimeout})
		if err != nil {
			t.Fatal(err)
		}
		hosts = append(hosts, m)
	}
	tries := make([]*try, 2+random.IntN(3))
	var asked, returned []time.Time
	var wg sync.WaitGroup
	for i := range tries {
		m := hosts[random.IntN(len(hosts))]
		wg.Go(func() {
			c.within(0, time.Second)
			tries[i] = &try{begun: time.Now()}
			tries[i].login(c, m)
		})
	}
	for range 1 + random.IntN(2) {
		m := hosts[random.IntN(len(hosts))]
		wg.Go(func() {
			c.within(0, time.Second)
			begun := time.Now()
			if err := m.RevokeAll(context.Background(), "alice"); err != nil {
				t.Error(err)
			}
			c.mu.Lock()
			asked, returned = append(asked, begun), append(returned, time.Now())
			c.mu.Unlock()
		})
	}
	wg.Wait()
	sum.Schedules++
	sum.count(hosts, tries, asked, returned)
}

func (x *try) login(c *contest, m *sojourn.Manager) {
	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", "https://"+jarHost+"/", nil)
	m.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		c.within(time.Millisecond, 300*time.Millisecond) // the password
		if x.err = m.Login(r.Context(), "alice"); x.err == nil {
			x.err = m.Commit(r.Context())
		}
	})).ServeHTTP(w, r)
	x.set = w.Result().Header["Set-Cookie"]
}

// count sees who is logged in, now that all is over.
func (r *Races) count(hosts []*sojourn.Manager, tries []*try, asked, returned []time.Time) {
	for _, x := range tries {
		inFlight, later := false, true
		for i := range asked {
			inFlight = inFlight || x.begun.Before(asked[i])
			later = later && x.begun.After(returned[i])
		}
		switch {
		case inFlight:
			r.InFlight++
			if x.lives(hosts) {
				r.Survived++
			}
		case later:
			r.Later++
			if x.err != nil {
				r.Refused++
			}
		}
	}
}

// lives asks each host, because one that is years ahead takes the others' sessions for expired.
func (x *try) lives(hosts []*sojourn.Manager) (yes bool) {
	var j jar
	j.take(x.set, time.Now())
	for _, m := range hosts {
		r := httptest.NewRequest("GET", "https://"+jarHost+"/", nil)
		for _, p := range j.pairs(time.Now()) {
			r.Header.Add("Cookie", p)
		}
		m.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			yes = yes || m.Info(r.Context()).Owner == "alice"
		})).ServeHTTP(httptest.NewRecorder(), r)
	}
	return yes
}

// fences is a store that keeps the age of each fence by its own clock, to the microsecond, as those do that
// several hosts share.
type fences struct {
	*memstore.Store
	mu     sync.Mutex
	number uint64
	raised time.Time
}

func newFences() *fences { return &fences{Store: memstore.New()} }

func (f *fences) Fence(context.Context, string) (uint64, time.Duration, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.number == 0 {
		return 0, 0, nil
	}
	return f.number, time.Since(f.raised).Truncate(time.Microsecond), nil
}

func (f *fences) RevokeOwner(ctx context.Context, owner, keep string) (uint64, error) {
	f.mu.Lock()
	f.number = max(f.number+1, uint64(time.Now().UnixMilli()))
	f.raised = time.Now()
	number := f.number
	f.mu.Unlock()
	_, err := f.Store.RevokeOwner(ctx, owner, keep)
	return number, err
}

// A host sees the store from a wall clock of its own: to be ahead is to see all its times put back by as
// much, and the fences, which are milliseconds since 1970.
type host struct {
	c     *contest
	store *fences
	ahead time.Duration
}

func (h *host) in(r sojourn.Record) sojourn.Record {
	r.Expiry, r.Seen, r.Fence = r.Expiry.Add(-h.ahead), r.Seen.Add(-h.ahead), h.seen(r.Fence)
	return r
}

func (h *host) out(r sojourn.Record) sojourn.Record {
	r.Expiry, r.Seen = r.Expiry.Add(h.ahead), r.Seen.Add(h.ahead)
	if r.Fence != 0 {
		r.Fence += uint64(h.ahead.Milliseconds())
	}
	return r
}

func (h *host) seen(fence uint64) uint64 {
	if fence != 0 {
		fence -= uint64(h.ahead.Milliseconds())
	}
	return fence
}

func (h *host) Load(ctx context.Context, id string) (sojourn.Record, error) {
	h.c.there()
	defer h.c.back()
	r, err := h.store.Load(ctx, id)
	return h.in(r), err
}

func (h *host) Create(ctx context.Context, r sojourn.Record) error {
	h.c.there()
	defer h.c.back()
	return h.store.Create(ctx, h.out(r))
}

func (h *host) Update(ctx context.Context, r sojourn.Record, version uint64) error {
	h.c.there()
	defer h.c.back()
	return h.store.Update(ctx, h.out(r), version)
}

func (h *host) Touch(ctx context.Context, r sojourn.Record) error {
	h.c.there()
	defer h.c.back()
	return h.store.Touch(ctx, h.out(r))
}

func (h *host) Delete(ctx context.Context, id string, version uint64) error {
	h.c.there()
	defer h.c.back()
	return h.store.Delete(ctx, id, version)
}

func (h *host) ListOwner(ctx context.Context, owner string) iter.Seq2[sojourn.Record, error] {
	return func(yield func(sojourn.Record, error) bool) {
		for r, err := range h.store.ListOwner(ctx, owner) {
			h.c.back()
			if !yield(h.in(r), err) {
				return
			}
		}
	}
}

func (h *host) Fence(ctx context.Context, owner string) (uint64, time.Duration, error) {
	h.c.there()
	defer h.c.back()
	fence, age, err := h.store.Fence(ctx, owner)
	return h.seen(fence), age, err
}

func (h *host) RevokeOwner(ctx context.Context, owner, keep string) (uint64, error) {
	h.c.there()
	defer h.c.back()
	fence, err := h.store.RevokeOwner(ctx, owner, keep)
	return h.seen(fence), err
}
