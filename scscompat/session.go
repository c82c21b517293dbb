package scscompat

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/internal/bridge"
)

// Status is what a request has done to its session.
type Status int

const (
	// Unmodified: the request has changed nothing.
	Unmodified Status = iota

	// Modified: the request has changed the session, or the session was loaded and there is an idle limit.
	Modified

	// Destroyed: the request has ended the session, and changed nothing since.
	Destroyed
)

// rememberKey is the value that scs keeps for RememberMe.
const rememberKey = "__rememberMe"

// Load returns a context that has the session of token, or a new one if there is none; ctx itself if that has a
// session already. It is for middleware of one's own and for tests: nothing is saved but by Commit, and no cookie
// is sent but by WriteSessionCookie. An error means that the store could not answer.
func (s *SessionManager) Load(ctx context.Context, token string) (context.Context, error) {
	now := s.engine()
	if now.err != nil {
		return nil, now.err
	}
	for e := now; e != nil; e = e.before {
		if e.m != nil && bridge.Of(ctx, e.m) != nil {
			return ctx, nil
		}
	}
	ctx = bridge.Begin(ctx, now.m, clean(token))
	if err := now.m.Load(ctx); err != nil {
		return nil, err
	}
	return ctx, nil
}

// clean is token, or nothing if it cannot be one.
func clean(token string) string {
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == ';' }) {
		return ""
	}
	return token
}

// Commit saves the session now, and returns its token and when it ends if it is not used again. The token is ""
// if there is nothing to keep: a session begins with its first value. See sojourn.Manager.Commit for the errors.
func (s *SessionManager) Commit(ctx context.Context) (string, time.Time, error) {
	x, e := s.of(ctx)
	if err := e.m.Commit(ctx); err != nil {
		return "", time.Time{}, err
	}
	token := x.Token()
	if token == "" {
		return "", time.Time{}, nil
	}
	return token, e.m.Info(ctx).Expires, nil
}

// Destroy ends the session at once. What is put afterwards goes into a new one. An error means that it may not
// have ended.
func (s *SessionManager) Destroy(ctx context.Context) error {
	_, e := s.of(ctx)
	if err := e.m.Logout(ctx); err != nil {
		return err
	}
	return e.m.Commit(ctx)
}

// RenewToken gives the session a new token, against session fixation, and a new Lifetime; values are kept. Call it
// before a change of privilege, such as a login. It takes effect with the other changes of the request, when
// that is saved.
func (s *SessionManager) RenewToken(ctx context.Context) error {
	x, e := s.of(ctx)
	if err := e.m.Renew(ctx); err != nil {
		return err
	}
	x.SetDeadline(ctx, time.Now().Add(e.lifetime))
	return nil
}

// MergeSession takes over the values of the session of token, and its deadline if that is later, and ends it. This
// session is saved first, so that nothing is lost if that fails. A token that is unknown is no error.
func (s *SessionManager) MergeSession(ctx context.Context, token string) error {
	x, e := s.of(ctx)
	from := bridge.Begin(ctx, e.m, clean(token))
	if err := e.m.Load(from); err != nil {
		return err
	}
	other := bridge.Of(from, e.m)
	if other.ID() == "" || other.ID() == x.ID() {
		return nil
	}
	for _, name := range e.m.Names(from) {
		x.Put(ctx, name, bytes.Clone(other.Get(name)))
	}
	if d := other.Deadline(); d.After(s.Deadline(ctx)) {
		x.SetDeadline(ctx, d)
	}
	if e.m.Info(from).Remembered {
		e.m.Remember(ctx, true)
	}
	if err := e.m.Commit(ctx); err != nil {
		return err
	}
	if err := e.m.Logout(from); err != nil {
		return err
	}
	return e.m.Commit(from)
}

// Status says what this request has done to the session.
func (s *SessionManager) Status(ctx context.Context) Status {
	x, e := s.of(ctx)
	switch x.Status() {
	case bridge.Changed:
		return Modified
	case bridge.Ended:
		return Destroyed
	}
	if e.idle > 0 && x.ID() != "" {
		return Modified
	}
	return Unmodified
}

