package dbsc

import (
	"net/http"
	"strings"
	"time"

	"github.com/gosojourn/sojourn/internal/binding"
	"github.com/gosojourn/sojourn/internal/bridge"
)

// RequireBound returns middleware for what a copied session must not do, such as changing a password. Of a bound
// session it wants a bound cookie that a proof has brought in the last maxAge, of which less than 15 seconds count as 15: an older
// one may be a copy. Where there is none, it redirects the browser to the same URL, with the bound cookie expired, and
// the browser proves its key on the way. If the request comes back without a proof, refused answers.
//
// A session that is not bound passes with the policy Opportunistic, because its browser may not be able to. With Required it is
// refused. A visitor who is not logged in passes: that is for the login wall to say.
//
// It asks the store, and no copy. It goes inside LoadAndSave. A redirected POST is sent again, with its body (307), so put it
// before the form's page too.
func (b *Binder) RequireBound(maxAge time.Duration, refused http.Handler) func(next http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if b.cfg.Policy == Off {
				next.ServeHTTP(w, r)
				return
			}
			held, err := bridge.Hold(r.Context(), b.m)
			if err != nil {
				bridge.Refuse(w, r, b.m, err)
				return
			}
			asked := b.cookie.wasAsked(r.Header)
			answer := b.required(&held, maxAge, r.Header, asked)
			if answer == isAsked {
				b.redirect(w, r)
				return
			}
			if asked { // the next one may be asked again
				w.Header().Add("Set-Cookie", b.cookie.askedGone())
			}
			if answer == isRefused {
				refused.ServeHTTP(w, r)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

type requirement uint8

const (
	passes requirement = iota
	isAsked
	isRefused
)

func (b *Binder) required(held *bridge.Holding, maxAge time.Duration, h http.Header, asked bool) requirement {
	x, err := binding.ParseBound(held.Binding)
	maxAge = max(maxAge, askedFor) // or the proof that was asked for might be too old when the request comes back
	switch bound := err == nil; {
	case bound && now()-b.provedBy(&x, h) <= maxAge.Milliseconds():
		return passes
	case (bound || held.Withheld) && !asked:
		return isAsked
	case bound || held.Withheld:
		return isRefused
	case held.Owner != "" && b.cfg.Policy == Required:
		return isRefused
	}
	return passes
}

// provedBy is when the latest proof was given that has brought one of the bound cookies in h; 0 if there is none. That the
// session was proved since says nothing of whoever sends an older one.
func (b *Binder) provedBy(x *binding.Bound, h http.Header) (at int64) {
	shown(h, b.cookie.name, func(value string) bool {
		switch m := binding.MarkOf(value); {
		case m.Is(x.Cookie.Mark):
			at = x.Proved
		case m.Is(x.Previous.Mark):
			at = max(at, x.Previous.Ends-b.cfg.Lifetime.Milliseconds())
		}
		return true
	})
	return at
}

// redirect has the browser come again, and prove its key first, because the cookie is not there.
func (b *Binder) redirect(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Add("Set-Cookie", b.cookie.gone())
	h.Add("Set-Cookie", b.cookie.asking())
	h.Set("Cache-Control", "no-store")
	h.Set("Location", self(r))
	w.WriteHeader(http.StatusTemporaryRedirect)
}

// self is the URL of r as a browser has to ask for it again: below this host, whatever the path begins with.
func self(r *http.Request) string {
	uri := r.RequestURI // which no StripPrefix has shortened
	if !strings.HasPrefix(uri, "/") {
		uri = r.URL.RequestURI()
	}
	if len(uri) > 1 && (uri[1] == '/' || uri[1] == '\\') {
		return "/." + uri // or it would name another host
	}
	return uri
}

// Asks reports whether r, to which a bound session was withheld, is a page that somebody goes to. Browsers do not wait for a
// proof when another site sends the visitor here, and so the page comes without.
func (b *binder) Asks(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && r.Header.Get("Sec-Fetch-Mode") == "navigate" &&
		!b.cookie.wasAsked(r.Header)
}

// Ask answers with a page that loads the same URL again: now it is this site's own, and the browser proves its key
// before it asks.
func (b *binder) Ask(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Add("Set-Cookie", b.cookie.asking())
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write([]byte(`<!doctype html><meta http-equiv="refresh" content="0"><title>One moment</title><p>One moment, please.`))
}
