package legacy

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/securecookie"
	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/legacy"
)

const (
	mostShown  = 4
	mostCookie = 4096 // what a browser keeps, name and all
	gorillaAge = 30 * 24 * time.Hour
)

// common is what both readers do alike.
type common struct {
	keys     [][]byte
	cookie   http.Cookie
	maxAge   time.Duration
	maxBytes int
	owner    string
	values   []legacy.Value
	types    []any
	convert  func(values map[any]any) (sojourn.LegacySession, error)
	keepFor  time.Duration
	until    time.Time
}

func (c *common) age() time.Duration {
	if c.maxAge == 0 {
		return gorillaAge
	}
	return c.maxAge
}

func (c *common) validate(name string) error {
	var bad []error
	mistake := func(format string, a ...any) {
		bad = append(bad, fmt.Errorf("gorillacompat/legacy: "+name+"."+format, a...))
	}
	c.validateCookie(mistake)
	if c.owner == "" && len(c.values) == 0 && c.convert == nil {
		mistake("Owner, Values and Convert are empty: nothing would be taken along")
	}
	if c.convert != nil && (c.owner != "" || len(c.values) > 0) {
		mistake("Convert takes the place of Owner and Values: remove either")
	}
	if c.maxAge < 0 || c.maxBytes < 0 || c.keepFor < legacy.NoKeep {
		mistake("MaxAge (%v), MaxBytes (%d) or KeepFor (%v) is negative: leave it 0 for the default", c.maxAge, c.maxBytes, c.keepFor)
	}
	if _, err := legacy.Register(c.types...); err != nil {
		bad = append(bad, err)
	}
	return errors.Join(bad...)
}

func (c *common) validateCookie(mistake func(format string, a ...any)) {
	if len(c.keys) == 0 || len(c.keys[0]) == 0 {
		mistake("Keys are empty: give the key pairs that the store was made with")
	}
	for i, k := range c.keys {
		if n := len(k); i%2 == 1 && n != 0 && n != 16 && n != 24 && n != 32 {
			mistake("Keys: the encryption key at %d has %d bytes: it has 16, 24 or 32", i, n)
		}
	}
	if c.cookie.Name == "" {
		mistake("SessionCookie has no Name: give the name that the application gave to Get")
	}
}

// whole is what Whole makes of c.
func (c common) whole(cookie http.Cookie, pack func(map[any]any) sojourn.Entry) common {
	took := c
	c.cookie, c.owner, c.values = cookie, "", nil
	if c.maxAge == 0 && cookie.MaxAge > 0 {
		c.maxAge = time.Duration(cookie.MaxAge) * time.Second
	}
	c.types = append(slices.Clone(c.types), legacy.Registered)
	c.convert = func(values map[any]any) (s sojourn.LegacySession, err error) {
		s, err = took.taken(values)
		if err == nil && len(values) > 0 {
			s.Values = append(s.Values, pack(values))
		}
		return s, err
	}
	return c
}

// sent is the cookie as it was set.
func (c *common) sent() http.Cookie {
	k := c.cookie
	if k.Path == "" {
		k.Path = "/"
	}
	return k
}

// texts are the cookies of the name that r shows, each once.
func (c *common) texts(r *http.Request) (all []string) {
	if !c.until.IsZero() && !time.Now().Before(c.until) {
		return nil
	}
	for _, k := range r.CookiesNamed(c.cookie.Name) {
		if k.Value != "" && len(k.Value) <= mostCookie && !slices.Contains(all, k.Value) && len(all) < mostShown {
			all = append(all, k.Value)
		}
	}
	return all
}

// open verifies text, and decrypts it where a key says so. what is the largest that text may be.
func (c *common) open(text string, most int) (plain []byte, err error) {
	for _, codec := range securecookie.CodecsFromPairs(c.keys...) {
		sc := codec.(*securecookie.SecureCookie)
		sc.MaxAge(int(c.age() / time.Second)).MaxLength(most).SetSerializer(securecookie.NopEncoder{})
		if err = sc.Decode(c.cookie.Name, text, &plain); err == nil {
			return plain, nil
		}
	}
	return nil, err
}

// dateOf is when text was made. It has been verified.
func dateOf(text string) time.Time {
	raw, _ := base64.URLEncoding.DecodeString(text)
	date, _, _ := strings.Cut(string(raw), "|")
	seconds, err := strconv.ParseInt(date, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(seconds, 0)
}

func (c *common) most() int {
	if c.maxBytes == 0 {
		return legacy.DefaultMaxBytes
	}
	return c.maxBytes
}

// valuesOf decodes what a session holds.
func (c *common) valuesOf(plain []byte) (map[any]any, error) {
	values := map[any]any{}
	if err := legacy.DecodeGob(plain, c.most(), &values); err != nil {
		return nil, err
	}
	types, _ := legacy.Register(c.types...)
	for k, v := range values {
		name := fmt.Sprintf("%.64v", k)
		if err := errors.Join(types.Check(name, k), types.Check(name, v)); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// session converts values. How long ago somebody logged in is not known: gorilla writes the date anew with every
// Save. So MaxAge stays 0.
func (c *common) session(values map[any]any, date time.Time) (s sojourn.LegacySession, err error) {
	if s, err = c.taken(values); err != nil {
		return s, err
	}
	if s.Ends.IsZero() {
		s.Ends = date.Add(c.age())
	}
	if s.KeepFor == 0 {
		if s.KeepFor = c.keepFor; s.KeepFor == 0 {
			s.KeepFor = time.Minute
		}
	}
	return s, nil
}

// taken is what Convert, or Owner and Values, make of values.
func (c *common) taken(values map[any]any) (s sojourn.LegacySession, err error) {
	if c.convert != nil {
		if s, err = c.convert(values); err != nil {
			err = fmt.Errorf("%w: Convert: %w", sojourn.ErrLegacyUnreadable, err)
		}
		return s, err
	}
	named := make(map[string]any, len(values))
	for k, v := range values {
		if name, ok := k.(string); ok {
			named[name] = v
		}
	}
	return legacy.Convert(c.owner, c.values, named)
}
