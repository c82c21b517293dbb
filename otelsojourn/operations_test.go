package otelsojourn_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/trace"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/otelsojourn"
)

func TestOutcomes(t *testing.T) {
	for err, want := range map[error]string{
		nil:                 "ok",
		sojourn.ErrNotFound: "not_found",
		sojourn.ErrConflict: "conflict",
		fmt.Errorf("update: %w: read-only", sojourn.ErrRefused):                 "refused",
		fmt.Errorf("update: %w", sojourn.ErrTooLarge):                           "refused",
		fmt.Errorf("update: %w: %w", sojourn.ErrBusy, context.DeadlineExceeded): "busy",
		fmt.Errorf("update: %w", errors.ErrUnsupported):                         "unsupported",
		context.DeadlineExceeded:                                                "unknown",
		errors.New("broken pipe"):                                               "unknown",
	} {
		c := newCollector(t)
		_, end := c.instruments(otelsojourn.Options{}).Start(t.Context(), sojourn.Op{Name: sojourn.OpUpdate, Bytes: 100})
		end(err)
		series := map[string]float64{"sojourn.store.operation.duration{db.operation.name=update sojourn.outcome=" + want + "}": 1}
		if err == nil {
			series["sojourn.store.write.size{db.operation.name=update}:sum"] = 100
		}
		c.want(series)
		if _, wrote := c.collect()["sojourn.store.write.size{db.operation.name=update}"]; wrote != (err == nil) {
			t.Errorf("after %v something was written: %v", err, wrote)
		}
	}
}

// A later version of the root module may know operations and events that this one does not.
func TestWhatIsOnNoListIsOther(t *testing.T) {
	c := newCollector(t)
	i := c.instruments(otelsojourn.Options{})
	_, end := i.Start(t.Context(), sojourn.Op{Name: "teleport"})
	end(nil)
	i.OnEvent(t.Context(), sojourn.Event{Name: "session_teleported", Reason: "x"})
	i.OnEvent(t.Context(), sojourn.Event{Name: sojourn.EventEnded, Reason: "teleported"})
	c.want(map[string]float64{
		"sojourn.store.operation.duration{db.operation.name=_OTHER sojourn.outcome=ok}": 1,
		"sojourn.faults{sojourn.event=_OTHER}":                                          1,
		"sojourn.session.endings{sojourn.reason=_OTHER}":                                1,
	})
}

// In memory there is no client and no server.
func TestSpansOfMemory(t *testing.T) {
	c := newCollector(t)
	ctx, span := c.traces.Tracer("test").Start(t.Context(), "request")
	inner, end := c.instruments(otelsojourn.Options{}).Start(ctx, sojourn.Op{Name: sojourn.OpLoad})
	if trace.SpanFromContext(inner) == span {
		t.Error("a driver's spans would not hang beneath the operation's")
	}
	end(nil)
	got := c.spans.Ended()
	if len(got) != 1 || got[0].SpanKind() != trace.SpanKindInternal {
		t.Errorf("spans %v, want an internal one", got)
	}
}

func TestNewTellsAllMistakes(t *testing.T) {
	_, err := otelsojourn.New(otelsojourn.Options{CountEvery: -1, Manager: strings.Repeat("x", 65), System: strings.Repeat("y", 65)})
	if err == nil {
		t.Fatal("no error")
	}
	for _, field := range []string{"CountEvery", "Manager", "System"} {
		if !strings.Contains(err.Error(), field) {
			t.Errorf("%v: nothing of %s", err, field)
		}
	}
}
