package main

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/gosojourn/sojourn/redisstore"
)

// openRedis opens a Redis or Valkey: one node, a Cluster, or behind Sentinels.
func (g *grammar) openRedis(kind string) (*opened, error) {
	client, name, err := g.redisClient(kind, g.Store)
	if err != nil {
		return nil, err
	}
	store, err := redisstore.New(client, redisstore.Options{Prefix: g.Prefix})
	if err != nil {
		client.Close()
		return nil, usage("--prefix: %w", err)
	}
	return &opened{backend: store, Closer: closer(func() error { client.Close(); return nil }), name: name}, nil
}

// redisClient is one for text, and its name for people.
func (g *grammar) redisClient(kind, text string) (client rueidis.Client, name string, err error) {
	if kind != "rediss" {
		text = "redis" + strings.TrimPrefix(text, kind)
	}
	o, err := rueidis.ParseURL(text)
	switch {
	case err != nil || strings.Contains(strings.Join(o.InitAddress, ""), "@"): // which may quote the password
		return nil, "", usage("the store's URL is none of a Redis: use redis://user:password@host:port, with %%25 for %%, %%40 for @ and %%2F for / " +
			"in a password; rediss:// speaks TLS; ?addr=host:port names more nodes of a Cluster, or more Sentinels")
	case kind == "redissentinel" && o.Sentinel.MasterSet == "":
		return nil, "", usage("redissentinel:// wants the name of the primary that the Sentinels watch: add ?master_set=NAME")
	}
	o.ConnWriteTimeout, o.Dialer.Timeout, o.ClientName = g.Timeout, g.Timeout, "sojourn-command"
	o.DisableCache = true // nothing is read twice
	s := &o.Sentinel      // Sentinels mostly ask for no password, and refuse one that they do not ask for
	s.Username, s.Password = param(text, "sentinel_user"), param(text, "sentinel_password")
	s.Dialer, s.TLSConfig, s.ClientName = o.Dialer, o.TLSConfig, o.ClientName
	o.RetryDelay = func(attempts int, _ rueidis.Completed, _ error) time.Duration {
		if attempts > 3 {
			return -1 // who waits at a keyboard would rather be told
		}
		return time.Duration(attempts) * 20 * time.Millisecond
	}
	name = "Redis at " + strings.Join(o.InitAddress, ", ")
	client, err = rueidis.NewClient(o)
	if err != nil {
		return nil, "", fmt.Errorf("%s cannot be used: %w: is it running, and are address, user and password in the URL right?", name, err)
	}
	if kind == "rediscluster" && client.Mode() != rueidis.ClientModeCluster {
		client.Close()
		return nil, "", usage("%s is no Cluster: say redis:// in the URL", name)
	}
	return client, name, nil
}

// param is a parameter of a URL that parses.
func param(text, name string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return u.Query().Get(name)
}
