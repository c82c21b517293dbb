package scscompat_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	scsmem "github.com/alexedwards/scs/v2/memstore"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
)

// light is a ResponseWriter that costs next to nothing.
type light struct{ h http.Header }

func (w light) Header() http.Header         { return w.h }
func (w light) Write(p []byte) (int, error) { return len(p), nil }
func (w light) WriteHeader(int)             {}

var names = [5]string{"name", "cart", "flash", "userID", "theme"}

const text = "a value of twenty-odd"

// A case is a request in a session of five values.
type benchCase struct {
	name   string
	scs    func(m manager, ctx context.Context)
	native func(ctx context.Context)
}

var (
	firstKey  = sojourn.NewKey[string](names[0])
	secondKey = sojourn.NewKey[string](names[1])
)

var benchCases = []benchCase{
	{"untouched", func(manager, context.Context) {}, func(context.Context) {}},
	{"read2", func(m manager, ctx context.Context) { m.GetString(ctx, names[0]); m.GetString(ctx, names[1]) },
		func(ctx context.Context) { firstKey.Get(ctx); secondKey.Get(ctx) }},
	{"write1", func(m manager, ctx context.Context) { m.Put(ctx, names[0], text) },
		func(ctx context.Context) { firstKey.Put(ctx, text) }},
	{"read2write1", func(m manager, ctx context.Context) {
		m.GetString(ctx, names[0])
		m.GetString(ctx, names[1])
		m.Put(ctx, names[0], text)
	}, func(ctx context.Context) { firstKey.Get(ctx); secondKey.Get(ctx); firstKey.Put(ctx, text) }},
}

// behind answers a function that serves one request of a session of five values.
func behind(tb testing.TB, wrap func(http.Handler) http.Handler, put, do func(ctx context.Context)) func() {
	tb.Helper()
	w := light{http.Header{}}
	r := httptest.NewRequest("GET", "/", nil)
	wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { put(r.Context()) })).ServeHTTP(w, r)
	cookie, err := http.ParseSetCookie(w.h.Get("Set-Cookie"))
	if err != nil {
		tb.Fatal(err)
	}
	r.AddCookie(&http.Cookie{Name: cookie.Name, Value: cookie.Value})
	h := wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { do(r.Context()) }))
	return func() {
		clear(w.h)
		h.ServeHTTP(w, r)
	}
}

func (c *benchCase) by(tb testing.TB, m manager) func() {
	return behind(tb, m.LoadAndSave, func(ctx context.Context) {
		for _, name := range names {
			m.Put(ctx, name, text)
		}
	}, func(ctx context.Context) { c.scs(m, ctx) })
}

func (c *benchCase) natively(tb testing.TB) func() {
	m, err := sojourn.New(memstore.New(), sojourn.Config{IdleTimeout: sojourn.NoIdleTimeout})
	if err != nil {
		tb.Fatal(err)
	}
	return behind(tb, m.LoadAndSave, func(ctx context.Context) {
		for _, name := range names {
			sojourn.NewKey[string](name).Put(ctx, text)
		}
	}, c.native)
}

// Benchmark is a request in memory, by scs, by scs's API here, and by Sojourn's own.
func Benchmark(b *testing.B) {
	for _, c := range benchCases {
		for _, x := range []struct {
			name string
			once func()
		}{{"scs", c.by(b, newTheirs(fields{}))}, {"scscompat", c.by(b, newOurs(fields{}))}, {"native", c.natively(b)},
			{"on scs's store", c.by(b, newOurs(fields{store: scsmem.NewWithCleanupInterval(0)}))}} {
			b.Run(c.name+"/"+x.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					x.once()
				}
			})
		}
	}
}

// A request costs no object more than the same by Sojourn's own API.
func TestCostsWhatTheNativeDoes(t *testing.T) {
	for _, c := range benchCases {
		ours, native := c.by(t, newOurs(fields{})), c.natively(t)
		got, want := testing.AllocsPerRun(200, ours), testing.AllocsPerRun(200, native)
		if got > want {
			t.Errorf("%s: %v objects, and %v natively", c.name, got, want)
		}
	}
}

// At least three times as fast as scs, reading and writing small sessions. The median of several rounds, turn by
// turn, is what a busy machine leaves of a comparison.
func TestFasterThanSCS(t *testing.T) {
	if testing.Short() || raceDetector {
		t.Skip("a comparison of times: not in short runs, nor under the race detector")
	}
	for _, c := range benchCases {
		theirs, ours := c.by(t, newTheirs(fields{})), c.by(t, newOurs(fields{}))
		onTheirs := c.by(t, newOurs(fields{store: scsmem.NewWithCleanupInterval(0)}))
		ratio := medianRatio(theirs, ours)
		if ratio < 3 {
			t.Errorf("%s: %.1f times as fast as scs, want at least 3", c.name, ratio)
		}
		t.Logf("%s: %.1f times as fast as scs, %.2f times as long as Sojourn's own API, on scs's store %.1f times as long as scs",
			c.name, ratio, medianRatio(ours, c.natively(t)), medianRatio(onTheirs, theirs))
	}
}
