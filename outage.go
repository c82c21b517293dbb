package sojourn

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// An outage is a time in which the store does not answer questions of one class. Its log lines are few: one
// when it begins, a count every ten seconds, one when it is over. OnEvent is told of each failure.
type outage struct {
	on atomic.Bool // asked at each answer, so it takes no lock

	mu    sync.Mutex
	now   failures
	said  time.Time  // the last line
	more  int        // failures since then
	ended []failures // of outages that are over, which are still to be told
}

// failures are those of one outage. An operator who has nothing but the log can say from them how many, and from
// when to when.
type failures struct {
	n           int
	first, last time.Time
	answered    bool // since the last one
}

const (
	outageEvery = 10 * time.Second

	// An outage is over with the first answer so long after its last failure. A server that is killed is still
	// answering while the first failures are seen, and one that comes back fails once more on connections of old.
	outageOver = 5 * time.Second
)

// An opClass is what fails together: a store may answer reads and refuse writes.
type opClass uint8

const (
	opLoad opClass = iota
	opSave
	opFence
	opClasses
)

func (c opClass) String() string { return [...]string{"reads", "writes", "owners"}[c] }

func classOf(err error) opClass {
	var u *unavailableError
	if !errors.As(err, &u) {
		return opSave
	}
	switch u.op {
	case "load":
		return opLoad
	case "login", "list", "revoke":
		return opFence
	}
	return opSave
}

// answers notes that the store has answered a question of class c.
func (m *Manager) answers(c opClass) {
	if o := &m.outages[c]; o.on.Load() {
		m.over(o)
	}
}

// over ends an outage. The caller may hold any lock, so that is told later.
func (m *Manager) over(o *outage) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.now.answered = true; !o.on.Load() || time.Since(o.now.last) < outageOver {
		return
	}
	o.ended = append(o.ended, o.now)
	o.on.Store(false)
	m.recovered.Store(true)
}

// tellRecoveries tells of outages that are over. The caller holds no lock.
func (m *Manager) tellRecoveries() {
	if !m.recovered.Load() || !m.recovered.CompareAndSwap(true, false) {
		return
	}
	for c := range opClasses {
		o := &m.outages[c]
		o.mu.Lock()
		ended := o.ended
		o.ended = nil
		o.mu.Unlock()
		for _, f := range ended {
			m.cfg.Logger.LogAttrs(context.Background(), slog.LevelInfo, "sojourn: the store answers again",
				slog.String("event", string(EventUnavailable)), slog.String("what", c.String()), slog.Int("failed", f.n),
				slog.Time("since", f.first), slog.Time("until", f.last), slog.Duration("for", f.last.Sub(f.first).Round(time.Millisecond)))
		}
	}
}

// outage counts a failure, and tells of it if that is due.
func (m *Manager) outage(ctx context.Context, e *Event) {
	c := classOf(e.Err)
	o := &m.outages[c]
	o.mu.Lock()
	now := time.Now()
	begins := !o.on.Swap(true)
	if !begins && o.now.answered && now.Sub(o.now.last) >= outageOver { // nobody has asked meanwhile
		o.ended = append(o.ended, o.now)
		m.recovered.Store(true)
		begins = true
	}
	if begins {
		o.now, o.more = failures{first: now}, 0
	}
	o.now.n++
	o.now.last, o.now.answered = now, false
	o.more++
	due := begins || now.Sub(o.said) >= outageEvery
	f, more := o.now, o.more
	if due {
		o.said, o.more = now, 0
	}
	o.mu.Unlock()
	if !due {
		return
	}
	text, attrs := "sojourn: the store does not answer", []slog.Attr{slog.String("what", c.String())}
	if !begins {
		text = "sojourn: the store still does not answer"
		attrs = append(attrs, slog.Int("failures", more), slog.Int("failed", f.n), slog.Time("since", f.first))
	}
	m.log(ctx, e, text, attrs...)
}

// requestOf tells of the request in ctx what an operator looks for, and nothing a visitor has written.
func requestOf(ctx context.Context) []slog.Attr {
	st := stateOf(ctx, nil)
	if st == nil || st.r == nil {
		return nil
	}
	attrs := []slog.Attr{slog.String("method", st.r.Method)}
	if st.r.Pattern != "" {
		attrs = append(attrs, slog.String("route", st.r.Pattern))
	}
	return attrs
}
