package model

import (
	"slices"
	"time"
)

// Shrink makes a plan that breaks a law shorter, by leaving out what is not needed, until within is over.
func Shrink(p Plan, broken func(Plan) bool, within time.Duration) Plan {
	ends := time.Now().Add(within)
	for smaller := true; smaller; {
		smaller = false
		for _, q := range candidates(p) {
			if time.Now().After(ends) {
				return p
			}
			if broken(q) {
				p, smaller = q, true
				break
			}
		}
	}
	return p
}

// candidates are plans a little smaller than p, the smallest first.
func candidates(p Plan) (all []Plan) {
	for size := len(p.Steps); size > 0; size /= 2 {
		for i := 0; i < len(p.Steps); i += size {
			part := p.Steps[i:min(i+size, len(p.Steps))]
			q := p
			q.Steps = slices.Delete(slices.Clone(p.Steps), i, i+len(part))
			all = append(all, q)
			if slices.ContainsFunc(part, func(s Step) bool { return s != Step{} }) {
				q.Steps = slices.Clone(p.Steps)
				clear(q.Steps[i : i+len(part)])
				all = append(all, q)
			}
		}
	}
	for i := range p.Requests {
		q := p
		q.Requests = slices.Delete(slices.Clone(p.Requests), i, i+1)
		all = append(all, q)
	}
	for i, r := range p.Requests {
		if len(r.Do) == 1 {
			continue // one that does nothing is none that is drawn
		}
		for j := range r.Do {
			q := p
			q.Requests = slices.Clone(p.Requests)
			q.Requests[i].Do = slices.Delete(slices.Clone(r.Do), j, j+1)
			all = append(all, q)
		}
	}
	return append(all, plainer(p)...)
}

// plainer are plans of the same size with less that is unusual.
func plainer(p Plan) (all []Plan) {
	for i, r := range p.Requests {
		for _, s := range []Request{
			{Browser: r.Browser, Host: r.Host, Safe: r.Safe, Do: r.Do},
			{Browser: r.Browser, Safe: r.Safe, CrossSite: r.CrossSite, Thief: r.Thief, OldSeal: r.OldSeal, Beside: r.Beside, Deadline: r.Deadline, Do: r.Do},
		} {
			if s.String() != r.String() {
				q := p
				q.Requests = slices.Clone(p.Requests)
				q.Requests[i] = s
				all = append(all, q)
			}
		}
	}
	for i, s := range p.Steps {
		if s.Fate != Answered {
			q := p
			q.Steps = slices.Clone(p.Steps)
			q.Steps[i].Fate = Answered
			all = append(all, q)
		}
	}
	return all
}
