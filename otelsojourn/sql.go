package otelsojourn

import (
	"context"

	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/gosojourn/sojourn/sqlstore"
)

// observeSQL reports what sqlstore says of itself and of its pool.
func observeSQL(m *maker, stats func() sqlstore.Stats) func(context.Context, metric.Observer) {
	exchanges := m.total("sojourn.store.exchanges", "{exchange}", "Exchanges with the database that callers could share.")
	callers := m.total("sojourn.store.exchange.callers", "{call}", "Callers of these exchanges.")
	shared := m.total("sojourn.store.exchange.shared_callers", "{call}", "Callers of these exchanges who were not alone in theirs.")
	repeats := m.total("sojourn.store.repeats", "{repeat}", "What was asked once more: after a lock, a deadlock, a serialization failure, or alone.")
	connections := m.gauge("sojourn.store.pool.connections", "{connection}", "Connections of the pool, of everybody who uses it.")
	limit := m.gauge("sojourn.store.pool.limit", "{connection}", "Connections that the pool may have; none: no limit.")
	waits := m.total("sojourn.store.pool.waits", "{wait}", "Those who had to wait for a connection.")
	waited := m.seconds("sojourn.store.pool.wait_time", "How long they waited, in all.")

	all, load, save := m.set(), m.set(kindKey.String("load")), m.set(kindKey.String("save"))
	idle, used := m.set(semconv.DBClientConnectionStateIdle), m.set(semconv.DBClientConnectionStateUsed)
	return func(_ context.Context, o metric.Observer) {
		s := stats()
		for _, x := range []struct {
			sqlstore.Sharing
			of metric.MeasurementOption
		}{{s.Loads, load}, {s.Saves, save}} {
			o.ObserveInt64(exchanges, int64(x.Exchanges), x.of)
			o.ObserveInt64(callers, int64(x.Callers), x.of)
			o.ObserveInt64(shared, int64(x.Shared), x.of)
		}
		o.ObserveInt64(repeats, int64(s.Repeats), all)
		o.ObserveInt64(connections, int64(s.Pool.Idle), idle)
		o.ObserveInt64(connections, int64(s.Pool.InUse), used)
		if s.Pool.MaxOpenConnections > 0 {
			o.ObserveInt64(limit, int64(s.Pool.MaxOpenConnections), all)
		}
		o.ObserveInt64(waits, s.Pool.WaitCount, all)
		o.ObserveFloat64(waited, s.Pool.WaitDuration.Seconds(), all)
	}
}
