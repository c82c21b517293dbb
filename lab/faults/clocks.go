package faults

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gosojourn/sojourn/lab/harness"
	"github.com/gosojourn/sojourn/lab/histories"
	"github.com/gosojourn/sojourn/lab/histories/serving"
)

// stepped is by how much a clock is stepped, either way.
const stepped = 5 * time.Minute

// perClock are the clocks of an application's process and of the server, put forward and back. A build of a program whose
// clock can be stepped takes a minute and more: with -soak.
func perClock() (all []row) {
	for _, k := range []kind{mariaDB, postgres, redis} {
		for _, w := range []struct {
			name string
			by   time.Duration
		}{{"forward", stepped}, {"back", -stepped}} {
			all = append(all,
				row{name: k.name + ", the clock of a process put " + w.name, done: fmt.Sprintf(appClock, w.name), long: true, open: processClock(k, w.by)},
				row{name: k.name + ", the server's clock put " + w.name, done: fmt.Sprintf(itsClock, w.name), long: k.name == "PostgreSQL", open: serverClock(k, w.by)})
		}
	}
	return all
}

// idle is an idle limit that nobody of the crowd reaches by the true clock, and that has little more than the step to
// it: whoever takes another clock's minutes for idle ones, and some, logs people out.
func idle() time.Duration { return stepped + *soak + time.Minute }

// steppable is the program with such a clock, built once.
var steppable = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "sojourn-stepped-")
	if err != nil {
		return "", err
	}
	programs = dir
	return serving.BuildStepped(dir)
})

var programs string // the folder of what was built, "" for none

func removePrograms() {
	if programs != "" {
		os.RemoveAll(programs)
	}
}

// processClock steps the clock of the first of three processes. Before that, people log in there an hour too early: for
// the others, and for it when its clock is five minutes back, their limits are over.
func processClock(k kind, by time.Duration) func(t *testing.T) *scene {
	return func(t *testing.T) *scene {
		program, err := steppable()
		if err != nil {
			harness.Missing(t, "steppedclock", fmt.Sprintf("skipped: a Go program whose clock is stepped; it cannot be built: %v", err))
		}
		_, o := k.start(t)
		o.Idle = idle()
		migrate(t, o)
		first := serving.StartProgram(t, program, o)
		stepProcess(t, first, -(idle() + stepped + time.Minute))
		early := comeEarly(t, first.URL, 20)
		stepProcess(t, first, 0)
		urls := []string{first.URL, serving.Start(t, o).URL, serving.Start(t, o).URL}
		return &scene{urls: urls, gone: early, fault: func(lasting time.Duration) {
			end := time.Now().Add(lasting)
			stepProcess(t, first, by)
			newCrowd(t, urls).mustBeOut(t, early)
			time.Sleep(time.Until(end))
			stepProcess(t, first, 0)
		}}
	}
}

func stepProcess(t *testing.T, p *serving.Process, by time.Duration) {
	t.Helper()
	off, err := p.Step(by)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "the process", off, by)
}

// near fails if a clock does not go as it should: nothing would be tested.
func near(t *testing.T, whose string, off, by time.Duration) {
	t.Helper()
	if d := off - by; d < -30*time.Second || d > 30*time.Second {
		t.Errorf("the clock of %s is off by %v, want %v", whose, off, by)
	}
}

// comeEarly has n people log in at url.
func comeEarly(t *testing.T, url string, n int) (all []person) {
	t.Helper()
	c := newCrowd(t, []string{url})
	for i := range n {
		p := person{name: fmt.Sprintf("early person %d", i), jar: new(histories.Jar)}
		k := c.client(-1, p.jar)
		for _, d := range []histories.Deed{{Do: "begin", Value: p.name}, {Do: "login", Whom: p.name}, {Do: "who"}} {
			if a := k.Ask(t.Context(), 0, d); a.Outcome != histories.Done || d.Do == "who" && a.Owner != p.name {
				t.Fatalf("%s: %+v", d.Do, a)
			}
		}
		all = append(all, p)
	}
	return all
}

// mustBeOut asks each process for each of these people.
func (c *crowd) mustBeOut(t *testing.T, all []person) {
	t.Helper()
	for _, p := range all {
		for i := range c.urls {
			if a := c.client(-1, p.jar.Copy()).Ask(t.Context(), i, histories.Deed{Do: "who"}); a.Owner != "" || a.Mark != "" {
				t.Errorf("process %d: %s is in, whose limits are over by more than the step", i, p.name)
			}
		}
	}
}

// serverClock steps the clock of the server of two processes.
func serverClock(k kind, by time.Duration) func(t *testing.T) *scene {
	return func(t *testing.T) *scene {
		clock := harness.NewClock(t)
		s, o := k.with(t, clock)
		o.Idle = idle()
		now := askTime(t, s, o)
		step := func(by time.Duration) {
			clock.Step(by)
			near(t, "the server", time.Until(now()), by)
		}
		return &scene{urls: two(t, o), fault: func(lasting time.Duration) {
			step(by)
			time.Sleep(lasting)
			step(0)
		}}
	}
}

// askTime answers what asks the server for its time.
func askTime(t *testing.T, s server, o serving.Order) func() time.Time {
	if r, ok := s.(*harness.RedisServer); ok {
		return func() time.Time {
			seconds, err := strconv.ParseInt(strings.Fields(r.CLI("TIME"))[0], 10, 64)
			if err != nil {
				t.Error(err)
			}
			return time.Unix(seconds, 0)
		}
	}
	db := harness.Open(t, o.Driver, o.DSN)
	question := "SELECT UNIX_TIMESTAMP()"
	if o.Driver == "pgx" {
		question = "SELECT extract(epoch FROM clock_timestamp())::bigint"
	}
	return func() time.Time {
		var seconds int64
		if err := db.QueryRow(question).Scan(&seconds); err != nil {
			t.Error(err)
		}
		return time.Unix(seconds, 0)
	}
}
