package model

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"github.com/gosojourn/sojourn/memstore"
)

// crowded is how many requests may be under way at once.
const crowded = 5

// A Report is what a schedule has come to.
type Report struct {
	Steps  int
	Broken []string // laws
	Lines  []string // the schedule as it went
}

func (r *Report) String() string {
	return strings.Join(r.Broken, "\n") + "\n" + strings.Join(r.Lines, "\n")
}

// A Wrap puts something between the managers and their store: a bug, to be found.
type Wrap func(Store) Store

// Run carries out a plan on memory, each call of the store parked until the plan lets it go on, by a
// clock that stands still while anything goes on.
func Run(t *testing.T, p Plan, wrap Wrap) (r Report) {
	synctest.Test(t, func(t *testing.T) {
		cryptotest.SetGlobalRandom(t, 1)
		var store Store = memstore.New()
		if wrap != nil {
			store = wrap(store)
		}
		w, err := newWorld(p, [hosts]Store{store, store})
		if err != nil {
			t.Fatal(err)
		}
		r.Steps = w.play()
		w.ledger.settle(w)
		r.Broken, r.Lines = w.ledger.broken, w.lines
	})
	return r
}

// play carries out the steps, and then goes on until nobody waits. It answers how many decisions it took.
func (w *world) play() (steps int) {
	next := 0
	for _, s := range w.plan.Steps {
		synctest.Wait()
		if !w.step(s, &next) {
			break
		}
		steps++
		if w.ledger.isBroken() {
			break // what comes after only makes the story longer
		}
	}
	for range 10_000 {
		synctest.Wait()
		if len(w.ledger.broken) > 0 && w.open.CompareAndSwap(false, true) {
			w.say("(the rest is not told)")
		}
		if w.open.Load() {
			next = len(w.plan.Requests)
		}
		if !w.step(Step{}, &next) {
			return steps
		}
		steps++
	}
	panic("the schedule does not end:\n" + strings.Join(w.lines, "\n"))
}

// step makes one decision; false if all is over. One that is impossible lets the first that waits go on.
func (w *world) step(s Step, next *int) bool {
	w.mu.Lock()
	all := w.waiting()
	running, landings := len(w.running), len(w.landings)
	w.mu.Unlock()
	may := *next < len(w.plan.Requests) && running < crowded
	switch {
	case s.Kind == Start && may, len(all) == 0 && running == 0 && may:
		w.begin(*next)
		*next++
	case len(all) == 0 && running == 0:
		return false
	case s.Kind == Pass, len(all) == 0:
		w.rest(s.Pick, len(all) == 0)
	case s.Kind == Leave:
		w.leave(all[s.Pick%len(all)])
	case s.Kind == Land && landings > 0:
		w.land(s.Pick % landings)
	default:
		w.release(all[s.Pick%len(all)], s.Fate)
	}
	return true
}

func (w *world) begin(n int) {
	q := &w.plan.Requests[n]
	v := w.newVisit(n, q)
	w.say("request %d comes (%s), and shows %v", n, q, shows(v.shown))
	go v.serve()
}

var pauses = [...]time.Duration{time.Millisecond, 12 * time.Millisecond, time.Second, 2 * time.Second, storeTimeout, 61 * time.Minute}

// rest lets time pass: all that waits for time goes on.
func (w *world) rest(pick int, nobody bool) {
	d := pauses[pick%len(pauses)]
	if nobody {
		d = max(d, pauses[2])
	}
	if d < time.Hour {
		w.say("%s pass", d)
		time.Sleep(d)
		return
	}
	w.mu.Lock()
	var held []*token
	for _, v := range w.running {
		v.aged = true
		held = append(append(held, v.shown...), v.cur, v.last)
	}
	w.mu.Unlock()
	w.say("an hour passes")
	time.Sleep(d)
	w.ledger.hourLater(held)
}

func (w *world) leave(n int) {
	w.mu.Lock()
	v := w.running[n]
	w.mu.Unlock()
	if v == nil {
		return
	}
	v.left = true
	w.say("the client of request %d leaves", n)
	v.gone()
}

func (w *world) land(i int) {
	w.mu.Lock()
	x := w.landings[i]
	w.landings = append(w.landings[:i:i], w.landings[i+1:]...)
	w.mu.Unlock()
	w.say("what was given up takes effect: %s", x.what)
	x.do()
}

func (w *world) release(n int, f Fate) {
	w.mu.Lock()
	p := w.parked[n]
	delete(w.parked, n)
	switch {
	case !p.call:
		f = Answered
	case f == Conflict && !p.write:
		f = Answered
	}
	w.mu.Unlock()
	if p.call {
		w.say("  request %d: %s: %s", n, p.what, f)
	} else {
		w.say("  request %d goes on: %s", n, p.what)
	}
	p.word <- f
}

// settle has everybody come once more, when all is over, with every token that was ever sent.
func (l *ledger) settle(w *world) {
	if len(l.broken) > 0 {
		return
	}
	for len(w.landings) > 0 {
		w.land(0)
	}
	w.open.Store(true)
	if !w.real {
		time.Sleep(storeTimeout) // fences of sealed sessions are believed for two seconds
	}
	w.say("at last everybody comes with every token")
	n := len(w.plan.Requests)
	for _, t := range l.all {
		if t.text == "" {
			continue
		}
		for host := range hosts {
			v := &visit{w: w, n: n, req: &Request{Safe: true, Host: host}, m: w.managers[host]}
			l.mu.Lock()
			v.began = l.tick()
			l.mu.Unlock()
			v.asOf, v.shown = v.began, []*token{t}
			v.request([]string{t.text})
			v.through(httptest.NewRecorder(), func(_ http.ResponseWriter, r *http.Request) {
				v.ctx = r.Context()
				if _, ok := v.look(); !ok {
					v.wrong("the store does not answer at last")
				}
			})
			v.gone()
			n++
		}
	}
}
