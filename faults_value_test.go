package sojourn_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
)

type (
	birthday time.Time
	secret   struct{ hidden int }
	inside   struct {
		Secret secret `json:"-"`
		Day    birthday
	}
	outside struct{ Day time.Time }
)

// taken puts v and reads it in a later request, or answers that NewKey has refused.
func taken[T any](t *testing.T, s *site, v T) (got T, refused string) {
	t.Helper()
	defer func() {
		if v := recover(); v != nil {
			refused = fmt.Sprint(v)
		}
	}()
	key := sojourn.NewKey[T]("value")
	a := s.ask("POST", "", func(_ http.ResponseWriter, r *http.Request) { key.Put(r.Context(), v) })
	s.look(a.set, func(ctx context.Context) { got = key.Get(ctx) })
	return got, ""
}

// F50: NewKey takes a type as promised, or refuses it at once; nothing becomes zero on the way.
func TestF50_TypesOfWhichJSONKeepsNothing(t *testing.T) {
	onBoth(t, sojourn.Config{}, func(t *testing.T, s *site) {
		day := time.Date(1994, 12, 1, 16, 0, 0, 0, time.UTC)
		advice := func(what, refused string) {
			if refused == "" || !strings.Contains(refused, "NewCodecKey") {
				t.Errorf("%s: %q, want it refused with advice", what, refused)
			}
		}
		if got, refused := taken(t, s, birthday(day)); refused == "" && !time.Time(got).Equal(day) {
			t.Errorf("a named time comes back as %v", time.Time(got))
		}
		_, refused := taken(t, s, secret{7})
		advice("a struct without exported fields", refused)
		_, refused = taken(t, s, &secret{7})
		advice("a pointer to one", refused)
		_, refused = taken(t, s, []secret{{7}})
		advice("a list of them", refused)
		_, refused = taken(t, s, map[string]secret{"a": {7}})
		advice("a map of them", refused)
		if got, refused := taken(t, s, inside{Day: birthday(day)}); refused == "" && !time.Time(got.Day).Equal(day) {
			t.Errorf("a named time inside a struct comes back as %v", time.Time(got.Day))
		}
		if got, refused := taken(t, s, outside{Day: day}); refused != "" || !got.Day.Equal(day) {
			t.Errorf("a struct with a time: %v, %q", got, refused)
		}
		if _, refused := taken(t, s, struct{}{}); strings.Contains(refused, "nil pointer") {
			t.Errorf("an empty struct: %q", refused)
		}
	})
}

// F51: Pop removes what it returned, not its equal.
func TestF51_PopRemovesNoEqual(t *testing.T) {
	s := newSite(t, sojourn.Config{}, newGate())
	t.Run("of a list", func(t *testing.T) {
		c := s.ask("POST", "", nobody(func(ctx context.Context) { sojourn.Append(ctx, list, "Saved.") })).set
		goOn := s.during(request("POST", c), nobody(func(ctx context.Context) {
			if v := list.Pop(ctx); !slices.Equal(v, []string{"Saved."}) {
				t.Errorf("Pop: %q", v)
			}
		}))
		s.ask("POST", c, nobody(func(ctx context.Context) { list.Pop(ctx) }))
		s.ask("POST", c, nobody(func(ctx context.Context) { sojourn.Append(ctx, list, "Saved.") }))
		goOn()
		s.look(c, func(ctx context.Context) {
			if v := list.Get(ctx); !slices.Equal(v, []string{"Saved."}) {
				t.Errorf("the third's message is gone: %q", v)
			}
		})
	})
	t.Run("of what is appended to", func(t *testing.T) {
		c := s.ask("POST", "", nobody(func(ctx context.Context) { sojourn.Append(ctx, list, "Saved.") })).set
		goOn := s.during(request("POST", c), nobody(func(ctx context.Context) { list.Pop(ctx) }))
		s.ask("POST", c, nobody(func(ctx context.Context) { sojourn.Append(ctx, list, "Saved.") }))
		goOn()
		s.look(c, func(ctx context.Context) {
			if v := list.Get(ctx); !slices.Equal(v, []string{"Saved."}) {
				t.Errorf("what was appended meanwhile: %q", v)
			}
		})
	})
	t.Run("of a value", func(t *testing.T) {
		c := s.begin()
		goOn := s.during(request("POST", c), nobody(func(ctx context.Context) { name.Pop(ctx) }))
		s.ask("POST", c, nobody(func(ctx context.Context) { name.Put(ctx, "first") }))
		goOn()
		if n := s.nameOf(c); n != "first" {
			t.Errorf("an equal value that was put meanwhile is gone: %q", n)
		}
	})
	t.Run("and what it returned", func(t *testing.T) {
		c := s.begin()
		goOn := s.during(request("POST", c), nobody(func(ctx context.Context) { name.Pop(ctx) }))
		s.ask("POST", c, nobody(func(ctx context.Context) { count.Put(ctx, 1) }))
		goOn()
		if n := s.nameOf(c); n != "" {
			t.Errorf("what was popped is there: %q", n)
		}
	})
}

