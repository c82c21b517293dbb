package gorillacompat

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/gosojourn/sojourn"
)

// A whole is a reader of old sessions that can take along all their values: those of package legacy.
type whole interface {
	Whole(cookie http.Cookie, pack func(values map[any]any) sojourn.Entry) sojourn.Legacy
}

// legacy is the reader of Config.Legacy for sessions called name, nil if it reads none of them.
func (s *Store) legacy(name string) sojourn.Legacy {
	old := s.cfg.Legacy
	if old == nil {
		return nil
	}
	cookie := old.Cookie()
	if cookie.Name != "" && cookie.Name != name {
		return nil
	}
	if w, ok := old.(whole); ok {
		if cookie.Name == "" {
			d := s.defaults()
			cookie.Name, cookie.Path, cookie.Domain, cookie.MaxAge = name, d.Path, d.Domain, s.signedFor
		}
		old = w.Whole(cookie, Entry)
	}
	return &tracked{old}
}

// Entry makes of a gorilla session's values what a store of this package keeps: for a [sojourn.Legacy] of your own, which
// reads what another store for gorilla has kept. A value that does not encode makes it one that is left behind.
func Entry(of map[any]any) sojourn.Entry {
	changes, err := diff(nil, of)
	if err != nil {
		return sojourn.BadEntry(fmt.Errorf("gorillacompat: %w", err))
	}
	var v values
	v.apply(changes)
	return stored.Entry(v)
}

// A tracked reader tells a request's memo what its session was found by.
type tracked struct{ sojourn.Legacy }

func (t *tracked) Validate() error {
	if v, ok := t.Legacy.(interface{ Validate() error }); ok {
		return v.Validate()
	}
	return nil
}

func (t *tracked) Load(ctx context.Context, r *http.Request, token string) (sojourn.LegacySession, error) {
	l, err := t.Legacy.Load(ctx, r, token)
	if err == nil || errors.Is(err, sojourn.ErrLegacyUnreadable) {
		memoOf(ctx).byOld(true)
	}
	return l, err
}

func (t *tracked) End(ctx context.Context, token string) error {
	memoOf(ctx).byOld(false)
	return t.Legacy.End(ctx, token)
}
