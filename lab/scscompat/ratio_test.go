package scscompat_test

import (
	"slices"
	"time"
)

// medianRatio is how many times as much of the processor slow takes as fast does, of rounds of both in turn.
func medianRatio(slow, fast func()) float64 {
	const rounds, times = 15, 400
	took := func(once func()) time.Duration {
		begun := spent()
		for range times {
			once()
		}
		return max(spent()-begun, time.Microsecond)
	}
	took(slow)
	took(fast)
	var ratios []float64
	for range rounds {
		ratios = append(ratios, float64(took(slow))/float64(took(fast)))
	}
	slices.Sort(ratios)
	return ratios[rounds/2]
}
