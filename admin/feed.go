package admin

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/gosojourn/sojourn"
)

const (
	tellEvery  = 2 * time.Second
	countEvery = 10 * time.Second
	countShare = 20 // of the time between counts, one of so many is spent counting at most
)

// A feed sends the figures to every page that is open. One goroutine serves them all, and runs only while there are any.
type feed struct {
	m       *sojourn.Manager
	figures *Figures // nil: there are none

	mu       sync.Mutex
	watchers map[chan []byte]struct{} // each of room for one: who is slow misses some
	stop     context.CancelFunc       // of the goroutine
	closed   chan struct{}
	live     string        // what there is to say of the last count
	next     time.Time     // when to count again
	counting chan struct{} // closed when the count that is under way is over; nil if none is
}

func newFeed(m *sojourn.Manager, f *Figures) *feed {
	return &feed{m: m, figures: f, watchers: make(map[chan []byte]struct{}), closed: make(chan struct{}), live: "not counted yet"}
}

// join has ch told of the figures until leave is called.
func (f *feed) join(ch chan []byte) (leave func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.watchers[ch] = struct{}{}
	if f.stop == nil {
		var ctx context.Context
		ctx, f.stop = context.WithCancel(context.Background())
		go f.run(ctx)
	}
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.watchers, ch)
		if len(f.watchers) == 0 && f.stop != nil {
			f.stop()
			f.stop = nil
		}
	}
}

func (f *feed) run(ctx context.Context) {
	tick := time.NewTicker(tellEvery)
	defer tick.Stop()
	for {
		f.count()
		f.tell(f.message())
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (f *feed) message() []byte {
	b, _ := json.Marshal(f.cards()) // strings alone
	return b
}

func (f *feed) cards() []card {
	f.mu.Lock()
	live := f.live
	f.mu.Unlock()
	return f.figures.cards(live)
}

func (f *feed) tell(message []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for ch := range f.watchers {
		select {
		case ch <- message:
		default:
		}
	}
}

// count has the live sessions counted if that is due, beside whoever asks: it may take long. over is closed when it is
// known; nil if that is so already.
func (f *feed) count() (over <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.counting == nil && !time.Now().Before(f.next) {
		f.counting = make(chan struct{})
		go f.countNow(f.counting)
	}
	return f.counting
}

func (f *feed) countNow(over chan struct{}) {
	defer close(over)
	began := time.Now()
	n, err := f.ask()
	if err == nil {
		f.figures.setLive(n)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counting = nil
	f.next = time.Now().Add(max(countEvery, countShare*time.Since(began)))
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		f.live, f.next = "what keeps the sessions does not count them", time.Now().Add(time.Hour)
	case err != nil:
		f.live = "the store did not answer at " + clock(time.Now())
	default:
		f.live = "in the store, at " + clock(time.Now())
	}
}

// ask counts. A store that panics has not answered: there is no request here that it could end.
func (f *feed) ask() (n int, err error) {
	err = errPanicked
	defer func() { _ = recover() }()
	return f.m.Count(context.Background())
}

var errPanicked = errors.New("admin: the store panicked")

func clock(t time.Time) string { return t.UTC().Format("15:04:05 UTC") }

func (f *feed) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	select {
	case <-f.closed:
	default:
		close(f.closed)
	}
}
