package sojourn_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf16"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
)

// A vault is a manager that encrypts at rest, on a store that the test may look into.
type vault struct {
	*sojourn.Manager
	t     testing.TB
	store *memstore.Store
	mu    sync.Mutex
	saw   []sojourn.Event
}

func newVault(t testing.TB, store *memstore.Store, cfg sojourn.Config) *vault {
	t.Helper()
	v := &vault{t: t, store: store}
	cfg.OnEvent = func(_ context.Context, e sojourn.Event) {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.saw = append(v.saw, e)
	}
	m, err := sojourn.New(store, cfg)
	if err != nil {
		t.Fatal(err)
	}
	v.Manager = m
	return v
}

// do runs one request, and answers the cookie to send next.
func (v *vault) do(cookie string, f func(ctx context.Context)) string {
	v.t.Helper()
	w, next := ask(v.Manager, cookie, func(_ http.ResponseWriter, r *http.Request) { f(r.Context()) })
	if w.Code != 200 {
		v.t.Fatalf("answered %d: %s", w.Code, w.Body)
	}
	return next
}

func (v *vault) nameOf(cookie string) (got string) {
	v.t.Helper()
	v.do(cookie, func(ctx context.Context) { got = name.Get(ctx) })
	return got
}

// records is everything that the store holds, as a dump would have it.
func (v *vault) records() (all []sojourn.Record) {
	for r, err := range v.store.ListAll(context.Background()) {
		if err != nil {
			v.t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

func (v *vault) dump() []byte {
	var b bytes.Buffer
	for _, r := range v.records() {
		fmt.Fprintf(&b, "%s %s %s\n", r.ID, r.Owner, r.Data)
	}
	return b.Bytes()
}

// spelled are the ways in which somebody could look for text.
func spelled(text string) map[string][]byte {
	wide := utf16.Encode([]rune(text))
	le, be := make([]byte, 0, 2*len(wide)), make([]byte, 0, 2*len(wide))
	for _, u := range wide {
		le, be = append(le, byte(u), byte(u>>8)), append(be, byte(u>>8), byte(u))
	}
	b := []byte(text)
	return map[string][]byte{
		"plain": b, "hex": []byte(hex.EncodeToString(b)), "HEX": bytes.ToUpper([]byte(hex.EncodeToString(b))), "UTF-16 LE": le, "UTF-16 BE": be,
		// Inside a longer text, base64 depends on where it begins.
		"base64": []byte(base64.RawStdEncoding.EncodeToString(b))[4:12], "base64, 1 later": []byte(base64.RawStdEncoding.EncodeToString(append([]byte("x"), b...)))[4:12], "base64, 2 later": []byte(base64.RawStdEncoding.EncodeToString(append([]byte("xx"), b...)))[4:12],
	}
}

const planted = "PLANTED-4929000000006-gopher"

func (v *vault) shows() (ways []string) {
	for way, text := range spelled(planted) {
		if bytes.Contains(v.dump(), text) {
			ways = append(ways, way)
		}
	}
	return ways
}

func TestADumpShowsNoValue(t *testing.T) {
	put := func(ctx context.Context) {
		name.Put(ctx, planted)
		sojourn.NewKey[[]string]("notes").Put(ctx, []string{planted})
		sojourn.NewKey[[]byte]("bytes").Put(ctx, []byte(planted))
	}
	plain := newVault(t, memstore.New(), sojourn.Config{})
	plain.do("", put)
	if plain.shows() == nil || !bytes.Contains(plain.dump(), []byte("notes")) {
		t.Fatal("the search finds nothing where nothing is encrypted")
	}
	v := newVault(t, memstore.New(), sojourn.Config{EncryptAtRest: true, Device: func(*http.Request) sojourn.Device { return sojourn.Device{Label: "laptop"} }})
	none := func(when string) {
		t.Helper()
		if ways := v.shows(); ways != nil || bytes.Contains(v.dump(), []byte("notes")) {
			t.Errorf("%s, a dump shows a value (%v), or the name of one", when, ways)
		}
	}
	c := v.do("", put)
	none("written first")
	for _, step := range []struct {
		name string
		do   func(ctx context.Context)
	}{
		{"a change", func(ctx context.Context) { name.Put(ctx, planted+"!") }},
		{"Login", func(ctx context.Context) { _ = v.Login(ctx, "ann") }},
		{"Renew", func(ctx context.Context) { _ = v.Renew(ctx) }},
		{"Remember", func(ctx context.Context) { v.Remember(ctx, true) }},
		{"Limit", func(ctx context.Context) { v.Limit(ctx, time.Hour) }},
	} {
		before := c
		c = v.do(c, step.do)
		none("after " + step.name)
		if got := v.nameOf(c); got != planted+"!" {
			t.Errorf("after %s the name is %q", step.name, got)
		}
		if before != c && v.nameOf(before) != "" {
			t.Errorf("after %s the old token still reads", step.name)
		}
	}
	// What is not encrypted is there for who administers sessions.
	n := 0
	for i, err := range v.List(t.Context(), "ann") {
		if n++; err != nil || i.Owner != "ann" || i.AuthTime.IsZero() || i.Device.Label != "laptop" {
			t.Errorf("%+v, %v", i, err)
		}
	}
	for i, err := range v.All(t.Context()) {
		if n++; err != nil || i.Owner != "ann" || i.Created.IsZero() {
			t.Errorf("%+v, %v", i, err)
		}
	}
	if n != 2 {
		t.Errorf("%d were listed, want one each", n)
	}
}

// The bits of the ciphertext: each is an error and an event. Those before it are as they are without encryption.
func TestAlteredValuesAreAnErrorAndNoEmptySession(t *testing.T) {
	v := newVault(t, memstore.New(), sojourn.Config{EncryptAtRest: true})
	c := v.do("", func(ctx context.Context) { _ = v.Login(ctx, "ann"); name.Put(ctx, planted) })
	r := v.records()[0]
	for _, bit := range []int{0, 7, 8 * 12, 8*28 + 3, 8*40 + 5} {
		x := r
		x.Version, x.Data = r.Version+1, bytes.Clone(r.Data)
		x.Data[len(x.Data)-1-bit/8] ^= 1 << (bit % 8)
		if err := v.store.Update(t.Context(), x, v.records()[0].Version); err != nil {
			t.Fatal(err)
		}
		v.saw = nil
		var err error
		var got string
		var owner string
		w, set := ask(v.Manager, c, func(_ http.ResponseWriter, r *http.Request) {
			got, owner, err = name.Get(r.Context()), v.Info(r.Context()).Owner, v.Load(r.Context())
			name.Put(r.Context(), "lost")
		})
		if !sojourn.Unavailable(err) || !strings.Contains(err.Error(), "altered") || !strings.Contains(err.Error(), r.ID) || strings.Contains(err.Error(), "lost") {
			t.Errorf("bit %d from the end: Load answers %v", bit, err)
		}
		if w.Code != 503 || set != c || got != "" || owner != "" {
			t.Errorf("bit %d from the end: %d, cookie %t, %q, %q", bit, w.Code, set != c, got, owner)
		}
		if len(v.saw) != 1 || v.saw[0].Name != sojourn.EventUnreadable || v.saw[0].Reason != "values" || v.saw[0].ID != r.ID {
			t.Errorf("bit %d from the end: events %v", bit, v.saw)
		}
		if data := v.records()[0].Data; !bytes.Equal(data, x.Data) {
			t.Errorf("bit %d from the end: the record was written", bit)
		}
	}
	if err := v.Revoke(t.Context(), "ann", r.ID); err != nil {
		t.Errorf("what nobody can read cannot be ended either: %v", err)
	}
}

// A save that meets altered values is an error too, and writes nothing over them.
func TestASaveOntoAlteredValues(t *testing.T) {
	v := newVault(t, memstore.New(), sojourn.Config{EncryptAtRest: true})
	c := v.do("", func(ctx context.Context) { name.Put(ctx, planted) })
	w, _ := ask(v.Manager, c, func(_ http.ResponseWriter, r *http.Request) {
		name.Put(r.Context(), "lost")
		x := v.records()[0]
		before := x.Version
		x.Version, x.Data = x.Version^1, bytes.Clone(x.Data)
		x.Data[len(x.Data)-1] ^= 1
		if err := v.store.Update(r.Context(), x, before); err != nil {
			t.Error(err)
		}
		if err := v.Commit(r.Context()); !sojourn.Unavailable(err) || !strings.Contains(err.Error(), "altered") {
			t.Errorf("Commit answers %v", err)
		}
	})
	if w.Code != 200 || len(v.saw) == 0 || v.saw[len(v.saw)-1].Reason != "values" {
		t.Errorf("%d, %v", w.Code, v.saw)
	}
}

func TestEncryptionIsTurnedOnAndOff(t *testing.T) {
	store := memstore.New()
	off, on := newVault(t, store, sojourn.Config{}), newVault(t, store, sojourn.Config{EncryptAtRest: true})
	c := off.do("", func(ctx context.Context) { name.Put(ctx, planted) })
	if got := on.nameOf(c); got != planted || on.shows() == nil {
		t.Errorf("on: what was not encrypted is read as %q", got)
	}
	on.do(c, func(ctx context.Context) { count.Update(ctx, func(n int) int { return n + 1 }) })
	if on.shows() != nil {
		t.Error("on: saved, and not encrypted")
	}
	if got := off.nameOf(c); got != planted {
		t.Errorf("off: what was encrypted is read as %q", got)
	}
	off.do(c, func(ctx context.Context) { count.Update(ctx, func(n int) int { return n + 1 }) })
	if on.shows() == nil {
		t.Error("off: saved, and encrypted still")
	}
	// Both at once, as while the change is deployed: whoever meets the other's record opens it.
	for range 4 {
		off.do(c, func(ctx context.Context) {
			count.Update(ctx, func(n int) int { return n + 1 })
			on.do(c, func(ctx context.Context) { count.Update(ctx, func(n int) int { return n + 1 }) })
		})
		on.do(c, func(ctx context.Context) {
			count.Update(ctx, func(n int) int { return n + 1 })
			off.do(c, func(ctx context.Context) { count.Update(ctx, func(n int) int { return n + 1 }) })
		})
	}
	on.do(c, func(ctx context.Context) {
		if n := count.Get(ctx); n != 18 || name.Get(ctx) != planted {
			t.Errorf("%d of 18 counted, the name is %q", n, name.Get(ctx))
		}
	})
}

// Requests at once, some of which renew the token: no value is lost, and none shows.
func TestEncryptedSavesMeet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVault(t, memstore.New(), sojourn.Config{EncryptAtRest: true})
		c := v.do("", func(ctx context.Context) { name.Put(ctx, planted) })
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				v.do(c, func(ctx context.Context) {
					count.Update(ctx, func(n int) int { time.Sleep(time.Millisecond); return n + 1 })
				})
			})
		}
		all.Wait()
		// One that was under way when the token was renewed has its values, and writes nothing.
		var kept string
		var late error
		next := ""
		v.do(c, func(ctx context.Context) {
			_ = v.Load(ctx)
			next = v.do(c, func(ctx context.Context) { _ = v.Login(ctx, "ann") })
			kept = name.Get(ctx)
			name.Put(ctx, "late")
			late = v.Commit(ctx)
		})
		if kept != planted || !errors.Is(late, sojourn.ErrEnded) {
			t.Errorf("under the old token: %q, %v", kept, late)
		}
		v.do(next, func(ctx context.Context) {
			if name.Get(ctx) != planted || count.Get(ctx) != 50 {
				t.Errorf("under the new token: %q, %d of 50", name.Get(ctx), count.Get(ctx))
			}
		})
		if v.shows() != nil {
			t.Error("a value shows")
		}
	})
}

