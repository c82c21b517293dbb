package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// An endToEnd case is a route beside its floor, or beside a peer's.
type endToEnd struct {
	name        string
	medium      medium
	route, than string
	conns       int
	atLeast     float64 // of what the other does in the same time; 0: no promise
	sessions    int     // of each connection, in turn; 0: one
}

func (c endToEnd) title() string {
	return fmt.Sprintf("%s, %s, %d connections", c.medium, c.name, c.conns)
}

func endToEndCases(m medium) (all []endToEnd) {
	add := func(name, route, than string, conns int, atLeast float64) {
		all = append(all, endToEnd{name, m, route, than, conns, atLeast, 0})
	}
	const bare = "GET /bare/static"
	switch m {
	case inMemory:
		add("static page, of the bare handler", "GET /sojourn/static", bare, 32, .93)
		add("static page, scs", "GET /scs/static", bare, 32, 0)
		add("read, of the bare handler", "GET /sojourn/read", bare, 32, 0)
		return all
	case inCookies:
		add("read, of the bare handler", "GET /sojourn/read", bare, 32, 0)
		add("write, of the bare handler", "POST /sojourn/write", bare, 32, 0)
		add("read, gorilla", "GET /gorilla/read", bare, 32, 0)
		return all
	}
	const lookup, both = "GET /floor/read", "POST /floor/write"
	read := map[medium]float64{inMariaDB: 1.5, inPostgres: 1.5, inSQLite: .97, inRedis: .93}[m]
	idle := map[medium]float64{inMariaDB: 1.4, inPostgres: 1.4, inSQLite: .95, inRedis: .90}[m]
	write := map[medium]float64{inMariaDB: 1.4, inPostgres: 1.4, inRedis: .85}[m]
	add("static page, of the bare handler", "GET /sojourn/static", bare, 32, .93)
	add("static page, scs", "GET /scs/static", bare, 32, 0)
	add("read, of one raw lookup", "GET /sojourn/read", lookup, 32, read)
	add("read, scs", "GET /scs/read", lookup, 32, 0)
	if m == inMariaDB || m == inPostgres {
		add("read, of one raw lookup", "GET /sojourn/read", lookup, 1, .9)
		add("read, of one raw lookup", "GET /sojourn/read", lookup, 6, .9)
	}
	add("read, of one raw lookup", "GET /sojourn/read", lookup, 16, 0)
	add("read, of one raw lookup", "GET /sojourn/read", lookup, 64, 0)
	add("idle limit, of one raw lookup", "GET /sojourn-idle/read", lookup, 32, idle)
	add("idle limit, scs", "GET /scs-idle/read", lookup, 32, 0)
	add("write, of lookup and update", "POST /sojourn/write", both, 32, write)
	switch m {
	case inSQLite:
		add("write, times scs", "POST /sojourn/write", "POST /scs/write", 32, 3.5)
	case inRedis:
		add("write, times scs", "POST /sojourn/write", "POST /scs/write", 32, 2)
		add("near cache, read, of the bare handler", "GET /sojourn-near/read", bare, 32, .82)
	}
	add("write, scs", "POST /scs/write", both, 32, 0)
	add("write, of lookup and update", "POST /sojourn/write", both, 16, 0)
	add("write, of lookup and update", "POST /sojourn/write", both, 64, 0)
	return all
}

// A result is what was measured of one case. Times are of one request.
type result struct {
	Name       string
	Ratio      quartiles
	AtLeast    float64
	PerSecond  [2]float64
	P50, P99   [2]time.Duration
	CPU        [2]time.Duration // of the application
	Pairs      int
	Unit, Note string

	// What is no ratio: so many of Measure, a word such as bytes, and no more than AtMost, or 0.
	Value, AtMost float64
	Measure       string
}

// measure takes pairs of slices in the order ABBA.
func (c endToEnd) measure(addr string, e effort) (r result, err error) {
	a, err := newTarget(addr, c.route, c.than, c.conns, max(c.sessions, 1))
	if err != nil {
		return r, err
	}
	defer a.close()
	b, err := newTarget(addr, c.than, c.route, c.conns, max(c.sessions, 1))
	if err != nil {
		return r, err
	}
	defer b.close()
	sides := [2]*target{a, b}
	var took [2][]time.Duration
	var used [2]time.Duration
	var requests [2]int
	var seconds [2]float64
	one := func(side int) (float64, error) {
		before, err := cpu(addr)
		if err != nil {
			return 0, err
		}
		s, err := sides[side].run(e.span)
		if err != nil {
			return 0, err
		}
		after, err := cpu(addr)
		if err != nil {
			return 0, err
		}
		used[side] += after - before
		requests[side] += s.requests
		seconds[side] += s.seconds
		took[side] = append(took[side], s.took...)
		return float64(s.requests) / s.seconds, nil
	}
	if strings.Contains(c.route, "-near/") {
		time.Sleep(2500 * time.Millisecond) // what has just begun is asked for
	}
	for _, side := range []int{0, 1, 1, 0} { // to warm up
		if _, err := one(side); err != nil {
			return r, fmt.Errorf("%s: %w", c.title(), err)
		}
	}
	took, used, requests, seconds = [2][]time.Duration{}, [2]time.Duration{}, [2]int{}, [2]float64{}
	var ratios []float64
	for range e.pairs {
		var rate [4]float64
		for i, side := range []int{0, 1, 1, 0} {
			if rate[i], err = one(side); err != nil {
				return r, fmt.Errorf("%s: %w", c.title(), err)
			}
		}
		ratios = append(ratios, (rate[0]+rate[3])/(rate[1]+rate[2]))
	}
	r = result{Name: c.title(), Ratio: quartilesOf(ratios), AtLeast: c.atLeast, Pairs: e.pairs, Unit: "end to end"}
	for side := range sides {
		n := max(requests[side], 1)
		r.PerSecond[side] = float64(requests[side]) / seconds[side]
		r.CPU[side] = used[side] / time.Duration(n)
		r.P50[side], r.P99[side] = percentile(took[side], .5), percentile(took[side], .99)
	}
	return r, nil
}

// more is what else is promised of a case: a page that asks for nothing may take so much CPU more.
func (c endToEnd) more(r result) []result {
	if c.route != "GET /sojourn/static" {
		return nil
	}
	return []result{{
		Name: fmt.Sprintf("%s, static page, CPU beyond the bare handler", c.medium), Value: float64((r.CPU[0] - r.CPU[1]).Nanoseconds()) / 1000,
		AtMost: 1.5, Measure: "µs", Unit: "CPU", Note: fmt.Sprintf("%v and %v", r.CPU[0].Round(10*time.Nanosecond), r.CPU[1].Round(10*time.Nanosecond)),
	}}
}

// profile keeps the application at one route for five seconds and writes where it spends its time.
func (c endToEnd) profile(addr, file string) error {
	t, err := newTarget(addr, c.route, c.than, c.conns, max(c.sessions, 1))
	if err != nil {
		return err
	}
	defer t.close()
	failed := make(chan error, 1)
	go func() {
		_, err := t.run(6 * time.Second)
		failed <- err
	}()
	res, err := http.Get("http://" + addr + "/profile?seconds=5")
	if err != nil {
		return err
	}
	defer res.Body.Close()
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := io.Copy(f, res.Body); err != nil {
		return err
	}
	return <-failed
}
