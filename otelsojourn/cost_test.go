package otelsojourn_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/otelsojourn"
)

// What a request costs that reads one value of its session, which is one question to a store in memory: without an
// observer, with metrics, and with spans that are sampled or not. The request has a span where there is a sampler.
func BenchmarkRequest(b *testing.B) {
	for _, c := range []struct {
		name    string
		observe bool
		sampler sdktrace.Sampler
	}{
		{"without", false, nil},
		{"metrics", true, nil},
		{"without, not sampled", false, sdktrace.NeverSample()},
		{"metrics and spans, not sampled", true, sdktrace.NeverSample()},
		{"without, sampled", false, sdktrace.AlwaysSample()},
		{"metrics and spans, sampled", true, sdktrace.AlwaysSample()},
	} {
		b.Run(c.name, func(b *testing.B) { benchmarkRequest(b, c.observe, c.sampler) })
	}
}

func benchmarkRequest(b *testing.B, observe bool, sampler sdktrace.Sampler) {
	o := otelsojourn.Options{TracerProvider: noop.NewTracerProvider()}
	o.MeterProvider = sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))
	if sampler != nil {
		o.TracerProvider = sdktrace.NewTracerProvider(sdktrace.WithSampler(sampler)) // exports to nobody
	}
	tracer := o.TracerProvider.Tracer("benchmark")
	var config sojourn.Config
	if observe {
		i, err := otelsojourn.New(o)
		if err != nil {
			b.Fatal(err)
		}
		defer i.Close()
		config.Observer, config.OnEvent = i, i.OnEvent
	}
	m, err := sojourn.New(memstore.New(), config)
	if err != nil {
		b.Fatal(err)
	}
	name := sojourn.NewKey[string]("name")
	h := m.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/put" {
			name.Put(r.Context(), "Ada")
		} else if name.Get(r.Context()) != "Ada" {
			b.Error("the session is not found")
		}
	}))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "https://example.com/put", nil))
	r := httptest.NewRequest("GET", "https://example.com/", nil)
	r.AddCookie(w.Result().Cookies()[0])
	b.ReportAllocs()
	for b.Loop() {
		ctx, span := tracer.Start(r.Context(), "request")
		h.ServeHTTP(discard{}, r.WithContext(ctx))
		span.End()
	}
}

type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) WriteHeader(int)             {}

// Metrics of a question take one object, whatever the store answers: what ends it.
func TestWhatAQuestionCosts(t *testing.T) {
	c := newCollector(t)
	i := c.instruments(otelsojourn.Options{})
	ctx := t.Context()
	for _, err := range []error{nil, sojourn.ErrNotFound, sojourn.ErrConflict} {
		n := testing.AllocsPerRun(200, func() {
			_, end := i.Start(ctx, sojourn.Op{Name: sojourn.OpUpdate, Bytes: 200})
			end(err)
		})
		if n > 1 {
			t.Errorf("a question answered by %v takes %v objects, want 1", err, n)
		}
	}
	n := testing.AllocsPerRun(200, func() { i.OnEvent(ctx, sojourn.Event{Name: sojourn.EventEnded, Reason: "logout"}) })
	if n > 0 {
		t.Errorf("an event takes %v objects, want none", n)
	}
}
