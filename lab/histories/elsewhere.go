package histories

import "math/rand/v2"

// LoginsElsewhere are Logins as far as the others can: none of them knows who has which sessions, so nobody is revoked. Their
// sessions get another name when the token is replaced.
func LoginsElsewhere(renews bool) *Spec {
	s := Logins
	next := s.Next
	s.Next = func(rng *rand.Rand, c *Client, i int) Deed {
		for {
			d := next(rng, c, i)
			if d.Do != "others" && d.Do != "revoke" && (renews || d.Do != "renew") {
				return d
			}
		}
	}
	s.parts = byMovingSession
	return &s
}
