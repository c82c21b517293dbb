package otelsojourn_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/otelsojourn"
)

// A collector is an SDK that keeps everything in memory.
type collector struct {
	t      *testing.T
	reader *sdkmetric.ManualReader
	spans  *tracetest.SpanRecorder
	meters *sdkmetric.MeterProvider
	traces *sdktrace.TracerProvider
}

func newCollector(t *testing.T) *collector {
	c := &collector{t: t, reader: sdkmetric.NewManualReader(), spans: tracetest.NewSpanRecorder()}
	c.meters = sdkmetric.NewMeterProvider(sdkmetric.WithReader(c.reader))
	c.traces = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(c.spans))
	return c
}

func (c *collector) instruments(o otelsojourn.Options) *otelsojourn.Instruments {
	c.t.Helper()
	o.MeterProvider, o.TracerProvider = c.meters, c.traces
	i, err := otelsojourn.New(o)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { i.Close() })
	return i
}

// collect answers each series, as "name{attribute=value ...}" without sojourn.manager=default; of a histogram
// the count, and behind ":sum" the sum.
func (c *collector) collect() map[string]float64 {
	c.t.Helper()
	var all metricdata.ResourceMetrics
	if err := c.reader.Collect(context.Background(), &all); err != nil {
		c.t.Fatal(err)
	}
	series := map[string]float64{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch d := m.Data.(type) {
			case metricdata.Sum[int64]:
				points(series, m.Name, d.DataPoints)
			case metricdata.Sum[float64]:
				points(series, m.Name, d.DataPoints)
			case metricdata.Gauge[int64]:
				points(series, m.Name, d.DataPoints)
			case metricdata.Histogram[int64]:
				histogram(series, m.Name, d.DataPoints)
			case metricdata.Histogram[float64]:
				histogram(series, m.Name, d.DataPoints)
			default:
				c.t.Fatalf("%s is a %T", m.Name, d)
			}
		}
	}
	return series
}

func points[N int64 | float64](series map[string]float64, name string, all []metricdata.DataPoint[N]) {
	for _, p := range all {
		series[name+spelled(p.Attributes)] = float64(p.Value)
	}
}

func histogram[N int64 | float64](series map[string]float64, name string, all []metricdata.HistogramDataPoint[N]) {
	for _, p := range all {
		series[name+spelled(p.Attributes)] = float64(p.Count)
		series[name+spelled(p.Attributes)+":sum"] = float64(p.Sum)
	}
}

func spelled(set attribute.Set) string {
	var parts []string
	for _, a := range set.ToSlice() {
		if text := fmt.Sprintf("%s=%s", a.Key, a.Value.String()); text != "sojourn.manager=default" {
			parts = append(parts, text)
		}
	}
	if parts == nil {
		return ""
	}
	return "{" + strings.Join(parts, " ") + "}"
}

// want compares series, all others aside.
func (c *collector) want(want map[string]float64) {
	c.t.Helper()
	got := c.collect()
	for name, n := range want {
		if is, there := got[name]; !there || is != n {
			c.t.Errorf("%s is %v (there: %v), want %v", name, is, there, n)
		}
	}
}

func manager(t *testing.T, s sojourn.Store, c sojourn.Config) *sojourn.Manager {
	t.Helper()
	m, err := sojourn.New(s, c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
