package sojourn

import (
	"errors"
	"fmt"

	"github.com/gosojourn/sojourn/internal/record"
	"github.com/gosojourn/sojourn/internal/token"
)

// Encryption at rest: the values of a session are kept under a key that comes from its token, of which a store
// has no more than a hash. So whoever holds the token in a request can read them, and nobody else:
//
//	find       the token was judged to be the record's own: unlock opens the values
//	write      the whole is encrypted anew, under the same key and another nonce, at each attempt
//	Login, Renew, Remember   the draft gets the new token, and with it another key, in the same write
//	reread     a record that is still under the request's token is opened by it; under another one it stays
//	           closed, and nothing is done but to say that the session has ended under this request
//
// A binding to a device changes without the token, and the closed values pass through (rebind.go).
//
// Within this process records pass from save to save as they were opened, together with their key.

// unlock makes text the token of r, which it was judged to be, and opens what is encrypted under it.
func (k *storeKeeper) unlock(r *stored, text string, key *record.Key) error {
	r.text, r.key = text, key
	if !r.Closed() {
		return nil
	}
	err := r.deriveKey(&k.m.cfg)
	if err == nil {
		err = r.Open(r.key)
	}
	if err != nil {
		return unavailable("load", fmt.Errorf("%w: end session %s, with Manager.Revoke or by deleting its record; nobody can read it", err, r.ID))
	}
	return nil
}

// writable reports whether values can be written onto r as it was read here: under its token, or without encryption.
func (k *storeKeeper) writable(r *stored) bool {
	return r.text != "" || !k.m.cfg.EncryptAtRest && !r.Closed()
}

// deriveKey makes r.key, unless it is there.
func (r *stored) deriveKey(cfg *Config) (err error) {
	if r.key == nil {
		r.key, err = record.NewKey(cfg.Purpose, r.text)
	}
	return err
}

var errNoToken = errors.New("sojourn: EncryptAtRest keeps values under the session's token, and this call does not have it: read and change the session in a request that shows it")

// keyToWrite is what d's values are to be encrypted under; nil if nothing.
func (d *draft) keyToWrite(cfg *Config) (*record.Key, error) {
	if !cfg.EncryptAtRest || d.values.Empty() {
		return nil, nil
	}
	if d.text == "" && d.kinds == 1<<opBind {
		return nil, nil // which leaves the values as they are
	}
	if d.text == "" {
		return nil, errNoToken
	}
	err := d.deriveKey(cfg)
	return d.key, err
}

// unlock opens what was read during this turn, if it is under the token of the request or the one that the
// turn has made. What is under another is not for this request to see.
func (t *turn) unlock(r *stored) (*stored, error) {
	switch own := &t.own; {
	case r.ID == "", own.text == "" && r.Closed(): // whose token nobody has shown: the values stay closed
	case r.Token == own.token:
		return r, t.k.unlock(r, own.text, own.key)
	case t.text != "" && r.Token == token.Sum(t.k.m.cfg.Purpose, t.text):
		return r, t.k.unlock(r, t.text, nil)
	}
	return r, nil
}

// reread is storeKeeper.reread, with the values opened.
func (t *turn) reread() (*stored, error) {
	now, err := t.k.reread(t.k.m.toSettle(t.own.s.st, t.b), t.id)
	if err != nil {
		return nil, err
	}
	return t.unlock(now)
}
