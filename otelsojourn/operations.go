package otelsojourn

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/gosojourn/sojourn"
)

// An outcome is what a store has answered, as its contract tells errors apart.
type outcome int

const (
	applied outcome = iota
	notFound
	conflict
	refused
	busy
	unsupported
	unknown
	outcomes int = iota
)

func (o outcome) String() string {
	return [...]string{"ok", "not_found", "conflict", "refused", "busy", "unsupported", "unknown"}[o]
}

// failed reports that somebody has to look: the others are answers.
func (o outcome) failed() bool { return o == refused || o == busy || o == unknown }

func outcomeOf(err error) outcome {
	switch {
	case err == nil:
		return applied
	case errors.Is(err, sojourn.ErrNotFound):
		return notFound
	case errors.Is(err, sojourn.ErrConflict):
		return conflict
	case errors.Is(err, sojourn.ErrRefused), errors.Is(err, sojourn.ErrTooLarge):
		return refused
	case errors.Is(err, sojourn.ErrBusy):
		return busy
	case errors.Is(err, errors.ErrUnsupported):
		return unsupported
	}
	return unknown
}

var operations = []sojourn.OpName{
	sojourn.OpLoad, sojourn.OpLoadNear, sojourn.OpCreate, sojourn.OpUpdate, sojourn.OpTouch, sojourn.OpDelete,
	sojourn.OpList, sojourn.OpListAll, sojourn.OpCount, sojourn.OpFence, sojourn.OpRevoke, sojourn.OpSweep, other,
}

// An operation has what is the same each time, so that a call makes none of it.
type operation struct {
	span  string
	start []trace.SpanStartOption
	took  [outcomes][]metric.RecordOption
	wrote []metric.RecordOption
}

func (i *Instruments) makeOperations(m *maker, system string) {
	var err error
	i.duration, err = m.meter.Float64Histogram("sojourn.store.operation.duration", metric.WithUnit("s"),
		metric.WithDescription("Time from a question to the store until its answer."),
		metric.WithExplicitBucketBoundaries(0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5))
	m.err = errors.Join(m.err, err)
	i.size, err = m.meter.Int64Histogram("sojourn.store.write.size", metric.WithUnit("By"),
		metric.WithDescription("Data of one session that the store has written, as the store gets it."),
		metric.WithExplicitBucketBoundaries(128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 262144, 1048576))
	m.err = errors.Join(m.err, err)
	i.operations = make(map[sojourn.OpName]*operation, len(operations))
	for _, name := range operations {
		i.operations[name] = makeOperation(m, string(name), system)
	}
}

func makeOperation(m *maker, name, system string) *operation {
	all, kind := []attribute.KeyValue{semconv.DBOperationName(name)}, trace.SpanKindInternal
	if system != "" {
		all, kind = append(all, semconv.DBSystemNameKey.String(system)), trace.SpanKindClient
	}
	op := &operation{
		span:  name + " session",
		start: []trace.SpanStartOption{trace.WithSpanKind(kind), trace.WithAttributes(append(all[:len(all):len(all)], m.manager)...)},
		wrote: []metric.RecordOption{m.set(all...)},
	}
	for o := range op.took {
		op.took[o] = []metric.RecordOption{m.set(append(all[:len(all):len(all)], outcomeKey.String(outcome(o).String()))...)}
	}
	return op
}

// Start implements [sojourn.Observer]. A span begins only beneath another one: what runs outside of requests, such as
// Sweep, would make a trace of its own each time.
func (i *Instruments) Start(ctx context.Context, op sojourn.Op) (context.Context, func(err error)) {
	o := i.operations[op.Name]
	if o == nil {
		o = i.operations[other]
	}
	var span trace.Span
	if trace.SpanContextFromContext(ctx).IsValid() {
		ctx, span = i.tracer.Start(ctx, o.span, o.start...)
	}
	began := time.Now()
	return ctx, func(err error) {
		out := outcomeOf(err)
		i.duration.Record(ctx, time.Since(began).Seconds(), o.took[out]...)
		if op.Bytes > 0 && out == applied {
			i.size.Record(ctx, int64(op.Bytes), o.wrote...)
		}
		if span != nil {
			end(span, out)
		}
	}
}

// end says nothing of the error but its outcome: a driver's words may quote an id or an owner.
func end(span trace.Span, out outcome) {
	if span.IsRecording() {
		span.SetAttributes(outcomeKey.String(out.String()))
		if out.failed() {
			span.SetAttributes(semconv.ErrorTypeKey.String(out.String()))
			span.SetStatus(codes.Error, "the store's answer: "+out.String())
		}
	}
	span.End()
}
