package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gosojourn/sojourn/lab/harness"
	"github.com/gosojourn/sojourn/lab/histories"
	"github.com/gosojourn/sojourn/lab/histories/serving"
)

const workers = 64 // connections, each with the next request as soon as it has its answer

// A regular is somebody who is logged in, and whose worker knows what his session has to say.
type regular struct {
	name        string
	jar         histories.Jar
	done, maybe int // increments that were acknowledged, and those of which nobody knows
}

// A load is workers who share out the regulars. Each asks for its own, so it knows each answer before it comes.
type load struct {
	*crowd
	mu    sync.Mutex
	wrong []string // answers that were not as they had to be
	came  int      // so far, for names
}

// What a process was asked, and what it needed.
type loaded struct {
	sessions           int
	requests, failed   int
	lost, back, ended  int
	reads, writes      time.Duration // of one in a hundred it took longer
	longest            time.Duration
	before, most       serving.Figures
	connections        int
	lasted             time.Duration
	acknowledged, more int
}

func (r loaded) String() string {
	ms := func(d time.Duration) time.Duration { return d.Round(time.Millisecond) }
	connections := "-"
	if r.connections > 0 {
		connections = strconv.Itoa(r.connections)
	}
	return fmt.Sprintf("%d | %d | %.0f | %d | %d of %d | %d of %d | %v | %v | %v | %d to %d MB | %d to %d | %s", r.sessions, r.requests,
		float64(r.requests)/r.lasted.Seconds(), r.failed, r.lost, r.acknowledged, r.back, r.ended, ms(r.reads), ms(r.writes), ms(r.longest),
		r.before.Memory>>20, r.most.Memory>>20, r.before.Goroutines, r.most.Goroutines, connections)
}

// playLoad has that many people log in, works for so long, and reads everything again.
func playLoad(t *testing.T, o serving.Order, connections func() int, sessions int, lasting time.Duration) (r loaded) {
	t.Helper()
	migrate(t, o)
	p := serving.Start(t, o)
	l := &load{crowd: newCrowd(t, []string{p.URL})}
	l.transport.MaxIdleConnsPerHost, l.transport.MaxConnsPerHost = workers, workers
	all := make([][]*regular, workers)
	l.each(func(id int) {
		for i := id; i < sessions; i += workers {
			all[id] = append(all[id], l.comes(t, id))
		}
	})
	r.sessions, r.before = sessions, figures(t, p)
	r.most = r.before
	watched, stop := context.WithCancel(t.Context())
	var watch sync.WaitGroup
	watch.Go(func() {
		for watched.Err() == nil {
			now := figures(t, p)
			r.most.Goroutines, r.most.Memory = max(r.most.Goroutines, now.Goroutines), max(r.most.Memory, now.Memory)
			r.connections = max(r.connections, connections())
			time.Sleep(50 * time.Millisecond)
		}
	})
	began := l.rec.Now()
	end := time.Now().Add(lasting)
	l.each(func(id int) {
		for time.Now().Before(end) {
			l.work(t, id, &all[id][rand.IntN(len(all[id]))])
		}
	})
	ended := l.rec.Now()
	stop()
	watch.Wait()
	r.lasted = time.Duration(ended - began)
	r.measure(l.rec.Ops(), began, ended)
	l.judge(t, all, &r)
	for _, w := range l.wrong[:min(len(l.wrong), 5)] {
		t.Error(w)
	}
	return r
}

func (l *load) each(do func(id int)) {
	for id := range workers {
		l.all.Go(func() { do(id) })
	}
	l.all.Wait()
}

// comes has somebody begin a session, and log in.
func (l *load) comes(t *testing.T, id int) *regular {
	l.mu.Lock()
	l.came++
	g := &regular{name: fmt.Sprintf("regular %d", l.came)}
	l.mu.Unlock()
	k := l.client(id, &g.jar)
	l.persist(t, k, histories.Deed{Do: "begin", Value: g.name})
	l.persist(t, k, histories.Deed{Do: "login", Whom: g.name})
	return g
}

