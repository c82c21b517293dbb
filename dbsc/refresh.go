package dbsc

import (
	"errors"
	"net/http"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/internal/binding"
	"github.com/gosojourn/sojourn/internal/bridge"
)

// RefreshHandler is where browsers prove that they still have the key, at Config.Refresh. Mount it for POST, where
// nobody has to be logged in: a wall that redirects to a login page would end every session when its first bound
// cookie is over.
//
// It answers 200 with the next bound cookie, 403 with a challenge that the browser is to sign, 404 where the session
// or its key is gone, 400 where the proof is none (each ends the browser's part), and 503 (by the manager's
// ErrorHandler) where the store cannot answer, which ends nothing.
func (b *Binder) RefreshHandler() http.Handler { return http.HandlerFunc(b.refresh) }

// A refresh is one request for another bound cookie.
type refresh struct {
	b          *Binder
	identifier string
	id, thumb  string
	at         int64
	proof      *proof // nil: none came, the browser asks for a challenge
	next       binding.Secret
	cookie     string
}

func (b *Binder) refresh(w http.ResponseWriter, r *http.Request) {
	if !door(w, r) {
		return
	}
	if b.cfg.Policy == Off {
		answer(w, http.StatusNotFound)
		return
	}
	x := refresh{b: b, at: now(), next: secret(), cookie: secret().Text()}
	if !x.read(r) {
		b.tell(r, sojourn.EventUnproven, x.id, "", "malformed")
		answer(w, http.StatusBadRequest)
		return
	}
	owner, err := bridge.Rebind(r.Context(), b.m, x.id, x.rebind)
	var again *challengeError
	var refused *no
	switch {
	case errors.As(err, &again):
		x.challenge(w, r, owner, again)
	case errors.Is(err, errSignature):
		b.tell(r, sojourn.EventTheft, x.id, owner, "other_key")
		answer(w, http.StatusBadRequest)
	case errors.As(err, &refused), errors.Is(err, sojourn.ErrNotFound):
		b.tell(r, sojourn.EventUnproven, x.id, owner, noSession.reason)
		answer(w, http.StatusNotFound)
	case err != nil:
		bridge.Refuse(w, r, b.m, err)
	default:
		b.tell(r, sojourn.EventProved, x.id, owner, "")
		b.sends(w, x.identifier, x.cookie, x.next.Text())
	}
}

// read takes the request apart.
func (x *refresh) read(r *http.Request) bool {
	var ok bool
	if x.identifier, ok = sfString(r.Header, headerID); !ok {
		return false
	}
	if x.id, x.thumb, ok = split(x.identifier); !ok || len(x.thumb) != thumbLen {
		x.id = ""
		return false
	}
	if r.Header[headerResponse] == nil {
		return true
	}
	jws, ok := sfString(r.Header, headerResponse)
	if !ok {
		return false
	}
	p, err := parseProof(jws, false)
	x.proof = &p
	return err == nil && isFor(p.aud, r, x.b.cfg.Refresh)
}

// A challengeError is that another challenge has to be signed.
type challengeError struct {
	stale bool           // a proof came, of another challenge
	is    binding.Secret // what to sign
	over  bool           // is has been waiting for too long: there has to be another
}

func (e *challengeError) Error() string { return "dbsc: there is a challenge to sign" }

// rebind is the step of a refresh on the binding as it is: a cookie and a challenge replace those that were, together.
func (x *refresh) rebind(old []byte) ([]byte, error) {
	was, key, err := x.parse(old)
	if err != nil {
		return nil, err
	}
	over := x.at-was.Issued >= x.b.cfg.challengeFor().Milliseconds()
	if x.proof == nil {
		return nil, &challengeError{is: was.Challenge, over: over}
	}
	if !x.proof.signedBy(key) {
		return nil, errSignature
	}
	now := was.Challenge.Is(x.proof.jti) && !over
	before := was.Before != (binding.Secret{}) && was.Before.Is(x.proof.jti) && x.at-was.Issued < superseded.Milliseconds()
	if !now && !before {
		return nil, &challengeError{is: was.Challenge, over: over, stale: true}
	}
	next := was
	next.Proved, next.Issued = x.at, x.at
	next.Challenge, next.Before = x.next, was.Challenge
	next.Cookie = binding.Shown{Mark: binding.MarkOf(x.cookie), Ends: x.at + x.b.cfg.Lifetime.Milliseconds()}
	next.Previous = was.Cookie
	return next.Encode(), nil
}

// parse is the binding, if it is the one that the browser means.
func (x *refresh) parse(b []byte) (was binding.Bound, key publicKey, err error) {
	if was, err = binding.ParseBound(b); err != nil {
		return was, key, noSession
	}
	key = publicKey{algorithm(was.Alg), was.Key}
	if key.thumb() != x.thumb {
		return was, key, noSession
	}
	return was, key, nil
}

// challenge answers 403 with what to sign. Who only knows the session's id, which is public, gets to replace a challenge
// no sooner than it is over by itself, so nobody can keep the browser's own from being good.
func (x *refresh) challenge(w http.ResponseWriter, r *http.Request, owner string, c *challengeError) {
	if c.stale {
		x.b.tell(r, sojourn.EventUnproven, x.id, owner, noChallenge.reason)
	}
	if c.over {
		_, err := bridge.Rebind(r.Context(), x.b.m, x.id, func(old []byte) ([]byte, error) {
			was, _, err := x.parse(old)
			if err != nil {
				return nil, err
			}
			if x.at-was.Issued < x.b.cfg.challengeFor().Milliseconds() {
				return nil, &challengeError{is: was.Challenge} // somebody else has replaced it
			}
			was.Challenge, was.Before, was.Issued = x.next, binding.Secret{}, x.at
			return was.Encode(), nil
		})
		var there *challengeError
		var refused *no
		switch {
		case err == nil:
			c.is = x.next
		case errors.As(err, &there):
			c.is = there.is
		case errors.As(err, &refused), errors.Is(err, sojourn.ErrNotFound):
			answer(w, http.StatusNotFound)
			return
		default:
			bridge.Refuse(w, r, x.b.m, err)
			return
		}
	}
	w.Header().Set(headerChallenge, challengeLine(c.is.Text(), x.identifier))
	answer(w, http.StatusForbidden)
}