// RememberMe has the cookie outlive the browser, or not. It has an effect only where Cookie.Persist is false.
func (s *SessionManager) RememberMe(ctx context.Context, val bool) {
	s.Put(ctx, rememberKey, val)
	if _, e := s.of(ctx); !e.cookie.Persist {
		e.m.Remember(ctx, val)
	}
}

// Deadline is the session's absolute limit. An idle limit may end it sooner.
func (s *SessionManager) Deadline(ctx context.Context) time.Time {
	x, e := s.of(ctx)
	if at := x.Deadline(); !at.IsZero() {
		return at
	}
	return x.Began().Add(e.lifetime).UTC()
}

// SetDeadline moves the session's absolute limit, either way: to at least a second and at most 400 days from now. A
// persistent cookie that would end sooner is sent again, with a new token, if the response has not begun.
func (s *SessionManager) SetDeadline(ctx context.Context, expire time.Time) {
	x, _ := s.of(ctx)
	x.SetDeadline(ctx, expire)
}

// Token is the session's token, "" before the session has been saved, and between RenewToken and the save that
// makes the new one.
func (s *SessionManager) Token(ctx context.Context) string {
	x, _ := s.of(ctx)
	return x.Token()
}

// WriteSessionCookie adds the cookie with token to w's header, for middleware of one's own: LoadAndSave does it by
// itself. The cookie outlives the browser until expiry if Cookie.Persist is set or RememberMe(true) was called. A
// zero expiry has the browser forget the cookie.
func (s *SessionManager) WriteSessionCookie(ctx context.Context, w http.ResponseWriter, token string, expiry time.Time) {
	k := s.Cookie
	cookie := &http.Cookie{
		Name: k.Name, Value: token, Domain: k.Domain, Path: k.Path, SameSite: k.SameSite,
		Secure: k.Secure, Partitioned: k.Partitioned, HttpOnly: true,
	}
	if cookie.Path == "" {
		cookie.Path = "/"
	}
	if cookie.SameSite == 0 || cookie.SameSite == http.SameSiteDefaultMode {
		cookie.SameSite = http.SameSiteLaxMode
	}
	switch {
	case expiry.IsZero():
		cookie.Expires, cookie.MaxAge = time.Unix(1, 0), -1
	case k.Persist || s.GetBool(ctx, rememberKey):
		cookie.Expires = time.Unix(expiry.Unix()+1, 0) // rounded up to seconds
		cookie.MaxAge = int(time.Until(expiry).Seconds() + 1)
	}
	w.Header().Add("Set-Cookie", cookie.String())
	w.Header().Set("Cache-Control", "no-store")
}

// Iterate calls fn for every live session, with a context that has it, until fn answers an error, which Iterate
// returns. fn may read the session, Destroy it, or change it and Commit. It panics if the store cannot list its
// sessions. It reads all of them: to find those of one person, see sojourn.Manager.List.
func (s *SessionManager) Iterate(ctx context.Context, fn func(context.Context) error) error {
	e := s.engine()
	if e.err != nil {
		return e.err
	}
	if e.rows != nil {
		return e.iterateRows(ctx, fn)
	}
	store := e.store.(*native).sojourn
	all, ok := store.(sojourn.Lister)
	if !ok {
		panic(fmt.Sprintf("scscompat: type %T does not support iteration", store))
	}
	for r, err := range all.ListAll(ctx) {
		if err != nil {
			return err
		}
		if err := e.visit(ctx, "", r, fn); err != nil {
			return err
		}
	}
	return nil
}

// visit calls fn for one session, unless it has ended meanwhile.
func (e *engine) visit(ctx context.Context, token string, known any, fn func(context.Context) error) error {
	own, err := bridge.Adopt(ctx, e.m, token, known)
	if errors.Is(err, sojourn.ErrNotFound) {
		return nil
	} else if err != nil {
		return fmt.Errorf("scscompat: iterate: %w", err)
	}
	return fn(own)
}
