package integration

import (
	"testing"

	"github.com/redis/rueidis"

	"github.com/gosojourn/sojourn/lab/harness"
	"github.com/gosojourn/sojourn/lab/model"
	"github.com/gosojourn/sojourn/redisstore"
)

func TestModelOnRedis(t *testing.T) {
	t.Parallel()
	addr := harness.Redis(t)
	modelOnRedis(t, func() rueidis.Client { return redisClient(t, nil, addr) })
}

func TestModelOnRedisCluster(t *testing.T) {
	t.Parallel()
	addrs := harness.StartRedisCluster(t, harness.Unhurried).Addrs()
	modelOnRedis(t, func() rueidis.Client { return redisClient(t, nil, addrs...) })
}

// modelOnRedis has two processes of their own on one prefix.
func modelOnRedis(t *testing.T, client func() rueidis.Client) {
	c := client()
	o := redisstore.Options{Prefix: redisPrefix(t, c)}
	model.RunReal(t, modelVerbs, [2]model.Store{redisStore(t, c, o), redisStore(t, client(), o)})
}
