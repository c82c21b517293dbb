package sojourn

import (
	"cmp"
	"fmt"
	"strings"
)

// String is the policy for people: short lines, the words on the left all of one width.
func (p Policy) String() string {
	var b strings.Builder
	line := func(what, format string, a ...any) {
		fmt.Fprintf(&b, "%-12s  %s\n", what, fmt.Sprintf(format, a...))
	}
	line("kept", "%s", p.Durability.text())
	for _, note := range p.Durability.Notes {
		line("", "%s", note)
	}
	if p.Cookie != nil {
		line("cookie", "%s", p.Cookie.text())
	} else {
		line("header", "%s", p.Header)
	}
	line("purpose", "%s", p.Purpose)
	if p.SecretBits == 0 {
		line("token", "the session itself, sealed; sent again when it changes")
	} else {
		line("token", "%d random bits of secret and %d of id", p.SecretBits, p.IDBits)
		line("renewal", "at Login, Renew and Remember, never by time; the old token is nobody's for %s, then unknown", short(p.OldToken))
	}
	if p.VisitorCookie != "" {
		line("visitors", "sealed in cookie %s until they log in; not listed, and sent again when they change", p.VisitorCookie)
	}
	line("idle", "%s", p.idleText())
	line("absolute", "%s from the login, or from the beginning", short(p.Lifetime))
	line("remembered", "%s", p.rememberText())
	line("per owner", "%s", p.ownerText())
	line("size", "%s", or(p.Durability.MaxBytes > 0, fmt.Sprintf("%s bytes at most", thousands(p.Durability.MaxBytes)), "the store does not tell"))
	line("at rest", "%s", or(p.EncryptAtRest, "values are encrypted", or(p.SecretBits == 0, "encrypted by the sealer", "values are readable to the store")))
	line("load", "%s", p.Load)
	line("patience", "%s", or(p.StoreTimeout > 0, short(p.StoreTimeout)+" for all that a call asks the store", "nothing is waited for"))
	line("limits of", "%s", p.aalText())
	p.requirements(line)
	return b.String()
}

func or(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}

func (d *Durability) text() string {
	if d.Medium == "" {
		return "in a store that does not tell how long"
	}
	restart := map[Outliving]string{
		OutlivesNothing: "gone with a restart", OutlivesRestart: "kept over a restart", OutlivesAsSet: "kept over a restart if its server is set so",
	}
	return d.Medium + "; " + cmp.Or(restart[d.Restart], "what a restart leaves is not told") +
		or(d.Shared, "; for several processes", "; for one process")
}

func (k *CookiePolicy) text() string {
	all := []string{k.Name, "Path=" + k.Path}
	if k.Domain != "" {
		all = append(all, "Domain="+k.Domain)
	}
	all = append(all, or(k.Secure, "Secure", "NOT Secure"), "HttpOnly", "SameSite="+k.SameSite)
	if k.Partitioned {
		all = append(all, "Partitioned")
	}
	return strings.Join(append(all, or(k.Persistent, "outlives the browser", "ends with the browser")), "; ")
}

func (p *Policy) idleText() string {
	if p.IdleTimeout == 0 {
		return "no limit"
	}
	return fmt.Sprintf("%s from the last use, at most %s less", short(p.IdleTimeout), short(p.IdleStep))
}

func (p *Policy) rememberText() string {
	if p.RememberIdle {
		return "the same limits, and a cookie that outlives the browser"
	}
	return short(p.RememberFor) + ", no idle limit, and a cookie that outlives the browser"
}

func (p *Policy) ownerText() string {
	most := "any number of sessions"
	if p.MaxPerOwner > 0 {
		most = fmt.Sprintf("%d sessions at most", p.MaxPerOwner)
	}
	return most + or(p.CanRevoke, "; can be revoked", "; CANNOT be revoked") + or(p.CanList, ", and listed", ", not listed")
}

func (p *Policy) aalText() string {
	name := func(n int) string { return or(n > 0, fmt.Sprintf("AAL%d", n), "no level") }
	return fmt.Sprintf("NIST SP 800-63B-4 %s; remembered: %s", name(p.AAL), name(p.RememberedAAL))
}

// requirements lists ids where all is as asked, and says more of the others.
func (p *Policy) requirements(line func(what, format string, a ...any)) {
	for _, s := range []Standing{Met, NotInUse} {
		var ids []string
		for _, r := range p.Requirements {
			if r.Standing == s {
				ids = append(ids, r.ID)
			}
		}
		what := string(s)
		for len(ids) > 0 {
			n := min(len(ids), 16)
			line(what, "%s", strings.Join(ids[:n], " "))
			ids, what = ids[n:], ""
		}
	}
	for _, s := range []Standing{Application, Deviates} {
		what := string(s)
		for _, r := range p.Requirements {
			if r.Standing == s {
				line(what, "%-6s %s", r.ID, r.How)
				what = ""
			}
		}
	}
}

// thousands writes 65535 as 65,535.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

var _ fmt.Stringer = Policy{}
