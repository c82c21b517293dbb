package integration

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/lab/harness"
	"github.com/gosojourn/sojourn/redisstore"
	"github.com/gosojourn/sojourn/storetest"
)

// What keeps a Redis from writing until somebody sees to it, and how that ends.
var redisRefusals = []struct {
	word         string
	refuse, undo []string
	prepare      func(t *testing.T, s *harness.RedisServer)
}{
	{word: "OOM", refuse: []string{"CONFIG", "SET", "maxmemory", "1"}, undo: []string{"CONFIG", "SET", "maxmemory", "0"}},
	{word: "READONLY", refuse: []string{"REPLICAOF", "127.0.0.1", "1"}, undo: []string{"REPLICAOF", "NO", "ONE"}},
	{word: "NOREPLICAS", refuse: []string{"CONFIG", "SET", "min-replicas-to-write", "1"}, undo: []string{"CONFIG", "SET", "min-replicas-to-write", "0"}},
	{word: "user", refuse: []string{"ACL", "SETUSER", "default", "-@write"}, undo: []string{"ACL", "SETUSER", "default", "+@all"}},
	{word: "NOPERM", refuse: []string{"ACL", "SETUSER", "default", "-@scripting"}, undo: []string{"ACL", "SETUSER", "default", "+@all"}},
	{word: "MISCONF", refuse: []string{"CONFIG", "SET", "stop-writes-on-bgsave-error", "yes"}, undo: []string{"CONFIG", "SET", "stop-writes-on-bgsave-error", "no"},
		prepare: failToSave},
}

// failToSave makes a snapshot fail, whose folder is gone.
func failToSave(t *testing.T, s *harness.RedisServer) {
	s.CLI("CONFIG", "SET", "stop-writes-on-bgsave-error", "no")
	_, dir, _ := strings.Cut(s.CLI("CONFIG", "GET", "dir"), "\n")
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	s.CLI("CONFIG", "SET", "save", "3600 1")
	s.CLI("SET", "something", "to save")
	s.CLI("BGSAVE")
	for end := time.Now().Add(20 * time.Second); !strings.Contains(s.CLI("INFO", "persistence"), "rdb_last_bgsave_status:err"); {
		if time.Now().After(end) {
			t.Fatal("the snapshot does not fail")
		}
	}
}

// A server that does not write says why, and at once.
func TestF11_RedisRefuses(t *testing.T) {
	for _, c := range redisRefusals {
		t.Run(c.word, func(t *testing.T) {
			t.Parallel()
			server := harness.StartRedis(t)
			if c.prepare != nil {
				c.prepare(t, server)
			}
			client := redisClient(t, nil, server.Addr())
			s := redisStore(t, client, redisstore.Options{Prefix: "sojourn:"})
			refuse := func() func() {
				server.CLI(c.refuse...)
				return func() { server.CLI(c.undo...) }
			}
			storetest.RunFaults(t, func(t *testing.T) (sojourn.Store, storetest.Medium) {
				return s, storetest.Medium{Refuse: refuse}
			})
			undo := refuse()
			err := s.Create(t.Context(), newRecord(""))
			undo()
			if !errors.Is(err, sojourn.ErrRefused) || !strings.Contains(err.Error(), c.word) {
				t.Errorf("Create: %v, want ErrRefused and a line with %q", err, c.word)
			}
			t.Log(err)
		})
	}
}

// What passes by itself is no refusal: the manager may try again.
func TestRedisPassingStatesAreNotRefused(t *testing.T) {
	c := harness.StartRedis(t)
	s := redisStore(t, redisClient(t, nil, c.Addr()), redisstore.Options{Prefix: "sojourn:"})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	c.Kill()
	if err := s.Create(ctx, newRecord("")); err == nil || errors.Is(err, sojourn.ErrRefused) {
		t.Errorf("no server: %v", err)
	}
}

// The writes of a Redis stall, as in a failover, and a call ends with its context all the same; nothing
// of it is left in the server.
func TestF10_RedisStalls(t *testing.T) {
	server := harness.StartRedis(t)
	for name, o := range map[string]redisstore.Options{
		"plain":         {Prefix: "sojourn:"},
		"near copies":   {Prefix: "sojourn:", Near: 2 * time.Second},
		"with replicas": {Prefix: "sojourn:", WaitReplicas: 1},
	} {
		t.Run(name, func(t *testing.T) {
			if o.WaitReplicas > 0 {
				replica := harness.StartRedis(t)
				host, port, _ := strings.Cut(server.Addr(), ":")
				replica.CLI("REPLICAOF", host, port)
				for end := time.Now().Add(20 * time.Second); !strings.Contains(server.CLI("INFO", "replication"), "state=online"); {
					if time.Now().After(end) {
						t.Fatal("no replica")
					}
				}
			}
			// Calls that are given up cost a connection each, and a busy machine may take seconds to make the next.
			client := redisClient(t, func(o *rueidis.ClientOption) { o.Dialer.Timeout = 5 * time.Second }, server.Addr())
			storetest.RunFaults(t, func(t *testing.T) (sojourn.Store, storetest.Medium) {
				return redisStore(t, client, o), storetest.Medium{
					Stall: func() func() {
						server.CLI("CLIENT", "PAUSE", "60000", "WRITE")
						return func() { server.CLI("CLIENT", "UNPAUSE") }
					},
					Idle: func(ctx context.Context) error {
						for {
							info := server.CLI("INFO", "clients")
							if strings.Contains(info, "blocked_clients:0") {
								return nil
							}
							if ctx.Err() != nil {
								return fmt.Errorf("the server says %s", info)
							}
						}
					},
				}
			})
		})
	}
}
