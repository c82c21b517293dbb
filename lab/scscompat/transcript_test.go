package scscompat_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	scsmem "github.com/alexedwards/scs/v2/memstore"

	"github.com/gosojourn/sojourn/lab/scscompat/ours"
	"github.com/gosojourn/sojourn/lab/scscompat/theirs"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/scscompat"
)

// A setting is how an application keeps its sessions.
type setting struct {
	name    string
	idle    time.Duration
	session bool // cookies end with the browser
	hash    bool
	words   bool // another Codec
	rows    bool // ours is on scs's own store
}

var settings = []setting{
	{name: "as New leaves it"},
	{name: "as New leaves it, on scs's store", rows: true},
	{name: "with an idle limit", idle: 20 * time.Minute},
	{name: "with an idle limit, on scs's store", idle: 20 * time.Minute, rows: true},
	{name: "cookies end with the browser", session: true},
	{name: "cookies end with the browser, on scs's store", session: true, rows: true},
	{name: "hashed tokens, on scs's store", hash: true, rows: true},
	{name: "a codec of its own", words: true},
	{name: "a codec of its own, on scs's store", words: true, rows: true},
}

func (x setting) theirs(s *scs.SessionManager) {
	s.Store = scsmem.NewWithCleanupInterval(0)
	s.IdleTimeout, s.Cookie.Persist, s.HashTokenInStore = x.idle, !x.session, x.hash
	if x.words {
		s.Codec = reversed{scs.GobCodec{}}
	}
}

func (x setting) ours(s *scscompat.SessionManager) {
	s.IdleTimeout, s.Cookie.Persist, s.HashTokenInStore = x.idle, !x.session, x.hash
	s.Adjust = silent
	s.Store = scscompat.Native(memstore.New())
	if x.rows {
		s.Store = scsmem.NewWithCleanupInterval(0)
	}
	if x.words {
		s.Codec = reversed{scscompat.GobCodec{}}
	}
}

// reversed is a codec of the application's own.
type reversed struct{ scs.Codec }

func (r reversed) Encode(deadline time.Time, values map[string]interface{}) ([]byte, error) {
	b, err := r.Codec.Encode(deadline, values)
	slices.Reverse(b)
	return b, err
}

func (r reversed) Decode(b []byte) (time.Time, map[string]interface{}, error) {
	b = slices.Clone(b)
	slices.Reverse(b)
	return r.Codec.Decode(b)
}

// A browser keeps cookies, and a program the token in X-Session.
type browser struct {
	cookies map[string]*http.Cookie
	header  string
}

// visit sends a request, and answers what a person sees: the page, and which cookies there are afterwards.
func (b *browser) visit(h http.Handler, target string) (seen string) {
	r := httptest.NewRequest("POST", target, nil)
	for _, c := range b.cookies {
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	if b.header != "" {
		r.Header.Set("X-Session", b.header)
	}
	w := httptest.NewRecorder()
	func() {
		defer func() {
			if p := recover(); p != nil {
				seen = fmt.Sprint("panic: ", p)
			}
		}()
		h.ServeHTTP(w, r)
	}()
	if seen != "" {
		return seen
	}
	for _, c := range w.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c
		}
	}
	if token, ok := w.Header()["X-Session"]; ok {
		b.header = token[0]
	}
	var jar []string
	for _, c := range b.cookies {
		kind := "until the browser closes"
		if c.MaxAge > 0 {
			kind = "persistent"
		}
		jar = append(jar, fmt.Sprintf("%s %s %v %v", c.Name, kind, c.SameSite, c.Secure))
	}
	slices.Sort(jar)
	return fmt.Sprintf("%d %s %q jar %q header %v %s", w.Code, w.Header().Get("Location"), w.Body, jar, b.header != "", w.Header().Get("X-Session-Expiry"))
}

// steps are what people do; a number before the path is the browser, {1} a browser's token.
var steps = strings.Fields(`
	/get /static /put /get /login /who /flash /flash /who /status /keys
	/types /show /again /show
	/struct /struct /map /map /map
	2/put 2/login 2/who 2/get
	/remove /remove /clear /keys
	/odd /odd
	/remember /keys /get /remember?off=1 /keys /login
	/deadline /shorten?to=30m /deadline /shorten?to=2h /deadline /renew /deadline
	/flush /get /late /panic /get /bad /get
	/cart/ /cart/ /get 2/cart/
	/new /flash /who /keys
	3/put 3/login 4/put 4/merge?token={3} 4/who 3/who 3/keys 4/keys
	/api/count /api/count /api/none /api/end /api/count /api/count
	/login /who 5/end /who 2/who 2/keys
	/put /logout /get /logout
`)

// play answers what is seen of h, step by step.
func play(h http.Handler) (seen []string) {
	all := map[string]*browser{}
	of := func(name string) *browser {
		if all[name] == nil {
			all[name] = &browser{cookies: map[string]*http.Cookie{}}
		}
		return all[name]
	}
	for _, step := range steps {
		name, path, _ := strings.Cut(step, "/")
		if head, rest, ok := strings.Cut(path, "{"); ok {
			token := ""
			if c := of(strings.TrimSuffix(rest, "}")).cookies["session"]; c != nil {
				token = c.Value
			}
			path = head + token
		}
		seen = append(seen, step+"\n   "+of(name).visit(h, "/"+path))
	}
	return seen
}

// TestSameTranscript: an application for scs, with one import line changed, shows people the same.
func TestSameTranscript(t *testing.T) {
	for _, x := range settings {
		t.Run(x.name, func(t *testing.T) {
			want, got := play(theirs.New(x.theirs).Handler()), play(ours.New(x.ours).Handler())
			for i := range want {
				if x.hash && behindEnd(i) {
					if want[i] == got[i] {
						t.Errorf("%s is the same: then it is no difference any more", steps[i])
					}
				} else if want[i] != got[i] {
					t.Errorf("scs:  %s\nours: %s", want[i], got[i])
				}
			}
		})
	}
}

// behindEnd: with hashed tokens scs's Iterate ends nothing, because Destroy hashes once more what is a hash already.
func behindEnd(i int) bool {
	end := slices.Index(steps, "5/end")
	return i > end && i <= end+3
}
