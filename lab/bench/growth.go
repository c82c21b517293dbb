package main

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// However many sessions there are, 2,000 of them are in use, all over the table: visitors do not come more
// often because the sessions of others have not expired yet. What a server needs of the table for those fits
// the memory that it takes as it comes; the last lines are of sessions all of which are in use.
const (
	inUse = 2_000
	few   = 10_000
)

func growth(m medium) single {
	return single{"growth, " + string(m), func(o options) ([]result, error) { return measureGrowth(o, m) }}
}

func measureGrowth(o options, m medium) (all []result, err error) {
	sizes, each := []int{1_000_000}, inUse/32
	switch {
	case o.quick:
		sizes, each = []int{100_000}, 8
	case o.big:
		sizes = append(sizes, 10_000_000)
	}
	err = withDatabase(m, func(ctx context.Context, db *sql.DB, p place) error {
		small, err := newCrowd(ctx, m, db, "few")
		if err != nil {
			return err
		}
		if err := small.add(ctx, few, nobody); err != nil {
			return err
		}
		large, err := newCrowd(ctx, m, db, "many")
		if err != nil {
			return err
		}
		addr, stop, err := startApp(app{Medium: m, DSN: p.dsn, Tables: []string{"few", "many"}})
		if err != nil {
			return err
		}
		defer stop()
		for _, size := range sizes {
			if err := large.add(ctx, size-large.size, nobody); err != nil {
				return err
			}
			some, err := crowds{small, large, each}.measure(ctx, addr, o.effort())
			if err != nil {
				return err
			}
			all = append(all, some...)
		}
		return nil
	})
	return all, err
}

// crowds are beside each other in one database.
type crowds struct {
	small, large *crowd
	each         int // sessions of a connection
}

func (c crowds) result(what string, cost float64, note string) result {
	return result{
		Name:  fmt.Sprintf("growth, %s, %s, 10^%d sessions beside 10^%d", c.small.medium, what, magnitude(c.large.size), magnitude(c.small.size)),
		Value: cost, Measure: "times the cost", Unit: "growth", Note: note,
	}
}

func magnitude(n int) (m int) {
	for ; n >= 10; n /= 10 {
		m++
	}
	return m
}

func (c crowds) measure(ctx context.Context, addr string, effort effort) (all []result, err error) {
	for _, w := range []struct{ name, method, path string }{{"a page that reads", "GET", "read"}, {"a page that writes", "POST", "write"}} {
		e := endToEnd{
			name: w.name, medium: c.small.medium, conns: 32, sessions: c.each,
			route: w.method + " /many/" + w.path, than: w.method + " /few/" + w.path,
		}
		x, err := e.measure(addr, effort)
		if err != nil {
			return nil, err
		}
		r := c.result(w.name, 1/x.Ratio.Median, fmt.Sprintf("p50 %v and %v", x.P50[0].Round(time.Microsecond), x.P50[1].Round(time.Microsecond)))
		r.AtMost, r.Ratio, r.P50, r.P99, r.CPU, r.PerSecond, r.Pairs = 1.3, x.Ratio, x.P50, x.P99, x.CPU, x.PerSecond, x.Pairs
		all = append(all, r)
	}
	for _, w := range []struct {
		name  string
		inUse [2]int // of the small one, of the large one
		do    func(v *visitors, ctx context.Context, i int) error
	}{
		{"list by owner", [2]int{inUse, inUse}, (*visitors).list},
		{"Load by itself", [2]int{inUse, inUse}, (*visitors).load},
		{"Load of any of them", [2]int{c.small.size, c.large.size}, (*visitors).load},
		{"Update by itself", [2]int{inUse, inUse}, (*visitors).update},
	} {
		a, b := newVisitors(c.small, w.inUse[0]), newVisitors(c.large, w.inUse[1])
		x := pair{a.doing(ctx, w.do), b.doing(ctx, w.do)}.measure(effort.budget)
		if err := a.failed(b); err != nil {
			return nil, fmt.Errorf("%s: %w", w.name, err)
		}
		r := c.result(w.name, x.Ratio.Median, fmt.Sprintf("%v and %v", time.Duration(x.B.Median).Round(time.Microsecond), time.Duration(x.A.Median).Round(time.Microsecond)))
		r.Ratio, r.Pairs = x.Ratio, x.Pairs
		all = append(all, r)
	}
	r, err := c.sweep(ctx)
	return append(all, r), err
}

// sweep is of as many dead sessions in both.
func (c crowds) sweep(ctx context.Context) (result, error) {
	const dead = 2000
	var took [2]time.Duration
	for i, x := range []*crowd{c.large, c.small} {
		if err := x.add(ctx, dead, everyOne); err != nil {
			return result{}, err
		}
		start := time.Now()
		n, err := x.store.Sweep(ctx, time.Now(), dead)
		if err != nil {
			return result{}, err
		}
		if n < dead {
			return result{}, fmt.Errorf("%d were swept of %d", n, dead)
		}
		took[i] = time.Since(start) / time.Duration(n)
		x.size -= dead // their numbers are free
	}
	return c.result("sweep", float64(took[0])/float64(took[1]),
		fmt.Sprintf("%v and %v for one", took[0].Round(time.Microsecond), took[1].Round(time.Microsecond))), nil
}
