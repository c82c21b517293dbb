package model

import (
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"
)

// A Bias says what a search is after.
type Bias struct {
	Keepers []Keeper
	Faults  bool
	Crowd   bool           // everybody is the same browser, and asks the same process
	Copies  bool           // everybody is the same browser, and some show what it had before
	Verbs   [verbKinds]int // weights; all 0: the usual ones
}

var usual = [verbKinds]int{Look: 6, Count: 12, Login: 8, Commit: 6, AppendNote: 5, RevokeAll: 4, PopNotes: 4, Put: 4, Logout: 3,
	Renew: 5, PutOnce: 4, Take: 5, Delete: 2, RevokeOthers: 3, Revoke: 2, List: 2, Valid: 2, Remember: 2, FirstByte: 3, SlowCount: 2, RevokeEveryone: 2}

// even draws a number below n, each as often: what rapid draws by itself is mostly small. 0 stays the
// simplest.
func even(t *rapid.T, label string, n int) int {
	x := rapid.Uint64().Draw(t, label)
	return int(x * 0x9E3779B97F4A7C15 >> 33 % uint64(n))
}

// weighted draws an index, each as often as its weight says; the first is the simplest.
func weighted(t *rapid.T, label string, weights ...int) int {
	sum := 0
	for _, w := range weights {
		sum += w
	}
	n := even(t, label, sum)
	for i, w := range weights {
		if n -= w; n < 0 {
			return i
		}
	}
	return 0
}

// drawRequest draws who asks whom, and what is shown.
func drawRequest(t *rapid.T, b Bias) Request {
	r := Request{
		Browser: weighted(t, "browser", 6, 2, 1), Host: even(t, "host", hosts),
		Safe: weighted(t, "method", 3, 1) == 1,
	}
	switch weighted(t, "kind", 14, 2, 1, 1, 1) {
	case 1:
		r.Thief = 1 + even(t, "thief", 6)
	case 2:
		r.CrossSite = true
	case 3:
		r.Beside = true
	case 4:
		r.Deadline = true
	}
	switch {
	case b.Crowd:
		r = Request{}
	case b.Copies:
		r = Request{Host: r.Host}
		if old := weighted(t, "old", 3, 1, 3); old > 0 {
			r.Thief, r.OldSeal = 1+even(t, "copy", 3), old == 2
		}
	}
	return r
}

// Draw draws a plan.
func Draw(b Bias) *rapid.Generator[Plan] {
	if b.Verbs == ([verbKinds]int{}) {
		b.Verbs = usual
	}
	verb := rapid.Custom(func(t *rapid.T) Verb {
		return Verb{VerbKind(weighted(t, "verb", b.Verbs[:]...)), even(t, "arg", 4)}
	})
	request := rapid.Custom(func(t *rapid.T) Request {
		r := drawRequest(t, b)
		r.Do = rapid.SliceOfN(verb, 1, 6).Draw(t, "do")
		return r
	})
	comes, least := 6, 1
	if b.Crowd || b.Copies {
		comes = 12
	}
	if b.Copies {
		least = 3
	}
	step := rapid.Custom(func(t *rapid.T) Step {
		s := Step{Kind: StepKind(weighted(t, "step", 30, comes, 4, 1, 2))}
		s.Pick = even(t, "pick", 6)
		if s.Kind == Release && b.Faults {
			s.Fate = Fate(weighted(t, "fate", 60, 12, 2, 3, 2, 2, 2))
		} else if s.Kind == Release {
			s.Fate = Fate(weighted(t, "fate", 5, 1))
		}
		return s
	})
	return rapid.Custom(func(t *rapid.T) Plan {
		p := Plan{Setup: Setup{
			Keeper:      b.Keepers[even(t, "keeper", len(b.Keepers))],
			MaxPerOwner: [...]int{0, 0, 0, 2}[even(t, "max per owner", 4)],
			Domain:      weighted(t, "domain", 5, 1) == 1,
		}}
		p.Setup.Encrypted = [...][hosts]bool{{}, {true, true}, {true, false}}[weighted(t, "encrypted", 2, 2, 1)]
		if p.Setup.Keeper.sealed() {
			p.Setup.MaxPerOwner, p.Setup.Encrypted = 0, [hosts]bool{}
		}
		p.Requests = rapid.SliceOfN(request, least, 12).Draw(t, "requests")
		// What is zero decides nothing, so a schedule gets shorter by it.
		p.Steps = rapid.SliceOfN(step, 100, 100).Draw(t, "steps")
		if b.Copies {
			p.Requests = append([]Request{filled}, p.Requests...)
			p.Steps = append(slices.Clone(filling), p.Steps...)
		}
		return p
	})
}

// filled is the request of a visitor who gets a seal with something in it, and filling are its steps.
var (
	filled  = Request{Do: []Verb{{Kind: PutOnce}, {Kind: Count}, {Kind: AppendNote}}}
	filling = append([]Step{{Kind: Start}}, make([]Step, 6)...)
)

func (p Plan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "sessions %s, %d per owner, cookie of the domain: %t, encrypted at rest by each host: %t\n", p.Setup.Keeper, p.Setup.MaxPerOwner, p.Setup.Domain, p.Setup.Encrypted)
	for i := range p.Requests {
		fmt.Fprintf(&b, "request %d: %s\n", i, &p.Requests[i])
	}
	return b.String()
}

func (r *Request) String() string {
	method := "POST"
	if r.Safe {
		method = "GET"
	}
	s := fmt.Sprintf("browser %d, %s to host %d", r.Browser, method, r.Host)
	for _, x := range []struct {
		on   bool
		text string
	}{{r.CrossSite, ", from another site"}, {r.Beside, ", beside another's cookie"}, {r.Deadline, ", with a deadline of 1s"},
		{r.Thief != 0 && !r.OldSeal, fmt.Sprintf(", with the last token but %d", r.Thief-1)},
		{r.Thief != 0 && r.OldSeal, fmt.Sprintf(", with the last seal but %d", r.Thief-1)}} {
		if x.on {
			s += x.text
		}
	}
	var do []string
	for _, v := range r.Do {
		do = append(do, v.String())
	}
	return s + ": " + strings.Join(do, "; ")
}
