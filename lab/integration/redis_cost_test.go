package integration

import (
	"fmt"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/lab/harness"
	"github.com/gosojourn/sojourn/redisstore"
)

// commands counts what a server was told by clients, by name; what scripts call counts as well.
func commands(s *harness.RedisServer) map[string]int {
	all := make(map[string]int)
	for _, m := range regexp.MustCompile(`cmdstat_([a-z_|]+):calls=(\d+)`).FindAllStringSubmatch(s.CLI("INFO", "commandstats"), -1) {
		all[m[1]], _ = strconv.Atoi(m[2])
	}
	for _, noise := range []string{"info", "config|resetstat", "client|setinfo", "client|tracking", "hello", "ping", "command|docs", "command"} {
		delete(all, noise)
	}
	return all
}

// One call is one command of one client, but where a session comes to an owner or leaves one.
func TestRedisCommandsAreCounted(t *testing.T) {
	server := harness.StartRedis(t)
	c := redisClient(t, nil, server.Addr())
	s := redisStore(t, c, redisstore.Options{})
	ctx := t.Context()
	update := func(r sojourn.Record) sojourn.Record {
		next := r
		next.Version = newVersion()
		if err := s.Update(ctx, next, r.Version); err != nil {
			t.Fatal(err)
		}
		return next
	}
	// Every script once, for the server to know it.
	warm := create(t, s, newRecord("ann"))
	warm = update(warm)
	if err := s.Touch(ctx, warm); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(ctx, warm.ID, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := s.RevokeOwner(ctx, "ann", ""); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Fence(ctx, "ann"); err != nil {
		t.Fatal(err)
	}
	anonymous, owned := newRecord(""), newRecord("bob")
	for _, step := range []struct {
		name string
		want string
		do   func() error
	}{
		{"Create", "evalsha=1 set=1", func() error { return s.Create(ctx, anonymous) }},
		{"Load", "evalsha_ro=1 get=2", func() error { _, err := s.Load(ctx, anonymous.ID); return err }}, // with everybody's fence
		{"Load", "get=1", func() error { _, err := s.Load(ctx, anonymous.ID); return err }},
		{"Update", "evalsha=1 getrange=1 set=1", func() error { anonymous = update(anonymous); return nil }},
		{"Touch", "evalsha=1 getrange=1 pexpire=1 setrange=1", func() error { return s.Touch(ctx, anonymous) }},
		{"Delete", "del=1 evalsha=1 getrange=1", func() error { return s.Delete(ctx, anonymous.ID, anonymous.Version) }},
		{"Create for an owner", "evalsha=2 pexpire=1 set=1 time=1 zadd=1 zrange=1 zremrangebyscore=1", func() error { return s.Create(ctx, owned) }},
		{"Update of an owner's", "evalsha=1 getrange=2 set=1", func() error { owned = update(owned); return nil }},
		{"Touch of an owner's", "evalsha=1 getrange=1 pexpire=1 setrange=1", func() error { return s.Touch(ctx, owned) }},
		{"Fence of who was never revoked", "evalsha_ro=1 get=1", func() error { _, _, err := s.Fence(ctx, "bob"); return err }},
		{"Delete of an owner's", "del=1 evalsha=1 getrange=2 zrem=1", func() error { return s.Delete(ctx, owned.ID, owned.Version) }},
		{"RevokeOwner of nothing", "evalsha=1 get=1 set=1 time=1 zscan=1", func() error { _, err := s.RevokeOwner(ctx, "bob", ""); return err }},
		{"Fence", "evalsha_ro=1 get=1 time=1", func() error { _, _, err := s.Fence(ctx, "bob"); return err }},
	} {
		line := ""
		for range 5 { // what was read of everybody's fence is believed for a moment, which a busy machine may let pass
			server.CLI("CONFIG", "RESETSTAT")
			if err := step.do(); err != nil {
				t.Fatalf("%s: %v", step.name, err)
			}
			var got []string
			for name, n := range commands(server) {
				got = append(got, fmt.Sprintf("%s=%d", name, n))
			}
			slices.Sort(got)
			if line = strings.Join(got, " "); line == step.want || step.name != "Load" {
				break
			}
		}
		if line != step.want {
			t.Errorf("%s: %s, want %s", step.name, line, step.want)
		}
	}
}

// However many loads there are, everybody's fence is asked for four times a second at most.
func TestRedisAsksForEverybodyNowAndThen(t *testing.T) {
	server := harness.StartRedis(t)
	s := redisStore(t, redisClient(t, nil, server.Addr()), redisstore.Options{})
	r := create(t, s, newRecord(""))
	if _, err := s.RaiseEveryone(t.Context()); err != nil {
		t.Fatal(err)
	}
	server.CLI("CONFIG", "RESETSTAT")
	began, loads := time.Now(), 0
	for ; loads < 2000; loads++ {
		if _, err := s.Load(t.Context(), r.ID); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.EveryoneFence(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	most := int(time.Since(began)/(sojourn.EveryoneLease/4)) + 1
	if got := commands(server); got["evalsha_ro"] > most || got["get"] != loads+got["evalsha_ro"] {
		t.Errorf("%d loads in %v: %v, want at most %d questions beside them", loads, time.Since(began), got, most)
	}
}

// A server that has lost its scripts learns them again, and nobody notices.
func TestRedisForgetsScripts(t *testing.T) {
	server := harness.StartRedis(t)
	m := managerOn(t, redisStore(t, redisClient(t, nil, server.Addr()), redisstore.Options{}), sojourn.Config{})
	cookie := cookieOf(visit(m, "POST", "", plusOne))
	for n := range 5 {
		server.CLI("SCRIPT", "FLUSH")
		if w := visit(m, "POST", cookie, plusOne); w.Code != 200 {
			t.Fatalf("answered %d", w.Code)
		}
		wantClicks(t, m, cookie, 2+n)
	}
}

// 50 MB in sessions of one owner come in pages, not all at once, and those that have vanished are passed over.
func TestRedisListsManySessions(t *testing.T) {
	const n, size = 20_000, 2500
	server := harness.StartRedis(t)
	c := redisClient(t, nil, server.Addr())
	s := redisStore(t, c, redisstore.Options{Prefix: "sojourn:"})
	ctx, value := t.Context(), make([]byte, size)
	work := make(chan int)
	done := make(chan error)
	for range 64 {
		go func() {
			var err error
			for range work {
				r := newRecord("many")
				r.Data = value
				if e := s.Create(ctx, r); e != nil {
					err = e
				}
			}
			done <- err
		}()
	}
	for i := range n {
		work <- i
	}
	close(work)
	for range 64 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	gone := 0
	var before, m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	peak, listed := uint64(0), 0
	for r, err := range s.ListOwner(ctx, "many") {
		if err != nil {
			t.Fatal(err)
		}
		if listed++; listed%2_000 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapAlloc)
		}
		if listed%1000 == 1 { // some vanish behind the index's back while they are listed
			if err := c.Do(ctx, c.B().Del().Key("sojourn:s:"+r.ID).Build()).Error(); err != nil {
				t.Fatal(err)
			}
			gone++
		}
	}
	if listed < n-gone || listed > n {
		t.Errorf("%d were listed, want %d", listed, n)
	}
	if grown := int64(peak) - int64(before.HeapAlloc); grown > 30<<20 {
		t.Errorf("%d MB are held while listing %d sessions of %d bytes", grown>>20, n, size)
	} else {
		t.Logf("%d sessions listed, at most %.1f MB held", listed, float64(grown)/(1<<20))
	}
	fence, err := s.RevokeOwner(ctx, "many", "")
	if err != nil || fence == 0 {
		t.Fatal(fence, err)
	}
	if left := server.CLI("DBSIZE"); left != "1" && left != "2" { // the fence, and entries of sessions that had ended before
		t.Errorf("%s keys are left, want the fence, and at most the index", left)
	}
}

// What a session takes in Redis, beside what scs's store keeps for the same values: one string with gob in it.
func TestRedisMemoryPerSession(t *testing.T) {
	server := harness.StartRedis(t)
	c := redisClient(t, nil, server.Addr())
	s := redisStore(t, c, redisstore.Options{Prefix: "sojourn:"})
	ctx := t.Context()
	usage := func(key string) int {
		n, err := strconv.Atoi(server.CLI("MEMORY", "USAGE", key))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, size := range []int{50, 183, 1000} {
		r := newRecord("")
		r.Expiry, r.Data = time.Now().Add(time.Hour), make([]byte, size)
		if err := s.Create(ctx, r); err != nil {
			t.Fatal(err)
		}
		owned := newRecord("bob")
		owned.Data = r.Data
		if err := s.Create(ctx, owned); err != nil {
			t.Fatal(err)
		}
		scsKey := "scs:session:" + strings.Repeat("x", 43)
		if err := c.Do(ctx, c.B().Set().Key(scsKey).Value(string(r.Data)).PxMilliseconds(3_600_000).Build()).Error(); err != nil {
			t.Fatal(err)
		}
		hash := c.B().Hset().Key("sojourn:h:" + r.ID).FieldValue()
		for _, field := range []string{"version", "expiry", "seen", "fence", "owner"} {
			hash = hash.FieldValue(field, "12345678")
		}
		if err := c.Do(ctx, hash.FieldValue("data", string(r.Data)).Build()).Error(); err != nil {
			t.Fatal(err)
		}
		ours, theirs := usage("sojourn:s:"+r.ID), usage(scsKey)
		t.Logf("%4d bytes of data: %d bytes; under a key of scs: %d; as a hash with a field for each part: %d", size, ours, theirs, usage("sojourn:h:"+r.ID))
		if ours > theirs*5/4+32 { // the allocator knows few sizes
			t.Errorf("%d bytes of data take %d bytes, a bare string %d", size, ours, theirs)
		}
	}
}
