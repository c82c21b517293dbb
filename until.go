package sojourn

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Until returns a context that ends, with cause ErrEnded, when the session of ctx does: by a logout, a revocation,
// its limits, or a login as somebody else. It is for what outlives a request's first bytes: WebSockets, server-sent
// events, gRPC streams. A renewed token, or a login as the same owner, ends nothing. What ends in this process is told
// at once; what ends elsewhere within a second. One poll serves all streams of a manager, and runs only while there
// are any; a store that keeps copies nearby is asked through them.
//
// Without a session the context has ended already. While the store cannot answer, the stream goes on up to the limits
// that were last read; then the cause is an error that is Unavailable. A stream does not count as use: it extends no
// idle limit. Of sealed sessions only Config.Revocations, the absolute limit and what this process has seen are told.
//
// Call it behind the Commit of what this request changes, and call cancel when the stream is over.
func (m *Manager) Until(ctx context.Context) (until context.Context, cancel context.CancelFunc) {
	s := sessionOf(ctx, m)
	s.lock()
	phase, base, err := s.phase, s.base, s.err
	s.unlock()
	until, end := context.WithCancelCause(ctx)
	if phase != live {
		if err == nil {
			err = ErrEnded
		}
		end(err)
		return until, func() {}
	}
	st := &stream{end: end}
	m.streams.add(m, &base, st)
	leave := func() { m.streams.remove(st) }
	stop := context.AfterFunc(until, leave)
	return until, func() {
		end(context.Canceled)
		stop()
		leave()
	}
}

// A watched is one session that streams hang on, as they found it.
type watched struct {
	id, owner string
	fence     uint64
	sealed    bool
}

// A watch is what is known of it.
type watch struct {
	watched
	ends    time.Time // if nobody uses it; as it was read last
	streams map[*stream]struct{}
}

// limit is the end of r as it stands.
func (r *stored) limit() time.Time {
	if d := time.UnixMilli(r.Deadline); d.Before(r.Expiry) {
		return d
	}
	return r.Expiry
}

type stream struct {
	end context.CancelCauseFunc
	of  *watch
}

// streams are those of one manager. A goroutine looks after them while there are any.
type streams struct {
	any atomic.Bool // asked at each event, so it takes no lock

	mu     sync.Mutex
	all    map[string][]*watch // by the session's id, for what an event is about: nearly always one
	urgent []*watch            // something has happened to these in this process
	hurry  chan struct{}       // of room for one: there are urgent ones, or none at all
}

const (
	lookEvery = 400 * time.Millisecond // with what a look takes, an end is told within a second
	lookers   = 64                     // ask at once: stores share exchanges
)

func (x *streams) add(m *Manager, r *stored, st *stream) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.hurry == nil {
		x.all, x.hurry = make(map[string][]*watch), make(chan struct{}, 1)
	}
	w := x.watchOf(watched{r.ID, r.Owner, r.Fence, r.sealed})
	if w.ends = r.limit(); r.sealed {
		w.ends = time.UnixMilli(r.Deadline) // whether it is used is not known here
	}
	w.streams[st] = struct{}{}
	st.of = w
	if !x.any.Swap(true) {
		go x.lookAfter(m)
	}
}

// watchOf is the one of key, which it makes if there is none. The caller of this and of forget holds mu.
func (x *streams) watchOf(key watched) *watch {
	for _, w := range x.all[key.id] {
		if w.watched == key {
			return w
		}
	}
	w := &watch{watched: key, streams: make(map[*stream]struct{})}
	x.all[key.id] = append(x.all[key.id], w)
	return w
}

func (x *streams) remove(st *stream) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(st.of.streams, st)
	if len(st.of.streams) == 0 {
		x.forget(st.of)
	}
}

// forget is of the last stream of w.
func (x *streams) forget(w *watch) {
	if rest := slices.DeleteFunc(x.all[w.id], func(other *watch) bool { return other == w }); len(rest) > 0 {
		x.all[w.id] = rest
	} else {
		delete(x.all, w.id)
	}
	if len(x.all) == 0 {
		x.wake()
	}
}

// wake has lookAfter look at what there is now.
func (x *streams) wake() {
	select {
	case x.hurry <- struct{}{}:
	default: // it will
	}
}

// heard has the sessions looked at that e may have ended.
func (x *streams) heard(e *Event) {
	if !x.any.Load() || e.Name != EventEnded && e.Name != EventLogin {
		return
	}
	x.mu.Lock()
	if e.ID != "" {
		x.urgent = append(x.urgent, x.all[e.ID]...)
	} else {
		for _, some := range x.all {
			for _, w := range some {
				if w.owner == e.Owner || e.Reason == "everyone" {
					x.urgent = append(x.urgent, w)
				}
			}
		}
	}
	some := len(x.urgent) > 0
	x.mu.Unlock()
	if some {
		x.wake()
	}
}

// lookAfter looks at the urgent ones at once, at all of them now and then, until there are none.
func (x *streams) lookAfter(m *Manager) {
	t := time.NewTimer(lookEvery)
	defer t.Stop()
	for {
		all := false
		select {
		case <-x.hurry:
		case <-t.C:
			all = true
			t.Reset(lookEvery + rand.N(lookEvery/8))
		}
		some, done := x.take(all)
		if done {
			return
		}
		x.lookAt(m, some)
	}
}

// take is what is to be looked at. done: there is nothing left to look after.
func (x *streams) take(all bool) (some []*watch, done bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.all) == 0 {
		x.any.Store(false)
		x.urgent = nil
		return nil, true
	}
	some, x.urgent = x.urgent, nil
	if all {
		some = slices.Concat(slices.Collect(maps.Values(x.all))...)
	}
	return some, false
}

// lookAt asks the keeper for each of them. When it cannot answer, it is not asked for the rest, and that is told.
func (x *streams) lookAt(m *Manager, some []*watch) {
	var asking sync.WaitGroup
	var next atomic.Int64
	var failed atomic.Pointer[error]
	for range min(len(some), lookers) {
		asking.Go(func() {
			for i := next.Add(1); i <= int64(len(some)); i = next.Add(1) {
				w := some[i-1]
				ends, err := time.Time{}, error(nil)
				if before := failed.Load(); before != nil {
					err = *before
				} else if ends, err = m.still(&w.watched); err != nil && !isEnded(err) {
					failed.Store(&err)
				}
				x.judge(w, ends, err)
			}
		})
	}
	asking.Wait()
	defer func() { _ = recover() }() // of OnEvent: there is no request here that it could end
	if err := failed.Load(); err != nil {
		m.emit(context.Background(), Event{Name: EventUnavailable, Reason: "until", Err: *err})
	}
	m.tellRecoveries()
}

// still asks the keeper. One that panics has not answered.
func (m *Manager) still(w *watched) (ends time.Time, err error) {
	err = unavailable("load", errPanicked)
	defer func() { _ = recover() }()
	ends, err = m.keeper.still(m.waiting(), w)
	return ends, err
}

// judge ends the streams of a session that has ended, or of which nobody can say whether it has by now.
func (x *streams) judge(w *watch, ends time.Time, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !ends.IsZero() {
		w.ends = ends
	}
	if !isEnded(err) && time.Now().Before(w.ends) {
		return
	}
	if err == nil {
		err = ErrEnded
	}
	for st := range w.streams {
		st.end(err)
	}
	clear(w.streams)
	x.forget(w)
}