// F52: any number of Appends costs what they hold.
func TestF52_EightThousandAppends(t *testing.T) {
	alive := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	onBoth(t, sojourn.Config{}, func(t *testing.T, s *site) {
		for what, between := range map[string]func(ctx context.Context, i int){
			"one key":        func(context.Context, int) {},
			"and another":    func(ctx context.Context, i int) { count.Put(ctx, i) },
			"read each time": func(ctx context.Context, i int) { _ = i%100 == 0 && len(list.Get(ctx)) == 0 },
		} {
			s.ask("POST", "", nobody(func(ctx context.Context) {
				_ = s.Load(ctx)
				before := alive()
				for i := range 8000 {
					sojourn.Append(ctx, list, "a line of a log")
					between(ctx, i)
				}
				if after := alive(); after > before+16<<20 {
					t.Errorf("%s: 8,000 Appends keep %d MB alive", what, (after-before)>>20)
				}
				if n := len(list.Pop(ctx)); n != 8000 {
					t.Errorf("%s: %d are there", what, n)
				}
				count.Delete(ctx)
			}))
		}
	})
}

// told is what f panics with, "" if it does not.
func told(f func()) (s string) {
	defer func() {
		if v := recover(); v != nil {
			s = fmt.Sprint(v)
		}
	}()
	f()
	return ""
}

// F53: a call that would wait for itself says what to do.
func TestF53_CallsInsideUpdate(t *testing.T) {
	onBoth(t, sojourn.Config{}, func(t *testing.T, s *site) {
		for what, call := range map[string]func(ctx context.Context){
			"Put":          func(ctx context.Context) { name.Put(ctx, "x") },
			"Delete":       func(ctx context.Context) { name.Delete(ctx) },
			"Pop":          func(ctx context.Context) { name.Pop(ctx) },
			"Update":       func(ctx context.Context) { state.Update(ctx, func(string) string { return "" }) },
			"Append":       func(ctx context.Context) { sojourn.Append(ctx, list, "x") },
			"Commit":       func(ctx context.Context) { _ = s.Commit(ctx) },
			"Login":        func(ctx context.Context) { _ = s.Login(ctx, "bob") },
			"Logout":       func(ctx context.Context) { _ = s.Logout(ctx) },
			"Renew":        func(ctx context.Context) { _ = s.Renew(ctx) },
			"Remember":     func(ctx context.Context) { s.Remember(ctx, true) },
			"Take":         func(ctx context.Context) { _, _, _ = name.Take(ctx) },
			"RevokeAll":    func(ctx context.Context) { _ = s.RevokeAll(ctx, "bob") },
			"RevokeOthers": func(ctx context.Context) { _ = s.RevokeOthers(ctx) },
			"Revoke":       func(ctx context.Context) { _ = s.Revoke(ctx, "bob", s.Info(ctx).ID) },
		} {
			if s.sealed && (what == "Take" || what == "Revoke") {
				continue
			}
			c := s.beginAs("bob")
			a := s.ask("POST", c, nobody(func(ctx context.Context) {
				text := told(func() { count.Update(ctx, func(n int) int { call(ctx); return n + 1 }) })
				if !strings.Contains(text, "Update") {
					t.Errorf("%s inside Update: %q, want a panic that says what to do", what, text)
				}
				count.Update(ctx, plusOne) // the session is nobody's prisoner
			}))
			if c = a.or(c); a.code != 200 || s.countOf(c) != 1 {
				t.Errorf("%s: the request goes on with %d, and counts %d", what, a.code, s.countOf(c))
			}
		}
	})
}

