package legacy

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/gosojourn/sojourn"
)

// SCS reads the sessions of alexedwards/scs v2. It is not changed after it was given to a manager.
type SCS struct {
	// Rows is where scs has its sessions: MySQL, Postgres, SQLite, Redis or CtxStore. Required.
	Rows Rows

	// SessionCookie is scs's cookie as it was set; it is expired with the same name, path and domain.
	// Default: "session", on path "/", of this host, as scs.New has it.
	SessionCookie http.Cookie

	// HashTokenInStore is scs's field of that name.
	HashTokenInStore bool

	// Owner is the key under which the application had who is logged in, such as "authenticatedUserID". An
	// integer is written in decimal digits; a type with a String method by that. 0 and "" are nobody.
	Owner string

	// Values are the other values to take along. All else is left behind.
	Values []Value

	// Convert takes the place of Owner and Values, for what they cannot say. Ends, Remembered, MaxAge and KeepFor
	// are filled in where it leaves them zero. An error leaves the session where it is, and its visitor is nobody.
	Convert func(values map[string]any) (sojourn.LegacySession, error)

	// Types are an example of each type, beside bools, numbers, texts, bytes, times and lists of them, that
	// sessions hold: what the old program gave to gob.Register. A session that holds another is not read.
	Types []any

	// Decode is scs's Codec's method of that name. Default: that of scs's GobCodec. What another one makes of bytes is not
	// checked against Types.
	Decode func(data []byte) (deadline time.Time, values map[string]any, err error)

	// MaxBytes is how large an old session may be. Default: 64 KiB.
	MaxBytes int

	// Lifetime is scs's field of that name. Default: 24h, as scs has it. It says which revocations an old session
	// may have been there for.
	Lifetime time.Duration

	// IdleTimeout is scs's field of that name: 0 for none, as scs has it. An old session that is kept beside the new one
	// would end for want of use, and the new one with it: with IdleTimeout set, each use of the new one is one of the
	// old. Rows have to be an Extender then, unless KeepFor is NoKeep.
	IdleTimeout time.Duration

	// KeepFor keeps an old session alive after its move, for servers of the old version: set it to the longest that
	// your deployment takes. Default: a minute, for requests that are under way. NoKeep: the old session ends as
	// soon as the browser shows the new token, and requests that were under way may see nobody.
	KeepFor time.Duration

	// Until is when old sessions are not read any more. Default: as long as there are any.
	Until time.Time
}

// NoKeep, as KeepFor, ends an old session as soon as the browser shows the new token.
const NoKeep time.Duration = -1

const (
	tokenLen     = 43 // base64url of 32 bytes
	rememberMe   = "__rememberMe"
	defaultKeep  = time.Minute
	mostShown    = 4
	scsLifetime  = 24 * time.Hour
	scsCookie    = "session"
	skewInTheWay = time.Minute // of the old servers' clocks
)

// Validate says what is wrong with the fields; sojourn.New asks it.
func (x *SCS) Validate() error {
	bad := []error{x.validateRows()}
	if x.Owner == "" && len(x.Values) == 0 && x.Convert == nil {
		bad = append(bad, errors.New("legacy: SCS takes nothing along: set Owner, Values or Convert"))
	}
	if x.Convert != nil && (x.Owner != "" || len(x.Values) > 0) {
		bad = append(bad, errors.New("legacy: SCS.Convert takes the place of Owner and Values: remove either"))
	}
	if x.KeepFor < NoKeep || x.Lifetime < 0 || x.IdleTimeout < 0 || x.MaxBytes < 0 {
		bad = append(bad, fmt.Errorf("legacy: SCS.KeepFor (%v), Lifetime (%v), IdleTimeout (%v) or MaxBytes (%d) is negative: leave it 0 for the default",
			x.KeepFor, x.Lifetime, x.IdleTimeout, x.MaxBytes))
	}
	if _, err := Register(x.Types...); err != nil {
		bad = append(bad, err)
	}
	return errors.Join(bad...)
}

func (x *SCS) validateRows() (err error) {
	if x.Rows == nil {
		return errors.New("legacy: SCS.Rows is nil: say where scs has its sessions, such as legacy.MySQL(db, \"\")")
	}
	if v, ok := x.Rows.(interface{ Validate() error }); ok {
		err = v.Validate()
	}
	if x.staysInUse() && !extends(x.Rows) {
		err = errors.Join(err, errors.New("legacy: SCS.Rows cannot keep sessions alive beyond IdleTimeout: give them the method of Extender, or ExpireAt to the Redis client; or set KeepFor to NoKeep"))
	}
	return err
}

// Cookie is SessionCookie with its defaults.
func (x *SCS) Cookie() http.Cookie {
	c := x.SessionCookie
	if c.Name == "" {
		c.Name = scsCookie
	}
	if c.Path == "" {
		c.Path = "/"
	}
	c.HttpOnly = true
	return c
}

