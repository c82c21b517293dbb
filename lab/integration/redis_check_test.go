package integration

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/gosojourn/sojourn/lab/harness"
	"github.com/gosojourn/sojourn/redisstore"
)

func TestRedisCheck(t *testing.T) {
	server := harness.StartRedis(t)
	s := redisStore(t, redisClient(t, nil, server.Addr()), redisstore.Options{Prefix: "sojourn:"})
	if err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := server.CLI("DBSIZE"); n != "0" {
		t.Errorf("Check leaves %s keys behind", n)
	}
	for _, policy := range []string{"allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"} {
		server.CLI("CONFIG", "SET", "maxmemory-policy", policy)
		if err := s.Check(t.Context()); err == nil || !strings.Contains(err.Error(), policy) || !strings.Contains(err.Error(), "noeviction") {
			t.Errorf("%s: %v", policy, err)
		}
	}
	server.CLI("CONFIG", "SET", "maxmemory-policy", "noeviction")
	waiting := redisStore(t, redisClient(t, nil, server.Addr()), redisstore.Options{WaitReplicas: 1, WaitTimeout: 50 * time.Millisecond})
	if err := waiting.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "0 replicas are connected") {
		t.Errorf("no replica: %v", err)
	}
	server.CLI("ACL", "SETUSER", "reader", "on", ">word", "~*", "+@read", "+info", "+hello", "+client", "+ping")
	reader := redisClient(t, func(o *rueidis.ClientOption) { o.Username, o.Password = "reader", "word" }, server.Addr())
	if err := redisStore(t, reader, redisstore.Options{}).Check(t.Context()); err == nil || !strings.Contains(err.Error(), "cannot be kept") || !strings.Contains(err.Error(), "NOPERM") || strings.Contains(err.Error(), "word") {
		t.Errorf("a user who may not write: %v", err)
	}
	server.Kill()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if err := s.Check(ctx); err == nil {
		t.Error("no server, no error")
	}
}

// What docs/redisstore.md says that a user needs is enough, and nothing outside the prefix is.
func TestRedisRights(t *testing.T) {
	server := harness.StartRedis(t)
	server.CLI("ACL", "SETUSER", "app", "on", ">word", "~sojourn:*", "+get", "+set", "+setrange", "+getrange", "+exists", "+del", "+pexpire", "+time",
		"+eval", "+evalsha", "+eval_ro", "+evalsha_ro", "+wait", "+zadd", "+zrem", "+zscan", "+zrange", "+zremrangebyscore", "+info", "+hello", "+client", "+ping", "+multi", "+exec", "+pttl")
	c := redisClient(t, func(o *rueidis.ClientOption) { o.Username, o.Password = "app", "word" }, server.Addr())
	s := redisStore(t, c, redisstore.Options{Prefix: "sojourn:", Near: time.Second})
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
	r := create(t, s, newRecord("bob"))
	if _, _, err := s.LoadNear(t.Context(), r.ID); err != nil {
		t.Error(err)
	}
	if got := owned(t, s, "bob"); !got[r.ID] {
		t.Errorf("bob has %v", got)
	}
	if _, err := s.RevokeOwner(t.Context(), "bob", ""); err != nil {
		t.Error(err)
	}
}