// F53: at a replay too, and the requests that wait in line go on.
func TestF53_CommitInsideUpdateAtAReplay(t *testing.T) {
	s := newSite(t, sojourn.Config{}, newGate())
	c := s.begin()
	goOn := s.during(request("POST", c), func(w http.ResponseWriter, r *http.Request) {
		ran := 0
		text := told(func() {
			count.Update(r.Context(), func(n int) int {
				if ran++; ran > 1 {
					_ = s.Commit(r.Context())
				}
				return n + 1
			})
			_ = s.Commit(r.Context())
		})
		if !strings.Contains(text, "Update") {
			t.Errorf("%q, want a panic that says what to do", text)
		}
	})
	s.ask("POST", c, nobody(func(ctx context.Context) { count.Put(ctx, 10) }))
	goOn()
	if a := s.ask("POST", c, nobody(func(ctx context.Context) { count.Update(ctx, plusOne) })); a.code != 200 || s.countOf(c) != 11 {
		t.Errorf("the next request: %d, and counts %d", a.code, s.countOf(c))
	}
}

// F53: what only reads may be called inside Update, and another goroutine may change the session meanwhile.
func TestF53_ReadsInsideUpdate(t *testing.T) {
	onBoth(t, sojourn.Config{}, func(t *testing.T, s *site) {
		c := s.ask("POST", "", func(w http.ResponseWriter, r *http.Request) { putName(w, r); s.login("bob")(w, r) }).set
		a := s.ask("POST", c, nobody(func(ctx context.Context) {
			count.Update(ctx, func(n int) int {
				if n, o := name.Get(ctx), s.Info(ctx).Owner; n != "gopher" || o != "bob" || s.Load(ctx) != nil {
					t.Errorf("inside Update, the session is %q's and says %q", o, n)
				}
				return n + 1
			})
			inside, put, once := make(chan struct{}), make(chan struct{}), false
			go func() {
				<-inside
				state.Put(ctx, "another's")
				close(put)
			}()
			count.Update(ctx, func(n int) int {
				if !once {
					once = true
					close(inside)
					<-put
				}
				return n + 1
			})
		}))
		s.look(a.or(c), func(ctx context.Context) {
			if count.Get(ctx) != 2 || state.Get(ctx) != "another's" {
				t.Errorf("count %d, state %q", count.Get(ctx), state.Get(ctx))
			}
		})
	})
}

// F53: OnEvent may read the session that it is told of, and not commit it.
func TestF53_CommitInsideOnEvent(t *testing.T) {
	var s *site
	var text, read string
	cfg := sojourn.Config{OnEvent: func(ctx context.Context, e sojourn.Event) {
		if e.Name == sojourn.EventCreated {
			read = name.Get(ctx)
			text = told(func() { _ = s.Commit(ctx) })
		}
	}}
	s = newSite(t, cfg, newGate())
	if a := s.ask("POST", "", putName); a.set == "" || read != "gopher" || !strings.Contains(text, "OnEvent") {
		t.Errorf("cookie %q; OnEvent reads %q, and its Commit says %q", a.set, read, text)
	}
}

// inPlace is a codec that decrypts where the bytes are.
type inPlace struct{}

func (inPlace) Encode(v string) ([]byte, error) { return turned([]byte(v)), nil }
func (inPlace) Decode(b []byte) (string, error) { return string(turned(b)), nil }

