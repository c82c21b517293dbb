package faults

import (
	"slices"
	"strconv"
	"testing"

	"github.com/gosojourn/sojourn/lab/histories"
)

// What was acknowledged, and what has become of it.
type verdict struct {
	acknowledged, lost int // increments, and logins of people who stayed
	doubled            int // increments that nobody has asked for
	ended, revived     int // sessions
}

// judge reads everything once more, and compares. It is called when nobody asks any more.
func (c *crowd) judge(t *testing.T) (v verdict) {
	t.Helper()
	for i := range c.counted {
		for range c.urls {
			c.persist(t, c.client(i, &c.counted[i]), histories.Deed{Do: "count"})
		}
	}
	v = tally(c.rec.Ops())
	// Those who logged in last are the ones whom a fault could meet; the newest thousands are enough.
	for _, p := range newest(c.kept) {
		v.acknowledged++
		if a := c.persist(t, c.client(-1, p.jar), histories.Deed{Do: "who"}); a.Owner != p.name {
			v.lost++
		}
	}
	for _, p := range newest(c.gone) {
		v.ended++
		if a := c.persist(t, c.client(-1, p.jar), histories.Deed{Do: "who"}); a.Owner != "" || a.Mark != "" {
			v.revived++
		}
	}
	return v
}

func newest(all []person) []person { return all[max(0, len(all)-2000):] }

// tally compares what each counter said with the increments that were acknowledged before it was asked, and with those
// that were asked for before it had answered. Both hold whatever order the requests had.
func tally(ops []histories.Op) (v verdict) {
	var done, asked [counters][]int64 // when increments were acknowledged, and when they were asked for
	for _, o := range ops {
		i := o.Client % counters
		if o.Do == "add" && (o.Outcome == histories.Done || o.Outcome == histories.Unknown) {
			asked[i] = append(asked[i], o.Call)
		}
		if o.Do == "add" && o.Outcome == histories.Done {
			done[i] = append(done[i], o.Return)
			v.acknowledged++
		}
	}
	var lost, doubled [counters]int
	for i := range counters {
		slices.Sort(done[i])
		slices.Sort(asked[i])
	}
	for _, o := range ops {
		if o.Do != "count" || o.Outcome != histories.Done {
			continue
		}
		i := o.Client % counters
		n, _ := strconv.Atoi(o.Text)
		least, _ := slices.BinarySearch(done[i], o.Call)
		most, _ := slices.BinarySearch(asked[i], o.Return)
		lost[i], doubled[i] = max(lost[i], least-n), max(doubled[i], n-most)
	}
	for i := range counters {
		v.lost += lost[i]
		v.doubled += doubled[i]
	}
	return v
}