// Shown answers the tokens of scs that r shows.
func (x *SCS) Shown(r *http.Request) (all []string) {
	if !x.Until.IsZero() && !time.Now().Before(x.Until) {
		return nil
	}
	for _, c := range r.CookiesNamed(x.Cookie().Name) {
		raw, err := base64.RawURLEncoding.Strict().DecodeString(c.Value)
		if err == nil && len(raw) == 32 && len(c.Value) == tokenLen && !slices.Contains(all, c.Value) && len(all) < mostShown {
			all = append(all, c.Value)
		}
	}
	return all
}

// staysInUse reports whether an old session that is kept has to be used.
func (x *SCS) staysInUse() bool { return x.IdleTimeout > 0 && x.KeepFor != NoKeep }

// key is under what scs has the session.
func (x *SCS) key(token string) string {
	if !x.HashTokenInStore {
		return token
	}
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Load reads and converts a session.
func (x *SCS) Load(ctx context.Context, _ *http.Request, token string) (s sojourn.LegacySession, err error) {
	data, err := x.Rows.Find(ctx, x.key(token))
	if err != nil {
		return s, err
	}
	deadline, values, err := x.decode(data)
	if err != nil {
		return s, err
	}
	if s, err = x.convert(values); err != nil {
		return s, err
	}
	x.complete(&s, deadline)
	if remember, _ := values[rememberMe].(bool); remember {
		s.Remembered = true
	}
	return s, x.use(ctx, token, deadline)
}

// use puts the idle limit of an old session off, as each request did on a server of the old version.
func (x *SCS) use(ctx context.Context, token string, deadline time.Time) error {
	if !x.staysInUse() {
		return nil
	}
	until := time.Now().Add(x.IdleTimeout)
	if until.After(deadline) {
		until = deadline
	}
	return x.Rows.(Extender).Extend(ctx, x.key(token), until)
}

// convert is what Convert, or Owner and Values, make of values.
func (x *SCS) convert(values map[string]any) (s sojourn.LegacySession, err error) {
	if x.Convert == nil {
		return Convert(x.Owner, x.Values, values)
	}
	if s, err = x.Convert(values); err != nil {
		err = fmt.Errorf("%w: Convert: %w", sojourn.ErrLegacyUnreadable, err)
	}
	return s, err
}

func (x *SCS) decode(data []byte) (time.Time, map[string]any, error) {
	if x.Decode != nil {
		return x.decodeOther(data)
	}
	var old struct {
		Deadline time.Time
		Values   map[string]any
	}
	types, _ := Register(x.Types...)
	if err := DecodeGob(data, x.MaxBytes, &old); err != nil {
		return old.Deadline, nil, err
	}
	for name, v := range old.Values {
		if err := types.Check(name, v); err != nil {
			return old.Deadline, nil, err
		}
	}
	return old.Deadline, old.Values, nil
}

// decodeOther has Decode read data. Whatever the bytes are, no panic comes of it.
func (x *SCS) decodeOther(data []byte) (deadline time.Time, values map[string]any, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: Decode: %v", sojourn.ErrLegacyUnreadable, r)
		}
	}()
	most := cmp.Or(x.MaxBytes, DefaultMaxBytes)
	if len(data) > most {
		return deadline, nil, tooManyBytes(len(data), most)
	}
	if deadline, values, err = x.Decode(data); err != nil {
		err = fmt.Errorf("%w: Decode: %w", sojourn.ErrLegacyUnreadable, err)
	}
	return deadline, values, err
}

// Whole is x with all values of a session in the entries that pack makes of them, of any type that gob knows; what x says
// of Owner, Values and Convert is taken along beside. Package scscompat asks for it.
func (x *SCS) Whole(pack func(values map[string]any) []sojourn.Entry) *SCS {
	took, y := *x, *x
	y.Owner, y.Values = "", nil
	y.Types = append(slices.Clone(x.Types), Registered)
	y.Convert = func(values map[string]any) (sojourn.LegacySession, error) {
		s, err := took.convert(values)
		if err == nil {
			s.Values = append(s.Values, pack(values)...)
		}
		return s, err
	}
	return &y
}

// complete fills in what is the same for all sessions.
func (x *SCS) complete(s *sojourn.LegacySession, deadline time.Time) {
	if s.Ends.IsZero() {
		s.Ends = deadline
	}
	if s.KeepFor == 0 {
		if s.KeepFor = x.KeepFor; s.KeepFor == 0 {
			s.KeepFor = defaultKeep
		}
	}
	if s.MaxAge != 0 {
		return
	}
	life := x.Lifetime
	if life == 0 {
		life = scsLifetime
	}
	if time.Until(deadline) <= life+skewInTheWay { // else Lifetime is not what the old program had
		s.MaxAge = life
	}
}

// End deletes a session.
func (x *SCS) End(ctx context.Context, token string) error { return x.Rows.Delete(ctx, x.key(token)) }
