package otelsojourn_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/gosojourn/sojourn/otelsojourn"
	"github.com/gosojourn/sojourn/sqlstore"
)

func someStats() sqlstore.Stats {
	return sqlstore.Stats{
		Loads:   sqlstore.Sharing{Exchanges: 10, Callers: 25, Shared: 20},
		Saves:   sqlstore.Sharing{Exchanges: 3, Callers: 4, Shared: 2},
		Repeats: 7,
		Pool:    sql.DBStats{MaxOpenConnections: 20, InUse: 5, Idle: 2, WaitCount: 9, WaitDuration: 1500 * time.Millisecond},
	}
}

func TestWhatSqlstoreSaysIsReported(t *testing.T) {
	c := newCollector(t)
	c.instruments(otelsojourn.Options{SQL: someStats})
	c.want(map[string]float64{
		"sojourn.store.exchanges{sojourn.kind=load}":                      10,
		"sojourn.store.exchange.callers{sojourn.kind=load}":               25,
		"sojourn.store.exchange.shared_callers{sojourn.kind=load}":        20,
		"sojourn.store.exchanges{sojourn.kind=save}":                      3,
		"sojourn.store.exchange.callers{sojourn.kind=save}":               4,
		"sojourn.store.exchange.shared_callers{sojourn.kind=save}":        2,
		"sojourn.store.repeats":                                           7,
		"sojourn.store.pool.connections{db.client.connection.state=used}": 5,
		"sojourn.store.pool.connections{db.client.connection.state=idle}": 2,
		"sojourn.store.pool.limit":                                        20,
		"sojourn.store.pool.waits":                                        9,
		"sojourn.store.pool.wait_time":                                    1.5,
	})
}

// A pool without a limit has none, not one of 0.
func TestAPoolWithoutALimit(t *testing.T) {
	c := newCollector(t)
	c.instruments(otelsojourn.Options{SQL: func() sqlstore.Stats { return sqlstore.Stats{} }})
	if n, is := c.collect()["sojourn.store.pool.limit"]; is {
		t.Errorf("the limit is %v, want none", n)
	}
}
