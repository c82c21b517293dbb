package otelsojourn_test

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/otelsojourn"
)

const (
	liveSessions = "sojourn.session.live"
	counts       = "sojourn.store.operation.duration{db.operation.name=count sojourn.outcome=ok}"
)

func (c *collector) live(want float64, there bool) {
	c.t.Helper()
	if n, is := c.collect()[liveSessions]; n != want || is != there {
		c.t.Errorf("%v sessions live (there: %v), want %v (%v)", n, is, want, there)
	}
}

// counting is an app of which the live sessions are counted, in a bubble of synctest.
func counting(t *testing.T, every time.Duration) *app {
	c := newCollector(t)
	i := c.instruments(otelsojourn.Options{CountEvery: every})
	a := newApp(t, c, otelsojourn.Options{Manager: "unused"})
	a.Manager = manager(t, a.store, sojourn.Config{Observer: i, StoreTimeout: time.Second})
	i.CountLive(a.Manager)
	return a
}

// However many collect, the store is asked once in a period.
func TestLiveSessionsAreCountedSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := counting(t, time.Minute)
		a.browser().PostForm("/put", nil)
		for range 100 {
			a.live(1, true)
			time.Sleep(100 * time.Millisecond)
		}
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() { a.collect() })
		}
		wg.Wait()
		a.want(map[string]float64{counts: 1})
		a.browser().PostForm("/put", nil)
		a.live(1, true)
		time.Sleep(time.Minute)
		a.live(2, true)
		a.want(map[string]float64{counts: 2})
		// Nobody collects for long: an old count is none.
		time.Sleep(time.Hour)
		a.live(2, true)
		a.want(map[string]float64{counts: 3})
	})
}

// A store that does not answer has no number of sessions, and holds up no collection.
func TestLiveSessionsOfAStoreThatDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := counting(t, time.Minute)
		a.live(0, true)
		a.store.Fail(errors.New("it burns"))
		time.Sleep(time.Minute)
		a.live(0, false)
		a.store.Fail(nil)
		a.live(0, false) // it is not due
		time.Sleep(time.Minute)
		a.live(0, true)

		resume := a.store.Stall()
		time.Sleep(5 * time.Minute)
		began := time.Now()
		a.live(0, false) // the last count is too old to be shown
		a.want(map[string]float64{counts: 2})
		if took := time.Since(began); took > time.Second {
			t.Errorf("collecting took %v", took)
		}
		resume()
		synctest.Wait()
		a.live(0, true)
	})
}

// Close ends a count that is under way.
func TestCloseEndsACount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCollector(t)
		i := c.instruments(otelsojourn.Options{})
		a := newApp(t, c, otelsojourn.Options{Manager: "unused"})
		a.Manager = manager(t, a.store, sojourn.Config{StoreTimeout: time.Hour})
		i.CountLive(a.Manager)
		resume := a.store.Stall()
		defer resume()
		c.live(0, false)
		began := time.Now()
		if err := i.Close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > time.Minute {
			t.Errorf("Close took %v", took)
		}
		c.live(0, false)
	})
}