// A session without values costs no key; what one costs is exact. The race detector changes it.
func TestEncryptedAllocations(t *testing.T) {
	m := newManager(t, sojourn.Config{EncryptAtRest: true})
	for _, keys := range []int{2, 20} {
		r := seeded(m, keys)
		for i, limit := range encryptedCosts {
			h := m.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { costs[i].do(r.Context()) }))
			w := discard{http.Header{}}
			if n := testing.AllocsPerRun(200, func() { h.ServeHTTP(w, r) }); n > limit {
				t.Errorf("%s with %d keys: %v allocations, at most %v", costs[i].name, keys, n, limit)
			}
		}
	}
	_, c := ask(m, "", func(_ http.ResponseWriter, r *http.Request) { _ = m.Login(r.Context(), "ann") })
	r := httptest.NewRequest("GET", "http://localhost/", nil)
	r.Header.Set("Cookie", c)
	h := m.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { name.Get(r.Context()); second.Get(r.Context()) }))
	w := discard{http.Header{}}
	if n := testing.AllocsPerRun(200, func() { h.ServeHTTP(w, r) }); n > 5 {
		t.Errorf("logged in, without values: %v allocations, at most 5", n)
	}
}

var encryptedCosts = []float64{2, 31, 33}

func BenchmarkEncryptedRequest(b *testing.B) {
	m := newManager(b, sojourn.Config{EncryptAtRest: true})
	r := seeded(m, 5)
	for _, c := range costs {
		h := m.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { c.do(r.Context()) }))
		w := discard{http.Header{}}
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				h.ServeHTTP(w, r)
			}
		})
	}
}
