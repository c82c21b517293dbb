package scscompat_test

import (
	"cmp"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alexedwards/scs/v2"
	scsmem "github.com/alexedwards/scs/v2/memstore"
)

// A difference is what an application sees otherwise than with scs, and why. Each is played on both; when they
// come to agree it is no difference any more, and the test says so.
type difference struct {
	name   string
	reason string
	fields fields
	alike  bool // also on a store of scs's
	play   func(t *testing.T, m manager) string
	theirs string
	ours   string
	rows   string // on a store of scs's, if that is a third
}

// readOnly is a store whose disk is full.
type readOnly struct{ scs.Store }

func (readOnly) Commit(string, []byte, time.Time) error { return errors.New("disk full") }

type basket struct{ Items []string }

func init() { gob.Register(&basket{}) }

func attributes(line string) string {
	_, rest, _ := strings.Cut(line, ";")
	return strings.TrimSpace(rest)
}

var differences = []difference{{
	name:   "a visitor for whom nothing is stored",
	reason: "a session begins with its first value: a token for nobody costs a row for each robot that passes",
	alike:  true,
	play: func(t *testing.T, m manager) string {
		w, _ := ask(t, m, "", func(_ http.ResponseWriter, ctx context.Context) { _ = m.RenewToken(ctx) })
		return fmt.Sprint("cookies: ", len(w.Header()["Set-Cookie"]))
	},
	theirs: "cookies: 1", ours: "cookies: 0",
}, {
	name:   "Token behind RenewToken",
	reason: "the new token is made when the session is saved, in one write with the rest; Commit makes it at once",
	alike:  true,
	play: func(t *testing.T, m manager) (s string) {
		ask(t, m, begin(t, m), func(_ http.ResponseWriter, ctx context.Context) {
			_ = m.RenewToken(ctx)
			s = fmt.Sprint(m.Token(ctx) != "")
			_, _, err := m.Commit(ctx)
			s += fmt.Sprint(" and behind Commit ", m.Token(ctx) != "", err)
		})
		return s
	},
	theirs: "true and behind Commit true <nil>", ours: "false and behind Commit true <nil>",
}, {
	name:   "a value that is changed in place behind Put",
	reason: "Put encodes: what is saved does not depend on what other goroutines do to the value until then",
	alike:  true,
	play: func(t *testing.T, m manager) string {
		_, token := ask(t, m, "", func(_ http.ResponseWriter, ctx context.Context) {
			b := &basket{[]string{"tea"}}
			m.Put(ctx, "basket", b)
			b.Items = append(b.Items, "milk")
		})
		return fmt.Sprint(seen(t, m, token, "basket").(*basket).Items)
	},
	theirs: "[tea milk]", ours: "[tea]",
}, {
	name:   "a value that is changed in place and not put",
	reason: "only what is put is a change; with scs it is saved if something else is put too, or an idle limit is set",
	alike:  true,
	play: func(t *testing.T, m manager) string {
		_, token := ask(t, m, "", func(_ http.ResponseWriter, ctx context.Context) { m.Put(ctx, "basket", &basket{[]string{"tea"}}) })
		ask(t, m, token, func(_ http.ResponseWriter, ctx context.Context) {
			m.Get(ctx, "basket").(*basket).Items[0] = "milk"
			m.Put(ctx, "n", 1)
		})
		return fmt.Sprint(seen(t, m, token, "basket").(*basket).Items)
	},
	theirs: "[milk]", ours: "[tea]",
}, {
	name:   "a change behind the first byte",
	reason: "the session is saved again when the handler returns; scs drops the change without a word",
	alike:  true,
	play: func(t *testing.T, m manager) string {
		token := begin(t, m)
		ask(t, m, token, func(w http.ResponseWriter, ctx context.Context) {
			_, _ = io.WriteString(w, "page")
			m.Put(ctx, "late", "saved")
		})
		return fmt.Sprint(seen(t, m, token, "late"))
	},
	theirs: "<nil>", ours: "saved",
}, {
	name:   "RenewToken behind the first byte",
	reason: "the new token cannot be sent: the change is refused, and the event too_late tells; scs ends the session",
	alike:  true,
	play: func(t *testing.T, m manager) string {
		_, token := ask(t, m, begin(t, m), func(w http.ResponseWriter, ctx context.Context) {
			_, _ = io.WriteString(w, "page")
			_ = m.RenewToken(ctx)
		})
		return fmt.Sprint(seen(t, m, token, "message"))
	},
	theirs: "<nil>", ours: "hello",
}, {
	name:   "a request that is under way while another one logs out",
	reason: "what has ended is not brought back by whoever had it loaded",
	alike:  true,
	play: func(t *testing.T, m manager) string {
		token := begin(t, m)
		ask(t, m, token, func(_ http.ResponseWriter, ctx context.Context) {
			ask(t, m, token, func(_ http.ResponseWriter, ctx context.Context) { _ = m.Destroy(ctx) })
			m.Put(ctx, "slow", 1)
		})
		return fmt.Sprint(seen(t, m, token, "message"))
	},
	theirs: "hello", ours: "<nil>",
}, {
	name:   "a request that is under way while another one changes something else",
	reason: "each value is saved by itself, onto the session as it is then",
	alike:  true,
	play: func(t *testing.T, m manager) string {
		token := begin(t, m)
		ask(t, m, token, func(_ http.ResponseWriter, ctx context.Context) {
			ask(t, m, token, func(_ http.ResponseWriter, ctx context.Context) { m.Put(ctx, "fast", 1) })
			m.Put(ctx, "slow", 2)
		})
		return fmt.Sprint(seen(t, m, token, "fast"), seen(t, m, token, "slow"))
	},
	theirs: "<nil> 2", ours: "1 2",
}, {
	name:   "the page of a save that fails",
	reason: "a change that was not made is not reported as done: ErrorFunc answers in place of the handler",
	fields: fields{store: readOnly{scsmem.NewWithCleanupInterval(0)}},
	play: func(t *testing.T, m manager) string {
		w, _ := ask(t, m, "", func(w http.ResponseWriter, ctx context.Context) {
			m.Put(ctx, "order", 1)
			_, _ = io.WriteString(w, "Thank you for your order.")
		})
		return fmt.Sprintf("%d %q", w.Code, w.Body)
	},
	theirs: `500 "sorry\nThank you for your order."`, ours: `500 "sorry\n"`,
}, {
	name:   "the same token, sent again",
	reason: "a token is sent when it is new. The session's end is the server's to judge, so the cookie has the absolute limit",
	fields: fields{idle: time.Hour}, // on a store of scs's the cookie may be one of scs's, which ends with the idle limit
	play: func(t *testing.T, m manager) string {
		w, _ := ask(t, m, begin(t, m), func(http.ResponseWriter, context.Context) {})
		return fmt.Sprint("cookies: ", len(w.Header()["Set-Cookie"]))
	},
	theirs: "cookies: 1", ours: "cookies: 0",
}, {
	name:   "HttpOnly false",
	reason: "no script may read the token",
	fields: fields{cookie: func(k *scs.SessionCookie) { k.HttpOnly, k.Persist = false, false }},
	alike:  true,
	play:   newCookie,
	theirs: "Path=/; SameSite=Lax", ours: "Path=/; HttpOnly; SameSite=Lax",
}, {
	name:   "SameSite 0 and Path empty",
	reason: "browsers differ in what they make of no SameSite; and a cookie for each folder is a session for each folder",
	fields: fields{cookie: func(k *scs.SessionCookie) { k.SameSite, k.Path, k.Persist = 0, "", false }},
	alike:  true,
	play:   newCookie,
	theirs: "HttpOnly", ours: "Path=/; HttpOnly; SameSite=Lax",
}, {
	name:   "caches",
	reason: "no cache may keep a response with a token; and a page that asks for no session does not depend on the cookie",
	alike:  true,
	play: func(t *testing.T, m manager) string {
		w, token := ask(t, m, "", func(_ http.ResponseWriter, ctx context.Context) { m.Put(ctx, "n", 1) })
		first := w.Header().Get("Cache-Control")
		r := httptest.NewRequest("GET", "/", nil)
		r.AddCookie(&http.Cookie{Name: "session", Value: token})
		w, _ = send(m, r, token, func(http.ResponseWriter, context.Context) {})
		return fmt.Sprintf("%s, Vary %q", first, w.Header()["Vary"])
	},
	theirs: `no-cache="Set-Cookie", Vary ["Cookie"]`, ours: `no-store, Vary []`,
}, {
	name:   "two live sessions under one name",
	reason: "one of them may be planted by a sibling domain: neither is read until a Destroy ends both",
	alike:  true,
	play: func(t *testing.T, m manager) string {
		one, two := begin(t, m), begin(t, m)
		return fmt.Sprint(seen(t, m, one+"; session="+two, "message"))
	},
	theirs: "hello", ours: "<nil>",
}, {
	name:   "a form of another site",
	reason: "the browser may have kept the cookie back (SameSite): a session that began here would take the place of the person's own",
	alike:  true,
	play: func(t *testing.T, m manager) string {
		r := httptest.NewRequest("POST", "https://app.test/", nil)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		w, _ := send(m, r, "", func(_ http.ResponseWriter, ctx context.Context) { m.Put(ctx, "n", 1) })
		return fmt.Sprint("cookies: ", len(w.Header()["Set-Cookie"]))
	},
	theirs: "cookies: 1", ours: "cookies: 0",
}, {
	name:   "ten years",
	reason: "browsers keep a cookie for 400 days at most (RFC 6265bis 5.5)",
	fields: fields{lifetime: 10 * 365 * 24 * time.Hour},
	alike:  true,
	play: func(t *testing.T, m manager) (s string) {
		ask(t, m, begin(t, m), func(_ http.ResponseWriter, ctx context.Context) {
			s = time.Until(m.Deadline(ctx)).Round(time.Hour).String()
		})
		return s
	},
	theirs: "87600h0m0s", ours: "9600h0m0s",
}, {
	name:   "the token in Iterate",
	reason: "the store has no token, only what a token is judged by",
	play: func(t *testing.T, m manager) (s string) {
		begin(t, m)
		_ = m.Iterate(context.Background(), func(ctx context.Context) error {
			s = fmt.Sprint(m.GetString(ctx, "message"), " ", m.Token(ctx) != "")
			return nil
		})
		return s
	},
	theirs: "hello true", ours: "hello false",
}, {
	name:   "a type that gob does not know",
	reason: "one value that cannot be read is absent, and an event tells; with scs no page of that person works any more",
	play: func(t *testing.T, m manager) string {
		first, token := ask(t, m, "", func(_ http.ResponseWriter, ctx context.Context) {
			m.Put(ctx, "message", "hello")
			m.Put(ctx, "odd", unreadable{})
		})
		w, _ := ask(t, m, token, func(w http.ResponseWriter, ctx context.Context) {
			_, _ = fmt.Fprint(w, m.Get(ctx, "message"), m.Get(ctx, "odd"))
		})
		return fmt.Sprint(first.Code, w.Code)
	},
	theirs: "200 500", ours: "200 200", rows: "500 200", // there it is not saved
}, {
	name:   "the length of a token",
	reason: "Sojourn's has a public id and a secret. On a store of scs's it is scs's own",
	play:   func(t *testing.T, m manager) string { return fmt.Sprint(len(begin(t, m))) },
	theirs: "43", ours: "64",
}}

