package harness

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A RedisCluster has three primaries with a replica each.
type RedisCluster struct {
	t     testing.TB
	nodes []*RedisServer
}

// Unhurried is for who kills nothing: on a busy machine a server may be silent for a while, and is not replaced.
const Unhurried = 30 * time.Second

// StartRedisCluster starts six servers. A primary that does not answer for so long is replaced.
func StartRedisCluster(t testing.TB, silent time.Duration) *RedisCluster {
	t.Helper()
	needRedis(t, "rediscluster")
	c := &RedisCluster{t: t}
	for range 6 {
		c.nodes = append(c.nodes, StartRedis(t, "--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf",
			"--cluster-node-timeout", millis(silent), "--cluster-replica-validity-factor", "0", "--repl-diskless-sync-delay", "0"))
	}
	_, err := redisCLI(c.nodes[0].addr, append(append([]string{"--cluster", "create"}, c.Addrs()...), "--cluster-replicas", "1", "--cluster-yes")...)
	if err != nil {
		t.Fatalf("harness: %v", err)
	}
	c.until("the cluster is whole", func() bool {
		for _, n := range c.nodes {
			info, _ := redisCLI(n.addr, "CLUSTER", "INFO")
			repl, _ := redisCLI(n.addr, "INFO", "replication")
			up := strings.Contains(repl, "role:master") && strings.Contains(repl, "connected_slaves:1") && strings.Contains(repl, "state=online") ||
				strings.Contains(repl, "role:slave") && strings.Contains(repl, "master_link_status:up")
			if !strings.Contains(info, "cluster_state:ok") || !up {
				return false
			}
		}
		return true
	})
	knowRedis(c.nodes[0].addr, "Cluster")
	return c
}

func (c *RedisCluster) until(what string, is func() bool) {
	c.t.Helper()
	for end := time.Now().Add(30 * time.Second); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			c.t.Fatalf("harness: it is not so that %s", what)
		}
	}
}

// Addrs are those of all nodes.
func (c *RedisCluster) Addrs() (all []string) {
	for _, n := range c.nodes {
		all = append(all, n.addr)
	}
	return all
}

// KillPrimary kills the primary that keeps key, as a power cut would, after its replica has been cut off
// for a moment: on one machine it would have everything.
func (c *RedisCluster) KillPrimary(key string) {
	c.t.Helper()
	for _, n := range c.nodes {
		if n.run.ended() {
			continue
		}
		// Who keeps the key answers; the others say where it has moved.
		if out, err := redisCLI(n.addr, "EXISTS", key); err == nil && !strings.HasPrefix(out, "MOVED") {
			if role, _ := redisCLI(n.addr, "ROLE"); strings.HasPrefix(role, "master") {
				n.killCutOff()
				return
			}
		}
	}
	c.t.Fatalf("harness: no primary keeps %s", key)
}

// StartKilled starts the nodes again that were killed. They become replicas of who took over.
func (c *RedisCluster) StartKilled() {
	c.t.Helper()
	for _, n := range c.nodes {
		if n.run.ended() {
			n.Start()
		}
	}
}

// A RedisSentinel is a primary with a replica, and three Sentinels that watch them as "main".
type RedisSentinel struct {
	t         testing.TB
	primary   *RedisServer
	replica   *RedisServer
	sentinels []*RedisServer
}

// StartRedisSentinel starts them. A primary that does not answer for so long is replaced.
func StartRedisSentinel(t testing.TB, silent time.Duration) *RedisSentinel {
	t.Helper()
	needRedis(t, "redis")
	s := &RedisSentinel{t: t, primary: StartRedis(t, "--repl-diskless-sync-delay", "0")}
	host, port, _ := strings.Cut(s.primary.addr, ":")
	s.replica = StartRedis(t, "--replicaof", host+" "+port)
	c := &RedisCluster{t: t}
	c.until("the replica follows", func() bool {
		repl, _ := redisCLI(s.primary.addr, "INFO", "replication")
		return strings.Contains(repl, "state=online")
	})
	for range 3 {
		s.sentinels = append(s.sentinels, StartRedis(t, "--sentinel", "sentinel monitor main "+host+" "+port+" 2",
			"sentinel down-after-milliseconds main "+millis(silent), "sentinel failover-timeout main 3000"))
	}
	c.until("the Sentinels know each other and the replica", func() bool {
		for _, n := range s.sentinels {
			out, _ := redisCLI(n.addr, "SENTINEL", "MASTER", "main")
			f := strings.Fields(out)
			facts := map[string]string{}
			for i := 0; i+1 < len(f); i += 2 {
				facts[f[i]] = f[i+1]
			}
			if facts["num-other-sentinels"] != "2" || facts["num-slaves"] != "1" {
				return false
			}
		}
		return true
	})
	knowRedis(s.primary.addr, "with Sentinel")
	return s
}

// Addrs are those of the Sentinels; they watch "main".
func (s *RedisSentinel) Addrs() (all []string) {
	for _, n := range s.sentinels {
		all = append(all, n.addr)
	}
	return all
}

// KillPrimary kills the first primary, like that of a RedisCluster.
func (s *RedisSentinel) KillPrimary() { s.primary.killCutOff() }

func millis(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

func (r *RedisServer) killCutOff() {
	info, _ := redisCLI(r.addr, "INFO", "replication")
	for _, m := range regexp.MustCompile(`slave\d+:ip=([^,]+),port=(\d+)`).FindAllStringSubmatch(info, -1) {
		redisCLI(m[1]+":"+m[2], "CONFIG", "SET", "masterauth", "wrong") // or it would be back at once
	}
	redisSays(r.addr, "CLIENT KILL TYPE replica")
	time.Sleep(300 * time.Millisecond)
	r.Kill()
}
