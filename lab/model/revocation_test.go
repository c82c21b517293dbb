package model

import (
	"flag"
	"testing"
	"time"
)

// schedules is how many races are run, in all.
var schedules = flag.Int("schedules", perRun(40_000, 8_000), "how many schedules of logins and revocations are run")

// perRun is how much is done: under the race detector, which makes all of it ten times as slow, less.
func perRun(plain, raced int) int {
	if underRace {
		return raced
	}
	return plain
}

const year = 365 * 24 * time.Hour

// hostsApart are the wall clocks of a race's hosts.
var hostsApart = []struct {
	name  string
	apart []time.Duration
}{
	{"ten minutes apart", []time.Duration{0, 10 * time.Minute, -10 * time.Minute}},
	{"three years apart", []time.Duration{0, 3 * year, -3 * year}},
}

// A login whose request had begun does not survive a revocation, whatever the hosts' clocks say; one that
// began later is not refused.
func TestRevocationsBeatLoginsInFlight(t *testing.T) {
	for i, h := range hostsApart {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			r := Race(t, *schedules/len(hostsApart), uint64(i), h.apart...)
			t.Log(&r)
			if r.InFlight < r.Schedules/2 || r.Later < r.Schedules/20 {
				t.Error("they hardly ever met")
			}
			if r.Survived != 0 {
				t.Errorf("%d logins in flight survived", r.Survived)
			}
			// Of a few thousand, five too many may be chance.
			if r.Refused*1000 >= r.Later && r.Later > 20_000 {
				t.Errorf("%d logins of %d were refused without cause", r.Refused, r.Later)
			}
		})
	}
}

// By the wall clocks of the hosts it would not hold: the race is one that tells.
func TestPlantedWallClocks(t *testing.T) {
	t.Parallel()
	mutant(t, "login.go", "case age > time.Since(s.st.begun):", "case int64(fence) < s.st.begun.UnixMilli():", "^TestRevocationsBeatLoginsInFlight$", "-schedules=2000")
}