// unreadable encodes, and does not decode.
type unreadable struct{}

func (unreadable) GobEncode() ([]byte, error) { return []byte("x"), nil }
func (*unreadable) GobDecode(_ []byte) error  { return errors.New("not today") }

func init() { gob.Register(unreadable{}) }

func newCookie(t *testing.T, m manager) string {
	w, _ := ask(t, m, "", func(_ http.ResponseWriter, ctx context.Context) { m.Put(ctx, "n", 1) })
	return attributes(w.Header().Get("Set-Cookie"))
}

// TestDifferences plays them all.
func TestDifferences(t *testing.T) {
	for _, d := range differences {
		t.Run(d.name, func(t *testing.T) {
			if d.reason == "" {
				t.Error("a difference without a reason")
			}
			if got := d.play(t, newTheirs(d.fields)); got != d.theirs {
				t.Errorf("scs: %s, want %s: is it a difference still?", got, d.theirs)
			}
			if got := d.play(t, newOurs(d.fields)); got != d.ours {
				t.Errorf("ours: %s, want %s", got, d.ours)
			}
			want := d.theirs
			if d.alike {
				want = d.ours
			}
			want = cmp.Or(d.rows, want)
			if d.fields.store == nil {
				d.fields.store = scsmem.NewWithCleanupInterval(0)
				if got := d.play(t, newOurs(d.fields)); got != want {
					t.Errorf("on scs's store: %s, want %s", got, want)
				}
			}
		})
	}
}