// work is one request of the mixture, two or three where somebody leaves and another one comes.
func (l *load) work(t *testing.T, id int, at **regular) {
	g := *at
	switch n := rand.IntN(100); {
	case n < 55:
		l.expect(g, l.ask(l.client(id, &g.jar), histories.Deed{Do: "count", Safe: true}))
	case n < 80:
		switch l.ask(l.client(id, &g.jar), histories.Deed{Do: "add"}).Outcome {
		case histories.Done:
			g.done++
		case histories.Unknown:
			g.maybe++
		}
	case n < 88: // a visitor looks
		if a := l.ask(l.client(id, new(histories.Jar)), histories.Deed{Do: "who", Safe: true}); a.Owner != "" {
			l.notice("a visitor is %s", a.Owner)
		}
	case n < 94: // a visitor begins a session, and is not seen again
		l.ask(l.client(id, new(histories.Jar)), histories.Deed{Do: "mark", Value: "visitor"})
	default:
		d := histories.Deed{Do: "logout"}
		if n%2 == 0 {
			d = histories.Deed{Do: "revoke", Whom: g.name}
		}
		old := g.jar.Copy()
		if l.ask(l.client(id, &g.jar), d).Outcome == histories.Done {
			l.note(&l.gone, person{name: g.name, jar: old})
		}
		*at = l.comes(t, id)
	}
}

// expect compares an answer with what the session has to say.
func (l *load) expect(g *regular, a histories.Answer) {
	if a.Outcome != histories.Done {
		return
	}
	n, _ := strconv.Atoi(a.Text)
	if a.Owner != g.name || n < g.done || n > g.done+g.maybe {
		l.notice("%s: owner %q, %d increments; want %d, and up to %d more", g.name, a.Owner, n, g.done, g.maybe)
	}
}

func (l *load) notice(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wrong = append(l.wrong, fmt.Sprintf(format, args...))
}

// judge asks for everybody once more.
func (l *load) judge(t *testing.T, all [][]*regular, r *loaded) {
	t.Helper()
	var mu sync.Mutex
	gone := newest(l.gone)
	l.each(func(id int) {
		for _, g := range all[id] {
			a := l.persist(t, l.client(id, &g.jar), histories.Deed{Do: "count"})
			n, _ := strconv.Atoi(a.Text)
			mu.Lock()
			r.acknowledged += g.done + 1
			r.lost += max(0, g.done-n)
			r.more += max(0, n-g.done-g.maybe)
			if a.Owner != g.name {
				r.lost++
			}
			mu.Unlock()
		}
		for i := id; i < len(gone); i += workers {
			a := l.persist(t, l.client(id, gone[i].jar), histories.Deed{Do: "who"})
			mu.Lock()
			if r.ended++; a.Owner != "" || a.Mark != "" {
				r.back++
			}
			mu.Unlock()
		}
	})
}

// measure counts what was asked between the two.
func (r *loaded) measure(ops []histories.Op, from, to int64) {
	var reads, writes []int64
	for _, o := range ops {
		if o.Call < from || o.Call > to {
			continue
		}
		r.requests++
		if o.Outcome != histories.Done {
			r.failed++
		}
		if took := o.Return - o.Call; o.Safe {
			reads = append(reads, took)
		} else {
			writes = append(writes, took)
		}
	}
	slices.Sort(reads)
	slices.Sort(writes)
	last := func(all []int64, hundredth int) time.Duration {
		if len(all) == 0 {
			return 0
		}
		return time.Duration(all[(len(all)-1)*hundredth/100])
	}
	r.reads, r.writes = last(reads, 99), last(writes, 99)
	r.longest = max(last(reads, 100), last(writes, 100))
}

// connectionsTo answers what counts the connections to the server, without the one that asks. Nobody counts where
// there is no server.
func connectionsTo(t *testing.T, s server, o serving.Order) func() int {
	if r, ok := s.(*harness.RedisServer); ok {
		return func() int { return strings.Count(r.CLI("CLIENT", "LIST", "TYPE", "normal"), "id=") - 1 }
	}
	question := map[string]string{
		"pgx":   "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
		"mysql": "SELECT count(*) FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()",
	}[o.Driver]
	if question == "" {
		return func() int { return 0 }
	}
	db := harness.Open(t, o.Driver, o.DSN)
	db.SetMaxOpenConns(1)
	return func() (n int) {
		if err := db.QueryRow(question).Scan(&n); err != nil {
			t.Error(err)
		}
		return n
	}
}
