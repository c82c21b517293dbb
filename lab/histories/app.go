package histories

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gosojourn/sojourn"
)

var (
	count  = sojourn.NewKey[int]("count")
	flash  = sojourn.NewKey[[]string]("flash")
	first  = sojourn.NewKey[string]("first")
	second = sojourn.NewKey[string]("second")
	mark   = sojourn.NewKey[string]("mark")
)

// StoreTimeout is for every manager here: long beside the faults, so that most outcomes are settled, and short
// beside a person's patience.
const StoreTimeout = time.Second

type ranKey struct{}

// App is the application on a manager that New makes of cfg: it performs each deed by the verb that is there
// for it, commits, and says how that ended.
func App(store sojourn.Store, cfg sojourn.Config) (http.Handler, error) {
	cfg.ErrorHandler = func(w http.ResponseWriter, r *http.Request, _ error) {
		a := Answer{Outcome: Unknown}
		if ran := r.Context().Value(ranKey{}).(*bool); !*ran {
			a.Outcome = None // the session could not be loaded, so nothing was asked of it
		}
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write(a.Bytes())
	}
	m, err := sojourn.New(store, cfg)
	if err != nil {
		return nil, err
	}
	next := m.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*r.Context().Value(ranKey{}).(*bool) = true
		a := perform(r.Context(), m, DeedOf(r.FormValue, r.Method))
		_, _ = w.Write(a.Bytes())
	}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), ranKey{}, new(bool))))
	}), nil
}

func perform(ctx context.Context, m *sojourn.Manager, d Deed) (a Answer) {
	if err := m.Load(ctx); err != nil && d.Do != "revoke" {
		return Answer{Outcome: None}
	}
	a.Owner = m.Info(ctx).Owner
	err := change(ctx, m, d, &a)
	if err == nil {
		err = m.Commit(ctx)
	}
	a.Outcome = outcomeOf(err, d)
	if err != nil {
		a.Why = err.Error()
	}
	switch d.Do {
	case "count":
		a.Text = fmt.Sprint(count.Get(ctx))
	case "peek":
		a.Text = strings.Join(flash.Get(ctx), ",")
	case "read":
		a.Text = first.Get(ctx) + "," + second.Get(ctx)
	case "who", "mark", "login", "renew":
		a.Owner, a.Mark = m.Info(ctx).Owner, mark.Get(ctx)
	}
	return a
}

// change does what d asks, up to the commit.
func change(ctx context.Context, m *sojourn.Manager, d Deed, a *Answer) error {
	switch d.Do {
	case "begin", "mark":
		mark.Put(ctx, d.Value)
	case "add":
		count.Update(ctx, func(n int) int { return n + 1 })
	case "append":
		sojourn.Append(ctx, flash, d.Value)
	case "take":
		all, _, err := flash.Take(ctx)
		a.Text = strings.Join(all, ",")
		return err
	case "first":
		first.Put(ctx, d.Value)
	case "second":
		second.Put(ctx, d.Value)
	case "both":
		first.Put(ctx, d.Value)
		second.Put(ctx, d.Value)
	case "login":
		return m.Login(ctx, d.Whom)
	case "logout":
		return m.Logout(ctx)
	case "renew":
		return m.Renew(ctx)
	case "others":
		return m.RevokeOthers(ctx)
	case "revoke":
		return m.RevokeAll(ctx, d.Whom)
	}
	return nil
}

// outcomeOf reads an error as its documentation says.
func outcomeOf(err error, d Deed) Outcome {
	switch {
	case err == nil:
		return Done
	case errors.Is(err, sojourn.ErrEnded) && d.Do == "login":
		return Revoked
	case errors.Is(err, sojourn.ErrEnded):
		return Ended
	case errors.Is(err, sojourn.ErrConflict), errors.Is(err, sojourn.ErrBusy), errors.Is(err, sojourn.ErrRefused):
		return None
	}
	return Unknown
}