// With an idle limit every request counts as use, whether or not its handler asks for the session: as with scs.
func TestIdleLimitIsTheSame(t *testing.T) {
	for name, make := range map[string]func() manager{
		"scs":  func() manager { return newTheirs(fields{idle: time.Hour}) },
		"ours": func() manager { return newOurs(fields{idle: time.Hour}) },
		"ours, remembered": func() manager {
			return newOurs(fields{idle: time.Hour, cookie: func(k *scs.SessionCookie) { k.Persist = false }})
		},
		"ours on scs's store": func() manager {
			return newOurs(fields{idle: time.Hour, store: scsmem.NewWithCleanupInterval(0)})
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := make() // scs.New starts a goroutine that never ends
			synctest.Test(t, func(t *testing.T) {
				token := begin(t, m)
				if strings.Contains(name, "remembered") {
					_, token = ask(t, m, token, func(_ http.ResponseWriter, ctx context.Context) { m.RememberMe(ctx, true) })
				}
				for range 3 {
					time.Sleep(50 * time.Minute)
					r := httptest.NewRequest("GET", "/", nil)
					r.Header.Set("Cookie", "session="+token)
					_, token = send(m, r, token, func(http.ResponseWriter, context.Context) {})
				}
				if seen(t, m, token, "message") != "hello" {
					t.Error("a session in use has ended")
				}
				time.Sleep(time.Hour + time.Second)
				if seen(t, m, token, "message") != nil {
					t.Error("an unused session lives on")
				}
			})
		})
	}
}

