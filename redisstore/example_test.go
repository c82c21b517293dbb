package redisstore_test

import (
	"context"
	"log"
	"time"

	"github.com/redis/rueidis"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/redisstore"
)

// A client that gives up soon, with copies of what was read kept nearby for two seconds.
func Example() {
	client, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress:      []string{"127.0.0.1:6379"}, // any node of a Cluster, or the Sentinels
		ConnWriteTimeout: time.Second,                // also how soon a dead connection is noticed
		RetryDelay: func(attempts int, _ rueidis.Completed, _ error) time.Duration {
			if attempts > 3 {
				return -1 // who is refused need not wait for Config.StoreTimeout
			}
			return time.Duration(attempts) * 20 * time.Millisecond
		},
	})
	if err != nil {
		log.Print(err)
		return
	}
	defer client.Close()
	store, err := redisstore.New(client, redisstore.Options{Near: 2 * time.Second})
	if err != nil {
		log.Fatal(err)
	}
	if err := store.Check(context.Background()); err != nil {
		log.Print(err) // redisstore: check: …: maxmemory-policy is allkeys-lru, which drops sessions …
	}
	sessions, err := sojourn.New(store, sojourn.Config{})
	if err != nil {
		log.Fatal(err)
	}
	_ = sessions // … sessions.LoadAndSave around the handlers
}

// Where an acknowledged write must survive the primary: each waits for a replica.
func Example_acknowledged() {
	client, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress: []string{"10.0.0.1:26379", "10.0.0.2:26379", "10.0.0.3:26379"},
		Sentinel:    rueidis.SentinelOption{MasterSet: "main"},
	})
	if err != nil {
		log.Print(err)
		return
	}
	defer client.Close()
	store, err := redisstore.New(client, redisstore.Options{WaitReplicas: 1, WaitTimeout: 500 * time.Millisecond})
	if err != nil {
		log.Fatal(err)
	}
	_ = store
}
