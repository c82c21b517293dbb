package harness

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	redisAbsent  = "skipped: sessions in Redis; it needs a server on 127.0.0.1:6379, SOJOURN_REDIS=host:port, or the program redis-server (apt-get install redis-server)"
	redisProgram = "skipped: a Redis that fails; it needs the programs redis-server and redis-cli (apt-get install redis-server)"
)

// Redis is the address of a server that others use, too: keys need a prefix of their own.
func Redis(t testing.TB) (addr string) {
	t.Helper()
	wanted(t, "redis")
	addr, err := sharedRedis()
	if err != nil {
		t.Fatalf("harness: %v", err)
	}
	if addr == "" {
		Missing(t, "redis", redisAbsent)
	}
	return addr
}

var sharedRedis = sync.OnceValues(func() (string, error) {
	if addr := os.Getenv("SOJOURN_REDIS"); addr != "" {
		if _, err := redisSays(addr, "PING"); err != nil {
			return "", fmt.Errorf("SOJOURN_REDIS=%s: %w", addr, err)
		}
		knowRedis(addr, "")
		return addr, nil
	}
	const local = "127.0.0.1:6379"
	if rootOf(redisRoot) == "" {
		if answer, err := redisSays(local, "PING"); err == nil && answer == "+PONG" {
			knowRedis(local, "")
			return local, nil
		}
	}
	if !redisInstalled() {
		return "", nil
	}
	r, err := newRedis()
	if err != nil {
		return "", err
	}
	closing.add(r.remove)
	knowRedis(r.addr, "")
	return r.addr, nil
})

// redisSays sends one command without arguments that hold spaces, and answers the first line.
func redisSays(addr, command string) (string, error) {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return "", err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := c.Write([]byte(command + "\r\n")); err != nil {
		return "", err
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	return strings.TrimSpace(line), err
}

// A RedisServer is a private one, in memory alone, that a test may kill and start again: its address
// stays, its data does not.
type RedisServer struct {
	t    testing.TB
	addr string
	dir  string
	args []string
	run  *child

	clock *Clock // nil: the machine's
}

// StartRedis starts a server with these arguments of redis-server. It is gone at the end of the test.
func StartRedis(t testing.TB, args ...string) *RedisServer {
	t.Helper()
	return StartRedisWith(t, nil, args...)
}

// StartRedisWith is StartRedis with a clock that can be stepped.
func StartRedisWith(t testing.TB, c *Clock, args ...string) *RedisServer {
	t.Helper()
	needRedis(t, "redis")
	r, err := newRedisWith(c, args...)
	if err != nil {
		t.Fatalf("harness: %v", err)
	}
	r.t = t
	t.Cleanup(r.remove)
	return r
}

func needRedis(t testing.TB, what string) {
	t.Helper()
	wanted(t, what)
	if !redisInstalled() {
		Missing(t, what, redisProgram)
	}
}

func newRedis(args ...string) (*RedisServer, error) { return newRedisWith(nil, args...) }

// newRedisWith tries again with another port: a node of a Cluster wants a second one, 10,000 above.
func newRedisWith(c *Clock, args ...string) (*RedisServer, error) {
	var last error
	for range 5 {
		addr, err := freeAddr()
		if err != nil {
			return nil, err
		}
		dir, err := os.MkdirTemp("", "sojourn-redis-")
		if err != nil {
			return nil, err
		}
		r := &RedisServer{addr: addr, dir: dir, args: args, clock: c}
		if last = r.start(); last == nil {
			return r, nil
		}
		r.remove()
	}
	return nil, last
}

func (r *RedisServer) start() error {
	_, port, _ := net.SplitHostPort(r.addr)
	config := filepath.Join(r.dir, "redis.conf") // a Sentinel writes into it
	if _, err := os.Stat(config); err != nil {
		text := "bind 127.0.0.1\nport " + port + "\ndir " + r.dir + "\nsave \"\"\nappendonly no\nloglevel notice\nlogfile " + filepath.Join(r.dir, "log") + "\n"
		if len(r.args) > 0 && r.args[0] == "--sentinel" {
			text = "bind 127.0.0.1\nport " + port + "\ndir " + r.dir + "\nlogfile " + filepath.Join(r.dir, "log") + "\n" + strings.Join(r.args[1:], "\n") + "\n"
		}
		if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
			return err
		}
	}
	cmd := redisCommand("server", append([]string{config}, r.args...)...)
	if len(r.args) > 0 && r.args[0] == "--sentinel" {
		cmd = redisCommand("server", config, "--sentinel")
	}
	bind(cmd)
	r.clock.rule(cmd)
	run, err := startChild(cmd)
	if err != nil {
		return err
	}
	r.run = run
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if answer, err := redisSays(r.addr, "PING"); err == nil && answer == "+PONG" {
			return nil
		}
		if run.ended() || time.Now().After(end) {
			run.killAll()
			text, _ := os.ReadFile(filepath.Join(r.dir, "log"))
			return fmt.Errorf("redis-server on %s does not answer\n%s", r.addr, lastLines(string(text)))
		}
	}
}

func (r *RedisServer) remove() {
	if r.run != nil {
		r.run.killAll()
		r.clock.forget(r.run.Pid)
	}
	os.RemoveAll(r.dir)
}

// Addr is host and port, the same for the server's whole life.
func (r *RedisServer) Addr() string { return r.addr }

// Kill ends the server as a power cut would.
func (r *RedisServer) Kill() { r.run.killAll() }

// Start starts it again, with nothing in it, and returns when it answers.
func (r *RedisServer) Start() {
	r.t.Helper()
	if err := r.start(); err != nil {
		r.t.Errorf("harness: %v", err)
	}
}

// CLI runs one command of redis-cli, for tests that look behind a store.
func (r *RedisServer) CLI(args ...string) string {
	r.t.Helper()
	out, err := redisCLI(r.addr, args...)
	if err != nil {
		r.t.Fatalf("harness: redis-cli %s: %v", strings.Join(args, " "), err)
	}
	return out
}

func redisCLI(addr string, args ...string) (string, error) {
	host, port, _ := net.SplitHostPort(addr)
	out, err := redisCommand("cli", append([]string{"-h", host, "-p", port}, args...)...).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out)
	}
	return strings.TrimSpace(string(out)), err
}
