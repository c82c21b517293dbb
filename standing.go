package sojourn

// A Requirement is what one row of a standard asks of sessions, and how a manager stands to it.
type Requirement struct {
	ID       string   `json:"id"`     // ours: O for OWASP, V for ASVS 5.0, N for NIST, C and L for cookies, D for bound sessions
	Source   string   `json:"source"` // where the standard says so
	Asks     string   `json:"asks"`   // in our words
	Standing Standing `json:"standing"`
	How      string   `json:"how"` // what does it, what the application has to do, or why it is otherwise
}

// A Standing says whether a requirement is met.
type Standing string

const (
	Met         Standing = "met"
	Application Standing = "application" // left to the application; How names what helps it
	Deviates    Standing = "deviates"    // How has the reason
	NotInUse    Standing = "not in use"  // it is about something that this manager does not do
)

// A row is a requirement before it is judged.
type row struct {
	id, source, asks string
	judge            judge
}

// A judge looks at a policy. sealed: the clients keep the sessions.
type judge func(p *Policy, sealed bool) (Standing, string)

// judged is every requirement, as p stands to it.
func judged(p *Policy, sealed bool) []Requirement {
	all := make([]Requirement, 0, len(rows))
	for _, r := range rows {
		s, how := r.judge(p, sealed)
		all = append(all, Requirement{r.id, r.source, r.asks, s, how})
	}
	return all
}

func is(s Standing, how string) judge {
	return func(*Policy, bool) (Standing, string) { return s, how }
}

func met(how string) judge         { return is(Met, how) }
func application(how string) judge { return is(Application, how) }
func deviates(why string) judge    { return is(Deviates, why) }

// when judges by a fact of the policy.
func when(fact func(p *Policy) bool, yes, no judge) judge {
	return func(p *Policy, sealed bool) (Standing, string) {
		if fact(p) {
			return yes(p, sealed)
		}
		return no(p, sealed)
	}
}

// whenSealed tells the two kinds of manager apart.
func whenSealed(yes, no judge) judge {
	return func(p *Policy, sealed bool) (Standing, string) {
		if sealed {
			return yes(p, sealed)
		}
		return no(p, sealed)
	}
}

// inCookie is about a cookie's attribute, which a token in a header has not.
func inCookie(fact func(c *CookiePolicy) bool, yes, no judge) judge {
	return when(func(p *Policy) bool { return p.Cookie == nil }, is(NotInUse, "The token travels in a header."),
		when(func(p *Policy) bool { return fact(p.Cookie) }, yes, no))
}
