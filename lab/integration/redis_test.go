package integration

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/lab/harness"
	"github.com/gosojourn/sojourn/lab/laws"
	"github.com/gosojourn/sojourn/redisstore"
	"github.com/gosojourn/sojourn/sealed"
	"github.com/gosojourn/sojourn/storetest"
)

// redisClient is one as docs/redisstore.md wants it: it waits for no dead connection for long.
func redisClient(t testing.TB, change func(*rueidis.ClientOption), addrs ...string) rueidis.Client {
	t.Helper()
	o := rueidis.ClientOption{InitAddress: addrs, ConnWriteTimeout: time.Second, RetryDelay: func(attempts int, _ rueidis.Completed, _ error) time.Duration {
		if attempts > 3 {
			return -1
		}
		return time.Duration(attempts) * 20 * time.Millisecond
	}}
	o.Dialer.Timeout = time.Second
	if change != nil {
		change(&o)
	}
	c, err := rueidis.NewClient(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func redisStore(t testing.TB, c rueidis.Client, o redisstore.Options) *redisstore.Store {
	t.Helper()
	if o.Prefix == "" {
		o.Prefix = redisPrefix(t, c)
	}
	s, err := redisstore.New(c, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// redisPrefix is one that nobody else has, in a server that others use, until the end of the test.
func redisPrefix(t testing.TB, c rueidis.Client) string {
	prefix := "sojourn-test-" + rand.Text() + ":"
	t.Cleanup(func() { clearRedis(c, prefix) })
	return prefix
}

// clearRedis leaves nothing behind in a server that others use. What it cannot reach has gone with its server.
func clearRedis(c rueidis.Client, prefix string) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for _, node := range c.Nodes() {
		for cursor, more := uint64(0), true; more; {
			e, err := node.Do(ctx, node.B().Scan().Cursor(cursor).Match(prefix+"*").Count(1000).Build()).AsScanEntry()
			if err != nil {
				break
			}
			for _, key := range e.Elements {
				node.Do(ctx, node.B().Del().Key(key).Build())
			}
			cursor, more = e.Cursor, e.Cursor != 0
		}
	}
}

// redisPlaces are the ways to have it.
var redisPlaces = []struct {
	name string
	open func(t *testing.T) (rueidis.Client, redisstore.Options)
}{
	{"single", func(t *testing.T) (rueidis.Client, redisstore.Options) {
		return redisClient(t, nil, harness.Redis(t)), redisstore.Options{}
	}},
	{"single, near cache", func(t *testing.T) (rueidis.Client, redisstore.Options) {
		return redisClient(t, nil, harness.Redis(t)), redisstore.Options{Near: 2 * time.Second}
	}},
	{"cluster", func(t *testing.T) (rueidis.Client, redisstore.Options) {
		return redisClient(t, nil, harness.StartRedisCluster(t, harness.Unhurried).Addrs()...), redisstore.Options{}
	}},
	{"cluster, near cache, waiting for replicas", func(t *testing.T) (rueidis.Client, redisstore.Options) {
		return redisClient(t, nil, harness.StartRedisCluster(t, harness.Unhurried).Addrs()...), redisstore.Options{Near: 2 * time.Second, WaitReplicas: 1}
	}},
	{"sentinel", func(t *testing.T) (rueidis.Client, redisstore.Options) {
		return redisClient(t, func(o *rueidis.ClientOption) { o.Sentinel.MasterSet = "main" }, harness.StartRedisSentinel(t, harness.Unhurried).Addrs()...), redisstore.Options{}
	}},
}

func TestRedisStore(t *testing.T) {
	for _, p := range redisPlaces {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			c, o := p.open(t)
			storetest.Run(t, func(t *testing.T) sojourn.Store { return redisStore(t, c, o) })
		})
	}
}

func TestLawsOnRedis(t *testing.T) {
	for _, p := range redisPlaces {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			c, o := p.open(t)
			store := redisStore(t, c, o)
			if err := store.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
			laws.Run(t, func(*testing.T) sojourn.Store { return store })
		})
	}
}

func TestLawsOnRedisAnonymous(t *testing.T) {
	ring, err := sealed.New([]string{sealed.GenerateKey()}, sealed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range redisPlaces {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			c, o := p.open(t)
			store := redisStore(t, c, o)
			laws.RunAnonymous(t, ring, func(*testing.T) sojourn.Store { return store })
		})
	}
}
