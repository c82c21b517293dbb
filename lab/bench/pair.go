package main

import (
	"runtime"
	"slices"
	"time"
)

// A pair is one contender beside what it is measured against: both do the same work in slices of some
// milliseconds, in turn and in the order ABBA, because on a busy machine nothing else can be compared.
// Garbage is collected before each slice, so that each pays for its own.
type pair struct {
	a, b func(n int) // does the work n times
}

// A comparison is what came of a pair. Ratio is how many times a is faster than b.
type comparison struct {
	A, B  quartiles // nanoseconds for one
	Ratio quartiles
	Pairs int
}

type quartiles struct {
	Low, Median, High float64
}

func quartilesOf(all []float64) quartiles {
	slices.Sort(all)
	at := func(q float64) float64 { return all[int(q*float64(len(all)-1)+.5)] }
	return quartiles{at(.25), at(.5), at(.75)}
}

// measure takes about as long as budget.
func (p pair) measure(budget time.Duration) comparison {
	const slice = 30 * time.Millisecond
	na, nb := fill(p.a, slice), fill(p.b, slice)
	var a, b, ratios []float64
	for end := time.Now().Add(budget); time.Now().Before(end) || len(ratios) < 8; {
		a1 := timed(p.a, na)
		b1 := timed(p.b, nb)
		b2 := timed(p.b, nb)
		a2 := timed(p.a, na)
		ta, tb := (a1+a2)/2, (b1+b2)/2
		a, b, ratios = append(a, ta), append(b, tb), append(ratios, tb/ta)
	}
	return comparison{quartilesOf(a), quartilesOf(b), quartilesOf(ratios), len(ratios)}
}

// timed answers nanoseconds for one of n.
func timed(do func(int), n int) float64 {
	runtime.GC()
	start := time.Now()
	do(n)
	return float64(time.Since(start)) / float64(n)
}

// fill finds how many fill a slice, after the first of them, which may be slow, have been done.
func fill(do func(int), slice time.Duration) int {
	for start := time.Now(); time.Since(start) < slice; {
		do(1)
	}
	for n := 1; ; n *= 2 {
		start := time.Now()
		do(n)
		if took := time.Since(start); took >= slice/2 {
			return max(1, int(float64(n)*float64(slice)/float64(took)))
		}
	}
}
