package gorillacompat

import (
	"context"
	"fmt"
	"net/http"

	"github.com/gorilla/sessions"

	"github.com/gosojourn/sojourn"
)

// Login saves session as owner's, under a new token and with a new absolute limit: call it in place of Save where
// a password was right. Values stay, unless another owner was logged in: then what was that one's is gone, from
// Values too. Nothing of it is done unless the error is nil; [sojourn.ErrEnded] means that owner's sessions were
// revoked meanwhile.
func Login(r *http.Request, w http.ResponseWriter, session *sessions.Session, owner string) error {
	if owner == "" {
		return fmt.Errorf("gorillacompat: login: session %q: the owner is empty", session.Name())
	}
	p, err := partOf(r, session)
	if err != nil {
		return err
	}
	if o := session.Options; o != nil && o.MaxAge < 0 {
		return fmt.Errorf("gorillacompat: login: session %q: MaxAge is %d, which ends a session: set it to 0 or more first", p.name, o.MaxAge)
	}
	return p.save(r, w, owner, nil)
}

// Renew saves session under a new token: for a change of privilege, or for a login that is known by Values alone.
// Nothing of it is done unless the error is nil. The old token is refused from then on, also of requests that are
// under way.
func Renew(r *http.Request, w http.ResponseWriter, session *sessions.Session) error {
	p, err := partOf(r, session)
	if err != nil {
		return err
	}
	return p.save(r, w, "", func(h handle) error { return h.Renew(h.ctx) })
}

// Value reads what a program has put into Values under key, from the session of m in ctx: for handlers that have
// moved on to keys, beside those that have not. m is what [Store.Manager] returns; its LoadAndSave is around. The
// value is shared with nobody. It is not there when nothing was saved, or when its type is not registered.
func Value(ctx context.Context, m *sojourn.Manager, key any) (v any, ok bool, err error) {
	if err := m.Load(ctx); err != nil {
		return nil, false, err
	}
	kept, err := keptIn(ctx, m)
	if err != nil {
		return nil, false, err
	}
	k, err := encode(key)
	if err != nil {
		return nil, false, err
	}
	i := kept.find(k)
	if i < 0 {
		return nil, false, nil
	}
	v, err = decode(kept.entries[i].value)
	return v, err == nil, err
}
