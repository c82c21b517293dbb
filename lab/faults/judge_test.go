package faults

import (
	"testing"

	"github.com/gosojourn/sojourn/lab/histories"
)

// A judge who never finds anything would pass everything.
func TestTheJudgeCounts(t *testing.T) {
	at := int64(0)
	op := func(do, text string, o histories.Outcome) histories.Op {
		at += 2
		return histories.Op{Deed: histories.Deed{Do: do}, Answer: histories.Answer{Outcome: o, Text: text}, Call: at, Return: at + 1}
	}
	add, lost, none := op("add", "", histories.Done), op("add", "", histories.Unknown), op("add", "", histories.None)
	for _, c := range []struct {
		said string
		want verdict
	}{
		{"0", verdict{acknowledged: 1, lost: 1}},
		{"1", verdict{acknowledged: 1}},
		{"2", verdict{acknowledged: 1}}, // the answer was lost, the increment was not
		{"3", verdict{acknowledged: 1, doubled: 1}},
	} {
		if v := tally([]histories.Op{add, lost, none, op("count", c.said, histories.Done)}); v != c.want {
			t.Errorf("a counter that says %s: %+v, want %+v", c.said, v, c.want)
		}
	}
}