func turned(b []byte) []byte {
	for i := range b {
		b[i] ^= 0x55
	}
	return b
}

// F54: what a store holds is not handed out for writing.
func TestF54_CodecThatDecryptsInPlace(t *testing.T) {
	key := sojourn.NewCodecKey("in place", sojourn.Codec[string](inPlace{}))
	onBoth(t, sojourn.Config{}, func(t *testing.T, s *site) {
		c := s.ask("POST", "", nobody(func(ctx context.Context) {
			key.Put(ctx, "secret")
			if a, b := key.Get(ctx), key.Get(ctx); a != "secret" || b != "secret" {
				t.Errorf("in the request that put it: %q, then %q", a, b)
			}
		})).set
		for range 2 {
			s.look(c, func(ctx context.Context) {
				if a, b := key.Get(ctx), key.Get(ctx); a != "secret" || b != "secret" {
					t.Errorf("later: %q, then %q", a, b)
				}
			})
		}
		c = s.ask("POST", c, nobody(func(ctx context.Context) { key.Update(ctx, func(v string) string { return v + "!" }) })).or(c)
		s.ask("POST", c, nobody(func(ctx context.Context) {
			if v := key.Pop(ctx); v != "secret!" {
				t.Errorf("Pop: %q", v)
			}
		}))
	})
}

// F55: a zero Key gives the advice that all other misuse gets.
func TestF55_ZeroKey(t *testing.T) {
	var zero sojourn.Key[string]
	var zeroList sojourn.Key[[]string]
	s := newSite(t, sojourn.Config{}, newGate())
	s.ask("POST", "", nobody(func(ctx context.Context) {
		for what, call := range map[string]func(){
			"Get": func() { zero.Get(ctx) }, "Lookup": func() { zero.Lookup(ctx) }, "Put": func() { zero.Put(ctx, "x") },
			"Pop": func() { zero.Pop(ctx) }, "Take": func() { _, _, _ = zero.Take(ctx) }, "Delete": func() { zero.Delete(ctx) },
			"Update": func() { zero.Update(ctx, func(s string) string { return s }) }, "Append": func() { sojourn.Append(ctx, zeroList, "x") },
			"In and Get": func() { zero.In(s.Manager).Get(ctx) },
		} {
			if text := told(call); !strings.Contains(text, "NewKey") || strings.Contains(text, "nil pointer") {
				t.Errorf("%s: %q, want advice", what, text)
			}
		}
	}))
	if text := told(func() { name.Get(context.Background()) }); !strings.Contains(text, "LoadAndSave") {
		t.Errorf("without a session: %q", text)
	}
}

// F56: a Remember that changes nothing takes no other change with it.
func TestF56_VainRememberBesidePuts(t *testing.T) {
	for _, on := range []bool{false, true} {
		s := newSite(t, sojourn.Config{}, newGate())
		c := s.ask("POST", "", nobody(func(ctx context.Context) { name.Put(ctx, "first"); s.Remember(ctx, on) })).set
		a := s.ask("POST", c, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "begun")
			name.Put(r.Context(), "second")
			s.Remember(r.Context(), !on)
			s.Remember(r.Context(), on)
			count.Put(r.Context(), 1)
		})
		if n, v := s.nameOf(c), s.countOf(c); n != "second" || v != 1 || a.panics != nil {
			t.Errorf("remembered %v: the Puts are %q and %d", on, n, v)
		}
		// One that does change something is too late, and says so, whole.
		s.ask("POST", c, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "begun")
			name.Put(r.Context(), "third")
			s.Remember(r.Context(), !on)
			if err := s.Commit(r.Context()); !errors.Is(err, sojourn.ErrHeaderSent) {
				t.Errorf("Commit: %v, want ErrHeaderSent", err)
			}
		})
		if n := s.nameOf(c); n != "second" {
			t.Errorf("half of a change set is saved: %q", n)
		}
	}
}
