package legacy

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/legacy"
)

// Cookies reads the sessions of gorilla's CookieStore. It is not changed after it was given to a manager.
//
// While an old session is kept beside the new one (KeepFor), the browser's cookie is what says whether it is
// there: a cookie with other values, of the same date or later, takes the new session's place, and a request of the
// application's own pages that shows none was logged out by an old server.
type Cookies struct {
	// Keys are the key pairs that NewCookieStore was given. Required.
	Keys [][]byte

	// SessionCookie is the cookie as it was set; Name is what the application gave to Get. Required: Name. It is
	// expired with the same name, path and domain; the default path is "/".
	SessionCookie http.Cookie

	// MaxAge is how old a cookie may be. Default: 30 days, as gorilla has it.
	MaxAge time.Duration

	// Owner, Values, Convert, Types, MaxBytes, KeepFor and Until are as in legacy.SCS. Convert is given all keys;
	// Owner and Values know those that are strings.
	Owner    string
	Values   []legacy.Value
	Convert  func(values map[any]any) (sojourn.LegacySession, error)
	Types    []any
	MaxBytes int
	KeepFor  time.Duration

	// Until is when cookies are not read any more. Set it: nobody can end a cookie that a client keeps. Default:
	// never, so cookies are good for MaxAge.
	Until time.Time
}

func (x *Cookies) common() *common {
	return &common{x.Keys, x.SessionCookie, x.MaxAge, x.MaxBytes, x.Owner, x.Values, x.Types, x.Convert, x.KeepFor, x.Until}
}

// Whole is x for sessions in cookie, with all their values in the entry that pack makes of them, of any type that gob
// knows; what x says of Owner, Values and Convert is taken along beside. Package gorillacompat asks for it. Where x has
// no MaxAge, the cookie's is taken.
func (x *Cookies) Whole(cookie http.Cookie, pack func(values map[any]any) sojourn.Entry) sojourn.Legacy {
	c := x.common().whole(cookie, pack)
	return &Cookies{c.keys, c.cookie, c.maxAge, c.owner, c.values, c.convert, c.types, c.maxBytes, c.keepFor, c.until}
}

// Validate says what is wrong with the fields; sojourn.New asks it.
func (x *Cookies) Validate() error { return x.common().validate("Cookies") }

// Cookie is SessionCookie with its defaults.
func (x *Cookies) Cookie() http.Cookie { return x.common().sent() }

// Shown answers the cookies that r shows and that a key has signed.
func (x *Cookies) Shown(r *http.Request) []string {
	c := x.common()
	return slices.DeleteFunc(c.texts(r), func(text string) bool {
		_, err := c.open(text, mostCookie)
		return err != nil
	})
}

// Load reads and converts a cookie. It is sojourn.ErrNotFound if r shows that another has taken its place.
func (x *Cookies) Load(_ context.Context, r *http.Request, token string) (s sojourn.LegacySession, err error) {
	c := x.common()
	plain, err := c.open(token, mostCookie)
	if err != nil {
		return s, sojourn.ErrNotFound // expired, or a key is gone
	}
	values, err := c.valuesOf(plain)
	if err != nil {
		return s, err
	}
	if r != nil && x.replaced(r, c, token, values) {
		return s, sojourn.ErrNotFound
	}
	return c.session(values, dateOf(token))
}

// replaced reports whether r shows that token is not the browser's any more.
func (x *Cookies) replaced(r *http.Request, c *common, token string, values map[any]any) bool {
	shown := x.Shown(r)
	if slices.Contains(shown, token) {
		return false
	}
	if len(shown) == 0 {
		// Requests of other sites, and of browsers that do not say, may leave it out.
		site := r.Header.Get("Sec-Fetch-Site")
		return site == "same-origin" || site == "none"
	}
	for _, text := range shown {
		if dateOf(text).Before(dateOf(token)) {
			continue
		}
		plain, err := c.open(text, mostCookie)
		if err != nil {
			continue
		}
		if now, err := c.valuesOf(plain); err == nil && !reflect.DeepEqual(now, values) {
			return true
		}
	}
	return false
}

// End is errors.ErrUnsupported: the client has the cookie.
func (x *Cookies) End(context.Context, string) error {
	return fmt.Errorf("gorillacompat/legacy: a cookie is kept by its client: %w", errors.ErrUnsupported)
}