// A process of scs and one of ours serve the same sessions, and either may be taken back.
func TestOneStoreForBoth(t *testing.T) {
	for _, hash := range []bool{false, true} {
		store := scsmem.NewWithCleanupInterval(0)
		theirs, ours := newTheirs(fields{store: store}), newOurs(fields{store: store})
		theirs.HashTokenInStore, ours.HashTokenInStore = hash, hash
		at := []manager{theirs, ours}
		token := begin(t, theirs)
		for i := range 6 {
			m, other := at[i%2], at[1-i%2]
			_, token = ask(t, m, token, func(_ http.ResponseWriter, ctx context.Context) {
				if m.GetString(ctx, "message") != "hello" || m.GetInt(ctx, "n") != i {
					t.Errorf("request %d does not find what the other process has kept", i)
				}
				if i == 2 || i == 3 {
					_ = m.RenewToken(ctx)
				}
				m.Put(ctx, "n", i+1)
				m.Put(ctx, fmt.Sprint("list", i), []string{"a"})
			})
			if got := seen(t, other, token, "n"); got != i+1 {
				t.Errorf("the other process finds %v, want %d", got, i+1)
			}
		}
		ask(t, ours, token, func(_ http.ResponseWriter, ctx context.Context) { _ = ours.Destroy(ctx) })
		if seen(t, theirs, token, "n") != nil {
			t.Error("a session that ours has ended lives on with scs")
		}
	}
}

// What the fields say when a request comes is what counts, as with scs; a mistake in them is told at each request.
func TestFieldsMayBeSetLater(t *testing.T) {
	s := newOurs(fields{})
	h := s.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.Put(r.Context(), "n", 1) }))
	cookie := func() string {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		if w.Code != 200 {
			return fmt.Sprint(w.Code)
		}
		return w.Header().Get("Set-Cookie")
	}
	if !strings.Contains(cookie(), "Max-Age=86400;") {
		t.Error("not a day")
	}
	s.Lifetime, s.Cookie.Name = time.Hour, "other"
	if c := cookie(); !strings.Contains(c, "Max-Age=3600;") || !strings.HasPrefix(c, "other=") {
		t.Errorf("the fields were changed, and the cookie is %.60s", c)
	}
	s.Lifetime = -1
	if c := cookie(); c != "500" {
		t.Errorf("a Lifetime of -1 gives %s", c)
	}
	if _, err := s.Manager(); err == nil || !strings.Contains(err.Error(), "Lifetime") {
		t.Errorf("Manager says %v", err)
	}
	s.Lifetime = time.Hour
	if _, err := s.Manager(); err != nil {
		t.Error(err)
	}
}

// A request goes on in what it began with.
func TestFieldsChangeUnderARequest(t *testing.T) {
	s := newOurs(fields{})
	token := begin(t, s)
	ask(t, s, token, func(_ http.ResponseWriter, ctx context.Context) {
		s.Lifetime = 2 * time.Hour
		if _, err := s.Manager(); err != nil {
			t.Fatal(err)
		}
		s.Put(ctx, "n", 1)
	})
	if seen(t, s, token, "n") != 1 {
		t.Error("the change is lost")
	}
}

// scs wants time.Time registered with gob; with Native it need not be. This cannot be played here, where it is
// registered; what is kept is no gob.
func TestTimesNeedNoGob(t *testing.T) {
	m := newOurs(fields{})
	at := time.Date(2024, 2, 29, 12, 0, 0, 5, time.FixedZone("", 5*3600))
	_, token := ask(t, m, "", func(_ http.ResponseWriter, ctx context.Context) { m.Put(ctx, "at", at) })
	got, _ := seen(t, m, token, "at").(time.Time)
	if _, offset := got.Zone(); !got.Equal(at) || offset != 5*3600 {
		t.Errorf("%s came back as %s", at, got)
	}
}

// The first requests come at once, before anybody has asked for the manager: there is one.
func TestFirstRequestsAtOnce(t *testing.T) {
	s := newOurs(fields{})
	h := s.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m, err := s.Manager()
		_, _ = fmt.Fprintf(w, "%p %v", m, err)
		s.Put(r.Context(), "n", 1)
	}))
	var all sync.WaitGroup
	var pages sync.Map
	for range 50 {
		all.Go(func() {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
			pages.Store(w.Body.String(), w.Code)
		})
	}
	all.Wait()
	n := 0
	pages.Range(func(page, code any) bool {
		if n++; code != 200 || n > 1 || !strings.HasSuffix(page.(string), "<nil>") {
			t.Errorf("%d pages, and one is %v %q", n, code, page)
		}
		return true
	})
}
