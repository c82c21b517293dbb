package memstore_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"math"
	"runtime"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) sojourn.Store { return memstore.New() })
}

func record(dataLen int) sojourn.Record {
	id := make([]byte, 18)
	rand.Read(id)
	return sojourn.Record{
		ID:      base64.RawURLEncoding.EncodeToString(id),
		Expiry:  time.Now().Add(time.Hour),
		Seen:    time.Now(),
		Version: 1,
		Data:    make([]byte, dataLen),
	}
}

func create(t testing.TB, s *memstore.Store, r sojourn.Record) {
	t.Helper()
	if err := s.Create(t.Context(), r); err != nil {
		t.Fatalf("Create: %v", err)
	}
}

func TestLoadAndTouchDoNotAllocate(t *testing.T) {
	s := memstore.New()
	r := record(260)
	r.Owner, r.Fence = "ada", 7
	create(t, s, r)
	ctx := t.Context()
	id := string([]byte(r.ID)) // as from a request
	unknown := record(0).ID
	for what, call := range map[string]func() error{
		"Load":             func() error { _, err := s.Load(ctx, id); return err },
		"Load of no one":   func() error { _, err := s.Load(ctx, unknown); return ignore(err) },
		"Load of nonsense": func() error { _, err := s.Load(ctx, "%"); return ignore(err) },
		"Touch":            func() error { return s.Touch(ctx, r) },
	} {
		if n := testing.AllocsPerRun(100, func() {
			if err := call(); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
		}); n != 0 {
			t.Errorf("%s allocates %v times, want none", what, n)
		}
	}
}

func ignore(error) error { return nil }

// What a session costs over its data: the data alone fills a size of Go's allocator at 128, and with what
// stands before it at 243. Every owner has one session: the worst case for the index.
func TestSessionsAreLean(t *testing.T) {
	const sessions = 30_000
	for _, c := range []struct {
		size  int
		owner string
		most  float64
	}{{128, "", 80}, {243, "", 80}, {260, "", 80}, {260, "user-%06d", 240}} {
		before := heap()
		s := memstore.New()
		for i := range sessions {
			r := record(c.size)
			if c.owner != "" {
				r.Owner, r.Fence = fmt.Sprintf(c.owner, i), 1
			}
			create(t, s, r)
		}
		over := float64(heap()-before)/sessions - float64(c.size)
		t.Logf("%d bytes of data, owner %q: %.0f bytes over the data", c.size, c.owner, over)
		if over > c.most {
			t.Errorf("a session with %d bytes of data and the owner %q costs %.0f bytes over the data, want at most %v", c.size, c.owner, over, c.most)
		}
		runtime.KeepAlive(s)
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC() // the first one may have left unswept what it found
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestSessionsEndByTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New()
		r := record(10)
		create(t, s, r)
		time.Sleep(time.Hour - time.Millisecond)
		if _, err := s.Load(t.Context(), r.ID); err != nil {
			t.Errorf("a millisecond before its expiry: %v", err)
		}
		time.Sleep(time.Millisecond)
		if _, err := s.Load(t.Context(), r.ID); err != sojourn.ErrNotFound {
			t.Errorf("at its expiry: %v, want ErrNotFound", err)
		}
	})
}

func TestWhoNeverSweepsDoesNotGrowForever(t *testing.T) {
	const living = 10_000
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New()
		for range 5 * living {
			create(t, s, record(0)) // each lives an hour
			time.Sleep(time.Hour / living)
		}
		n, err := s.Sweep(t.Context(), time.Now().Add(2*time.Hour), math.MaxInt)
		if err != nil || n > living*3/2 {
			t.Errorf("with %d alive %d are kept (%v), want at most half more", living, n, err)
		}
		t.Logf("with %d alive %d are kept", living, n)
	})
}

