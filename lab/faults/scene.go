package faults

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/gosojourn/sojourn/lab/histories"
	"github.com/gosojourn/sojourn/lab/strangers"
)

// afterwards is how long the crowd goes on when everybody has been served again.
const afterwards = 300 * time.Millisecond

// A scene is an application that runs, and the fault that is to come.
type scene struct {
	urls []string
	// gone are people whose sessions are over before the crowd comes.
	gone []person
	// fault makes it, lets it last, and mends it.
	fault func(lasting time.Duration)
	// own says that nobody mends it: the time to recover counts from its beginning.
	own bool
}

// A result is a row of the table.
type result struct {
	verdict
	requests, failed int // from the beginning of the fault until all were served again
	longest, recover time.Duration
}

func (r result) String() string {
	return fmt.Sprintf("%d | %d | %d of %d | %d of %d | %v | %v", r.requests, r.failed, r.lost, r.acknowledged, r.revived, r.ended,
		r.longest.Round(10*time.Millisecond), r.recover.Round(10*time.Millisecond))
}

// play has the crowd come, makes the fault, and judges when all are served again.
func (s *scene) play(t *testing.T, lasting time.Duration) (r result) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	c := newCrowd(t, s.urls)
	c.gone, c.before = slices.Clone(s.gone), len(s.gone)
	c.come(ctx, t)
	await(t, "some are served", c.busy)
	stalled, began := strangers.Stalls(), c.rec.Now()
	s.fault(lasting)
	over := c.rec.Now()
	await(t, "everybody is served again", func() bool { _, all := c.back(over); return all })
	time.Sleep(afterwards)
	stop()
	c.all.Wait()
	if s.own {
		over = began
	}
	back, all := c.back(over)
	if !all {
		t.Error("somebody who was served again is not any more")
	}
	most := 2*histories.StoreTimeout + 2*time.Second + stalled()
	r.recover = time.Duration(back - over)
	for _, o := range c.rec.Ops() {
		if o.Return < began || o.Call > back {
			continue
		}
		r.requests++
		if o.Outcome != histories.Done {
			r.failed++
		}
		r.longest = max(r.longest, time.Duration(o.Return-o.Call))
	}
	if r.longest > most {
		t.Errorf("an answer took %v; a load and a save have %v", r.longest, 2*histories.StoreTimeout)
	}
	r.verdict = c.judge(t)
	return r
}

// await returns when it is so, and fails after a minute.
func await(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after a minute it is not so that %s", what)
		}
	}
}
