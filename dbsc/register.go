package dbsc

import (
	"errors"
	"net/http"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/internal/binding"
	"github.com/gosojourn/sojourn/internal/bridge"
)

// A no is why a proof is refused, with the reason that events have.
type no struct{ reason string }

func (e *no) Error() string { return "dbsc: the proof is refused: " + e.reason }

var (
	noOffer     = &no{"authorization"}
	noChallenge = &no{"challenge"}
	noSession   = &no{"ended"}
)

// RegisterHandler is where browsers bind a session, at Config.Register. Mount it for POST, beside the login page:
// nobody has to be logged in. It looks at no cookie, because after a login that came from another site browsers send
// none with it.
//
// It answers 200 with the bound cookie, 400 where the proof is none or is of another login, and 503 (by the
// manager's ErrorHandler) where the store cannot answer.
func (b *Binder) RegisterHandler() http.Handler { return http.HandlerFunc(b.register) }

func (b *Binder) register(w http.ResponseWriter, r *http.Request) {
	if !door(w, r) {
		return
	}
	if b.cfg.Policy == Off {
		answer(w, http.StatusNotFound)
		return
	}
	id, auth, p, reason := b.registration(r)
	if reason != "" {
		b.tell(r, sojourn.EventUnproven, id, "", reason)
		answer(w, http.StatusBadRequest)
		return
	}
	first, cookie := secret(), secret().Text()
	made := binding.Bound{
		Proved: now(), Issued: now(), Challenge: first, Alg: byte(p.key.alg), Key: p.key.bytes,
		Cookie:   binding.Shown{Mark: binding.MarkOf(cookie), Ends: now() + b.cfg.Lifetime.Milliseconds()},
		Previous: binding.Shown{Ends: now() + regardless.Milliseconds()},
	}
	owner, err := bridge.Rebind(r.Context(), b.m, id, func(old []byte) ([]byte, error) {
		o, ok := binding.ParseOffer(old)
		switch {
		case !ok || !o.Authorization.Is(auth):
			return nil, noOffer
		case !o.Challenge.Is(p.jti) || o.Until <= made.Proved:
			return nil, noChallenge
		}
		return made.Encode(), nil
	})
	var refused *no
	switch {
	case errors.As(err, &refused), errors.Is(err, sojourn.ErrNotFound):
		if refused == nil {
			refused = noSession
		}
		b.tell(r, sojourn.EventUnproven, id, owner, refused.reason)
		answer(w, http.StatusBadRequest)
	case err != nil:
		bridge.Refuse(w, r, b.m, err)
	default:
		b.tell(r, sojourn.EventBound, id, owner, "")
		b.sends(w, id+"."+p.key.thumb(), cookie, first.Text())
	}
}

// registration reads and verifies what r proves, and for which session; or says why it proves nothing.
func (b *Binder) registration(r *http.Request) (id, auth string, p proof, reason string) {
	jws, ok := sfString(r.Header, headerResponse)
	if !ok {
		return "", "", p, "malformed"
	}
	p, err := parseProof(jws, true)
	if err != nil || !isFor(p.aud, r, b.cfg.Register) {
		return "", "", p, "malformed"
	}
	if id, auth, ok = split(p.authorization); !ok {
		return "", "", p, "malformed"
	}
	if !p.signedBy(p.key) {
		return id, auth, p, "signature"
	}
	return id, auth, p, ""
}
