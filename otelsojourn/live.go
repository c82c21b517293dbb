package otelsojourn

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/metric"
)

// patience is how long a collection waits for a count that it has begun. A slow one is for the next.
const patience = 500 * time.Millisecond

// periods is how many of them a count is shown for, if nobody has collected meanwhile.
const periods = 3

// A live counts sessions at most once in a period, beside the collection, which must not wait for the store.
type live struct {
	gauge metric.Int64ObservableGauge
	attrs metric.MeasurementOption
	every time.Duration
	ctx   context.Context // ends with Close
	stop  context.CancelFunc
	under sync.WaitGroup

	mu      sync.Mutex
	count   func(context.Context) (int, error)
	began   time.Time // the last one
	running bool      // it is under way
	n       int       // what it answered
	counted time.Time // when; zero: it has failed, or there was none
}

func newLive(m *maker, every time.Duration) *live {
	l := &live{every: every, attrs: m.set()}
	l.gauge = m.gauge("sojourn.session.live", "{session}", "Sessions that the store keeps, about.")
	l.ctx, l.stop = context.WithCancel(context.Background())
	return l
}

func (l *live) from(count func(context.Context) (int, error)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count = count
}

func (l *live) close() {
	l.stop()
	l.from(nil)
	l.under.Wait()
}

func (l *live) observe(ctx context.Context, o metric.Observer) {
	if done := l.begin(); done != nil {
		wait := time.NewTimer(patience)
		defer wait.Stop()
		select {
		case <-done:
		case <-wait.C:
		case <-ctx.Done():
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.counted.IsZero() && time.Since(l.counted) < periods*l.every {
		o.ObserveInt64(l.gauge, int64(l.n), l.attrs)
	}
}

// begin starts a count, if one is due.
func (l *live) begin() (done chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.count == nil || l.running || !l.began.IsZero() && time.Since(l.began) < l.every {
		return nil
	}
	l.running, l.began = true, time.Now()
	done = make(chan struct{})
	count := l.count
	l.under.Go(func() {
		defer close(done)
		n, err := count(l.ctx)
		l.mu.Lock()
		defer l.mu.Unlock()
		l.running, l.n, l.counted = false, n, time.Now()
		if err != nil {
			l.counted = time.Time{}
		}
	})
	return done
}
