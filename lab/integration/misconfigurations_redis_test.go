package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/rueidis"

	"github.com/gosojourn/sojourn/lab/harness"
	"github.com/gosojourn/sojourn/redisstore"
)

func TestRedisMisconfigurations(t *testing.T) {
	check := func(t *testing.T, s *harness.RedisServer, change func(*rueidis.ClientOption), o redisstore.Options) error {
		o.Prefix = "sojourn:"
		return redisStore(t, redisClient(t, change, s.Addr()), o).Check(t.Context())
	}
	both := func(t *testing.T, s *harness.RedisServer, change func(*rueidis.ClientOption), who string) error {
		return byCommand(t, check(t, s, change, redisstore.Options{}), "redis://"+who+s.Addr())
	}
	set := func(commands ...string) misconfiguration {
		return func(t *testing.T) error {
			s := harness.StartRedis(t)
			for _, c := range commands {
				s.CLI(strings.Fields(c)...)
			}
			return both(t, s, nil, "")
		}
	}
	as := func(rights string) misconfiguration {
		return func(t *testing.T) error {
			s := harness.StartRedis(t)
			s.CLI(append([]string{"ACL", "SETUSER", "web", "on", ">word"}, strings.Fields(rights)...)...)
			return both(t, s, func(o *rueidis.ClientOption) { o.Username, o.Password = "web", "word" }, "web:word@")
		}
	}
	misconfigured(t, "Redis and Valkey", map[string]misconfiguration{
		"memory that evicts everything":         set("CONFIG SET maxmemory-policy allkeys-lru"),
		"memory that evicts what has an expiry": set("CONFIG SET maxmemory-policy volatile-ttl"),
		"nearly no memory left":                 set("SET filler "+strings.Repeat("x", 100_000), "CONFIG SET maxmemory 1"),
		"a replica": func(t *testing.T) error {
			primary := harness.StartRedis(t, "--repl-diskless-sync-delay", "0")
			host, port, _ := strings.Cut(primary.Addr(), ":")
			return both(t, harness.StartRedis(t, "--replicaof", host+" "+port), nil, "")
		},
		"fewer replicas than are waited for": func(t *testing.T) error {
			return check(t, harness.StartRedis(t), nil, redisstore.Options{WaitReplicas: 1, WaitTimeout: 50 * time.Millisecond})
		},
		"a user who only reads":    as("~* +@read +info +time +hello +client +ping"),
		"a user without scripts":   as("~* +@all -@scripting"),
		"a user of other keys":     as("~other:* +@all"),
		"a user who sees no facts": as("~* +@all -info"),
		"a snapshot that failed": func(t *testing.T) error {
			s := harness.StartRedis(t)
			dir := strings.Fields(s.CLI("CONFIG", "GET", "dir"))[1]
			if err := os.Mkdir(filepath.Join(dir, "dump.rdb"), 0o755); err != nil {
				t.Fatal(err)
			}
			s.CLI("BGSAVE")
			back(t, "snapshots under way", 0, func() int { return strings.Count(s.CLI("INFO", "persistence"), "rdb_bgsave_in_progress:1") })
			return both(t, s, nil, "")
		},
		"slots that no node serves": func(t *testing.T) error {
			s := harness.StartRedis(t, "--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf")
			s.CLI("CLUSTER", "ADDSLOTSRANGE", "0", "8000")
			return both(t, s, nil, "")
		},
		"the server's clock is off": func(t *testing.T) (err error) {
			s := harness.StartRedis(t)
			synctest.Test(t, func(t *testing.T) { err = check(t, s, nil, redisstore.Options{}) }) // where it is the year 2000
			return err
		},
	})
}
