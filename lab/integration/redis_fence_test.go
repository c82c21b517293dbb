package integration

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/gosojourn/sojourn/lab/harness"
	"github.com/gosojourn/sojourn/redisstore"
)

// redisFenceKey is where docs/redisstore.md says that an owner's fence is.
func redisFenceKey(owner string) string {
	sum := sha256.Sum256([]byte(owner))
	return "sojourn:f:{" + base64.RawURLEncoding.EncodeToString(sum[:18]) + "}"
}

func redisNow(t *testing.T, s *harness.RedisServer) time.Time {
	t.Helper()
	secs, micros, _ := strings.Cut(s.CLI("TIME"), "\n")
	n, err := strconv.ParseInt(secs, 10, 64)
	m, err2 := strconv.ParseInt(micros, 10, 64)
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	return time.Unix(n, m*1000)
}

// What a server's clock said once may be years off: the fence's number goes on from there, and its age is
// right again with the next revocation. No caller's clock is asked.
func TestF40_RedisFenceIsOfTheServersClock(t *testing.T) {
	server := harness.StartRedis(t)
	s := redisStore(t, redisClient(t, nil, server.Addr()), redisstore.Options{Prefix: "sojourn:"})
	ctx := t.Context()
	const year, slack = 365 * 24 * time.Hour, 2 * time.Second // of a machine that is busy
	fence := func() (uint64, time.Duration) {
		t.Helper()
		number, age, err := s.Fence(ctx, "bob")
		if err != nil {
			t.Fatal(err)
		}
		return number, age
	}
	revoke := func() uint64 {
		t.Helper()
		number, err := s.RevokeOwner(ctx, "bob", "")
		if err != nil {
			t.Fatal(err)
		}
		if read, age := fence(); read != number || age < 0 || age > slack {
			t.Errorf("RevokeOwner answers %d, then Fence %d of age %v", number, read, age)
		}
		return number
	}

	before := redisNow(t, server)
	number := revoke()
	if at := time.UnixMilli(int64(number)); at.Before(before.Truncate(time.Millisecond)) || at.After(redisNow(t, server)) {
		t.Errorf("the number is that of %v, the server's clock said %v before", at, before)
	}
	if ttl, _ := strconv.Atoi(server.CLI("TTL", redisFenceKey("bob"))); ttl < 400*86400 || ttl > 402*86400 {
		t.Errorf("the fence goes after %d seconds, want 400 days and a little", ttl)
	}

	ahead := redisNow(t, server).Add(3 * year)
	server.CLI("SET", redisFenceKey("bob"), fmt.Sprintf("%d %d", ahead.UnixMilli(), ahead.UnixMicro()))
	if n, age := fence(); n != uint64(ahead.UnixMilli()) || age > -3*year+slack || age < -3*year-slack {
		t.Errorf("after the clock was put back 3 years: %d of age %v, want a negative age", n, age)
	}
	if n := revoke(); n != uint64(ahead.UnixMilli())+1 {
		t.Errorf("after the clock was put back, RevokeOwner answers %d, want one more than %d", n, ahead.UnixMilli())
	}

	// As the first version kept it.
	server.CLI("SET", redisFenceKey("bob"), strconv.FormatInt(redisNow(t, server).Add(-time.Hour).UnixMilli(), 10))
	if n, age := fence(); n == 0 || age < time.Hour || age > time.Hour+slack {
		t.Errorf("a fence without a time: %d of age %v, want an hour", n, age)
	}
	revoke()

	server.CLI("SET", redisFenceKey("bob"), "another program's")
	if n, _, err := s.Fence(ctx, "bob"); err == nil {
		t.Errorf("a foreign value is the fence %d", n)
	}
}

// Where a server has no scripts that only read (before Redis 7), or the user no right to them, the fence
// is read as before.
func TestRedisFenceOfAnOldServer(t *testing.T) {
	old := harness.StartRedis(t, "--rename-command", "EVALSHA_RO", "", "--rename-command", "EVAL_RO", "")
	limited := harness.StartRedis(t)
	limited.CLI("ACL", "SETUSER", "app", "on", ">word", "~*", "+@all", "-evalsha_ro", "-eval_ro")
	for name, c := range map[string]rueidis.Client{
		"old":     redisClient(t, nil, old.Addr()),
		"limited": redisClient(t, func(o *rueidis.ClientOption) { o.Username, o.Password = "app", "word" }, limited.Addr()),
	} {
		s := redisStore(t, c, redisstore.Options{Prefix: "sojourn:"})
		raised, err := s.RevokeOwner(t.Context(), "bob", "")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for range 2 {
			if fence, age, err := s.Fence(t.Context(), "bob"); fence != raised || age < 0 || age > time.Minute || err != nil {
				t.Errorf("%s: fence %d of age %v (%v), want %d", name, fence, age, err, raised)
			}
		}
	}
	if !strings.Contains(old.CLI("INFO", "commandstats"), "cmdstat_evalsha:") {
		t.Error("nothing was asked in the old way")
	}
}