// Of many revocations in an instant the numbers run ahead of the clock, as they do when a clock is put
// back; the age is that of the last one all the same.
func TestF40_AFenceTellsItsAgeWhateverItsNumber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New()
		var raised uint64
		for range 100_000 {
			raised, _ = s.RevokeOwner(t.Context(), "ada", "")
		}
		if ahead := time.Until(time.UnixMilli(int64(raised))); ahead < time.Minute {
			t.Fatalf("the number is only %v ahead", ahead)
		}
		for _, want := range []time.Duration{0, time.Microsecond, 3 * time.Second} {
			time.Sleep(want)
			fence, age, err := s.Fence(t.Context(), "ada")
			if fence != raised || age != want || err != nil {
				t.Errorf("fence %d, age %v (%v), want %d and %v", fence, age, err, raised, want)
			}
			s.RevokeOwner(t.Context(), "ada", "")
			raised++
		}
	})
}

func TestF40_FencesAreForgottenAfter400Days(t *testing.T) {
	const long = 400 * 24 * time.Hour
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New()
		want := func(there bool, when string) {
			t.Helper()
			if _, err := s.Sweep(t.Context(), time.Now(), math.MaxInt); err != nil {
				t.Fatal(err)
			}
			if fence, age, err := s.Fence(t.Context(), "ada"); (fence != 0) != there || err != nil || !there && age != 0 {
				t.Errorf("%s: fence %d, age %v (%v)", when, fence, age, err)
			}
		}
		s.RevokeOwner(t.Context(), "ada", "")
		time.Sleep(long)
		want(true, "after 400 days")
		time.Sleep(time.Millisecond)
		want(false, "later")
	})
}

// Each revocation forgets some that are old, for a program that never sweeps.
func TestWhoNeverSweepsDoesNotKeepFencesForever(t *testing.T) {
	const young = 4000
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New()
		owner := func(i int) string { return "owner " + strconv.Itoa(i) }
		for i := range 5 * young {
			s.RevokeOwner(t.Context(), owner(i), "")
			time.Sleep(400 * 24 * time.Hour / young)
		}
		kept := 0
		for i := range 5 * young {
			if fence, _, _ := s.Fence(t.Context(), owner(i)); fence != 0 {
				kept++
			} else if i >= 4*young+1 {
				t.Fatalf("the fence of %s, which is young, is forgotten", owner(i))
			}
		}
		if kept > young*3/2 {
			t.Errorf("with %d young fences %d are kept, want at most half more", young, kept)
		}
		t.Logf("with %d young fences %d are kept", young, kept)
	})
}

func TestMemoryOfEndedSessionsIsGivenBack(t *testing.T) {
	const sessions = 20_000
	s := memstore.New()
	before := heap()
	var owned []string
	for i := range sessions {
		r := record(100)
		if r.Owner = "owner " + strconv.Itoa(i%100); i%2 == 0 {
			owned = append(owned, r.ID)
		}
		create(t, s, r)
	}
	for _, id := range owned {
		if err := s.Delete(t.Context(), id, 0); err != nil {
			t.Fatal(err)
		}
	}
	owned = nil
	for i := range 50 {
		if _, err := s.RevokeOwner(t.Context(), "owner "+strconv.Itoa(i), ""); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := s.Sweep(t.Context(), time.Now().Add(2*time.Hour), math.MaxInt); n == 0 || err != nil {
		t.Fatalf("Sweep: %d, %v", n, err)
	}
	if left := int64(heap() - before); left > 200_000 {
		t.Errorf("%d bytes stay after all of %d sessions have ended", left, sessions)
	}
	runtime.KeepAlive(s)
}

var ctx = context.Background()

func BenchmarkLoad(b *testing.B) {
	s, ids := filled(b, 100_000)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			if _, err := s.Load(ctx, ids[i%len(ids)]); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkUpdate(b *testing.B) {
	s, ids := filled(b, 100_000)
	r := record(260)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		r.ID = ids[i%len(ids)]
		if err := s.Update(ctx, r, 1); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCreate(b *testing.B) {
	s := memstore.New()
	ids := make([]string, 4096)
	r := record(260)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%len(ids) == 0 {
			b.StopTimer()
			for i := range ids {
				ids[i] = record(0).ID
			}
			b.StartTimer()
		}
		r.ID = ids[i%len(ids)]
		if err := s.Create(ctx, r); err != nil {
			b.Fatal(err)
		}
	}
}

func filled(b *testing.B, n int) (*memstore.Store, []string) {
	s, ids := memstore.New(), make([]string, n)
	for i := range ids {
		r := record(260)
		ids[i] = r.ID
		create(b, s, r)
	}
	return s, ids
}
