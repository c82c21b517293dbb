package admin

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// A card is one figure as the page shows it, and as the stream sends it. Its path is that of an SVG.
type card struct {
	ID    string `json:"id"`
	Title string `json:"-"`
	Value string `json:"value"`
	Note  string `json:"note"`
	Path  string `json:"path"`
	Line  bool   `json:"-"` // or bars
}

// cards are the figures as they are now. live says what there is to say of the sessions in the store.
func (f *Figures) cards(live string) []card {
	steps := f.recent()
	return []card{
		liveCard(&steps, live),
		countCard("created", "Began", &steps, func(s *step) int { return s.created }),
		countCard("logins", "Logins", &steps, func(s *step) int { return s.logins }),
		reasonCard("ended", "Ended", &steps, []string{"logout", "revoked", "limit", "replaced"}, func(s *step) counts { return s.ended }),
		reasonCard("refused", "Tokens refused", &steps, []string{"token_unknown", "token_malformed"}, func(s *step) counts { return s.refused }),
		latencyCard(&steps),
	}
}

func liveCard(steps *[keep]step, note string) card {
	c := card{ID: "live", Title: "Live sessions", Value: "–", Note: note, Line: true}
	var of [keep]float64
	var known [keep]bool
	for i, s := range steps {
		if s.counted {
			of[i], known[i], c.Value = float64(s.live), true, number(s.live)
		}
	}
	c.Path = line(of, known)
	return c
}

func countCard(id, title string, steps *[keep]step, count func(*step) int) card {
	var of [keep]float64
	sum := 0
	for i := range steps {
		n := count(&steps[i])
		of[i], sum = float64(n), sum+n
	}
	most := int(highest(of[:]))
	return card{ID: id, Title: title, Value: number(sum), Note: fmt.Sprintf("at most %s in ten seconds", number(most)), Path: bars(of)}
}

// reasonCard shows the usual reasons also where there were none, and the others where there were.
func reasonCard(id, title string, steps *[keep]step, usual []string, count func(*step) counts) card {
	var of [keep]float64
	all := make(counts)
	for _, reason := range usual {
		all[reason] = 0
	}
	for i := range steps {
		by := count(&steps[i])
		of[i] = float64(by.sum())
		for reason, n := range by {
			all[reason] += n
		}
	}
	reasons := slices.SortedFunc(maps.Keys(all), func(a, b string) int {
		return cmp.Or(cmp.Compare(place(usual, a), place(usual, b)), cmp.Compare(a, b))
	})
	var words []string
	for _, reason := range reasons {
		word := strings.ReplaceAll(strings.TrimPrefix(reason, "token_"), "_", " ")
		words = append(words, fmt.Sprintf("%s %s", cmp.Or(word, "other"), number(all[reason])))
	}
	return card{ID: id, Title: title, Value: number(all.sum()), Note: strings.Join(words, ", "), Path: bars(of)}
}

func place(in []string, s string) int {
	if i := slices.Index(in, s); i >= 0 {
		return i
	}
	return len(in)
}

func latencyCard(steps *[keep]step) card {
	c := card{ID: "latency", Title: "95 % of answers within", Value: "–", Line: true}
	var of [keep]float64
	var known [keep]bool
	var all histogram
	failed := 0
	for i := range steps {
		s := &steps[i]
		of[i], known[i] = s.took.within(95).Seconds(), s.took.n > 0
		all.merge(&s.took)
		failed += s.failed
	}
	if all.n > 0 {
		c.Value = brief(all.within(95))
		c.Note = fmt.Sprintf("half within %s; ", brief(all.within(50)))
	}
	c.Note += fmt.Sprintf("%s answers, %s failed", number(all.n), number(failed))
	c.Path = line(of, known)
	return c
}

// brief is d to two digits, which is what a histogram knows.
func brief(d time.Duration) string {
	unit := time.Microsecond
	switch {
	case d >= time.Second:
		unit = time.Second
	case d >= time.Millisecond:
		unit = time.Millisecond
	}
	name := map[time.Duration]string{time.Second: "s", time.Millisecond: "ms", time.Microsecond: "µs"}[unit]
	v := float64(d) / float64(unit)
	if v < 10 && v != float64(int(v)) {
		return fmt.Sprintf("%.1f %s", v, name)
	}
	return fmt.Sprintf("%.0f %s", v, name)
}

// number puts a comma before each three digits.
func number(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
