package otelsojourn

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/sqlstore"
)

const scope = "github.com/gosojourn/sojourn/otelsojourn"

// other stands for what is on no list, as in the semantic conventions.
const other = "_OTHER"

// The attributes that no convention has.
const (
	managerKey = attribute.Key("sojourn.manager")
	outcomeKey = attribute.Key("sojourn.outcome")
	reasonKey  = attribute.Key("sojourn.reason")
	eventKey   = attribute.Key("sojourn.event")
	kindKey    = attribute.Key("sojourn.kind")
)

// Options: the zero value is for the only manager of a process, with a store in memory.
type Options struct {
	// Manager is attribute sojourn.manager of all metrics and spans: it tells the managers of a process apart. The
	// default is "default". Two that share a name are counted as one, and only one of them may have CountLive.
	Manager string

	// System is attribute db.system.name, as the semantic conventions spell it: "mariadb", "mysql", "postgresql",
	// "sqlite", "redis". The default is none, for sessions in memory or in cookies: spans are then internal ones.
	System string

	// SQL is the method Stats of a [sqlstore.Store]: callers per exchange, repeats, the pool. The default is none. It
	// is called when metrics are collected.
	SQL func() sqlstore.Stats

	// CountEvery is how often live sessions are counted at most, whoever collects. A count looks at every session of
	// many stores, and each process counts, so go up where there are millions. The default is a minute. Nothing is
	// counted without [Instruments.CountLive], or while nobody collects.
	CountEvery time.Duration

	MeterProvider  metric.MeterProvider // the default is the global one
	TracerProvider trace.TracerProvider // the default is the global one
}

// Instruments are those of one manager. Safe for concurrent use.
type Instruments struct {
	tracer     trace.Tracer
	duration   metric.Float64Histogram
	size       metric.Int64Histogram
	operations map[sojourn.OpName]*operation
	events     map[sojourn.EventName]*event
	live       *live
	collecting metric.Registration
}

var _ sojourn.Observer = (*Instruments)(nil)

// New makes instruments. It does no I/O. It reports every mistake in o at once, and what the MeterProvider refuses.
func New(o Options) (*Instruments, error) {
	if err := o.resolve(); err != nil {
		return nil, err
	}
	m := &maker{meter: o.MeterProvider.Meter(scope), manager: managerKey.String(o.Manager)}
	i := &Instruments{tracer: o.TracerProvider.Tracer(scope)}
	i.makeOperations(m, o.System)
	i.events = makeEvents(m)
	i.live = newLive(m, o.CountEvery)
	observe := []func(context.Context, metric.Observer){i.live.observe}
	if o.SQL != nil {
		observe = append(observe, observeSQL(m, o.SQL))
	}
	i.collecting = m.callback(observe)
	if m.err != nil {
		return nil, fmt.Errorf("otelsojourn: the MeterProvider refuses: %w", m.err)
	}
	for _, e := range i.events {
		e.begin()
	}
	return i, nil
}

func (o *Options) resolve() error {
	var bad []error
	if o.CountEvery < 0 {
		bad = append(bad, fmt.Errorf("otelsojourn: CountEvery (%v) is negative: 0 is for a minute", o.CountEvery))
	}
	for field, value := range map[string]string{"Manager": o.Manager, "System": o.System} {
		if len(value) > 64 {
			bad = append(bad, fmt.Errorf("otelsojourn: %s has %d bytes: it is an attribute of every series, so give a short name, 64 at most", field, len(value)))
		}
	}
	if o.Manager == "" {
		o.Manager = "default"
	}
	if o.CountEvery == 0 {
		o.CountEvery = time.Minute
	}
	if o.MeterProvider == nil {
		o.MeterProvider = otel.GetMeterProvider()
	}
	if o.TracerProvider == nil {
		o.TracerProvider = otel.GetTracerProvider()
	}
	return errors.Join(bad...)
}

// CountLive counts the sessions of m, when metrics are collected, into sojourn.session.live. Where m cannot count
// (sealed sessions, a store that is no [sojourn.Lister]) or the store does not answer, there is no value, never an
// old one. Call it once, with the manager that these instruments are of.
func (i *Instruments) CountLive(m *sojourn.Manager) { i.live.from(m.Count) }

// Close ends what collects, and a count under way. Counters and spans go on until the manager is let go of.
func (i *Instruments) Close() error {
	i.live.close()
	return i.collecting.Unregister()
}

// A maker makes instruments and remembers the errors.
type maker struct {
	meter       metric.Meter
	manager     attribute.KeyValue
	observables []metric.Observable
	err         error
}

// set is a set of attributes, those of every series included.
func (m *maker) set(more ...attribute.KeyValue) metric.MeasurementOption {
	return metric.WithAttributeSet(attribute.NewSet(append([]attribute.KeyValue{m.manager}, more...)...))
}

func (m *maker) counter(name, unit, what string) metric.Int64Counter {
	c, err := m.meter.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(what))
	m.err = errors.Join(m.err, err)
	return c
}

func (m *maker) gauge(name, unit, what string) metric.Int64ObservableGauge {
	g, err := m.meter.Int64ObservableGauge(name, metric.WithUnit(unit), metric.WithDescription(what))
	return observable(m, g, err)
}

func (m *maker) total(name, unit, what string) metric.Int64ObservableCounter {
	c, err := m.meter.Int64ObservableCounter(name, metric.WithUnit(unit), metric.WithDescription(what))
	return observable(m, c, err)
}

func (m *maker) seconds(name, what string) metric.Float64ObservableCounter {
	c, err := m.meter.Float64ObservableCounter(name, metric.WithUnit("s"), metric.WithDescription(what))
	return observable(m, c, err)
}

func observable[T metric.Observable](m *maker, o T, err error) T {
	m.observables = append(m.observables, o)
	m.err = errors.Join(m.err, err)
	return o
}

// callback registers what observes all that m has made.
func (m *maker) callback(observe []func(context.Context, metric.Observer)) metric.Registration {
	if m.err != nil {
		return nil
	}
	r, err := m.meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		for _, f := range observe {
			f(ctx, o)
		}
		return nil
	}, m.observables...)
	m.err = err
	return r
}
