package sojourn_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
)

// loggedInBy fails unless whoever has the cookie of a is logged in.
func (s *site) loggedInBy(a reply, owner string) {
	s.t.Helper()
	if a.set == "" {
		s.t.Errorf("status %d, and no session cookie arrives: %v", a.code, a.header)
	} else if o := s.ownerOf(a.set); o != owner {
		s.t.Errorf("the cookie that arrives is %q's, want %q", o, owner)
	}
}

func (s *site) commit(ctx context.Context) {
	s.t.Helper()
	if err := s.Commit(ctx); err != nil {
		s.t.Errorf("Commit: %v", err)
	}
}

// F2: the token waits in the request, whatever becomes of the header map.
func TestF2_TokenSurvivesTheHeaderMap(t *testing.T) {
	changes := map[string]func(s *site, ctx context.Context){
		"Login":    func(s *site, ctx context.Context) { _ = s.Login(ctx, "bob") },
		"Renew":    func(s *site, ctx context.Context) { _ = s.Renew(ctx) },
		"Remember": func(s *site, ctx context.Context) { s.Remember(ctx, true) },
	}
	ruins := map[string]func(w http.ResponseWriter){
		"clear":         func(w http.ResponseWriter) { clear(w.Header()) },
		"Del":           func(w http.ResponseWriter) { w.Header().Del("Set-Cookie") },
		"Set":           func(w http.ResponseWriter) { w.Header().Set("Set-Cookie", "own=1") },
		"before a page": func(w http.ResponseWriter) { clear(w.Header()); _, _ = io.WriteString(w, "page") },
		"before a redirect": func(w http.ResponseWriter) {
			clear(w.Header())
			w.Header().Set("Location", "/")
			w.WriteHeader(http.StatusSeeOther)
		},
	}
	onBoth(t, sojourn.Config{}, func(t *testing.T, s *site) {
		for what, change := range changes {
			for how, ruin := range ruins {
				c := s.beginAs("bob")
				a := s.ask("POST", c, func(w http.ResponseWriter, r *http.Request) {
					change(s, r.Context())
					s.commit(r.Context())
					ruin(w)
				})
				if s.loggedInBy(a, "bob"); s.t.Failed() {
					t.Errorf("after %s, and the header was ruined by %s", what, how)
				}
			}
		}
	})
}

// F2: http.TimeoutHandler replaces the header map by what its handler has set.
func TestF2_TimeoutHandlerWithACookieOfItsOwn(t *testing.T) {
	onBoth(t, sojourn.Config{}, func(t *testing.T, s *site) {
		h := http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_ = s.Login(r.Context(), "bob")
			s.commit(r.Context())
			http.SetCookie(w, &http.Cookie{Name: "own", Value: "1"})
			_, _ = io.WriteString(w, "welcome")
		}), time.Minute, "")
		a := s.ask("POST", s.begin(), h.ServeHTTP)
		s.loggedInBy(a, "bob")
		if !strings.Contains(strings.Join(a.header["Set-Cookie"], "\n"), "own=1") {
			t.Errorf("the handler's own cookie is gone: %q", a.header["Set-Cookie"])
		}
	})
}

// F2: a token in a header, two managers in one request, a panic, and an error response.
func TestF2_TokenSurvivesOtherwise(t *testing.T) {
	login := func(s *site, w http.ResponseWriter, r *http.Request) {
		_ = s.Login(r.Context(), "bob")
		s.commit(r.Context())
		clear(w.Header())
	}
	t.Run("in a header", func(t *testing.T) {
		onBoth(t, sojourn.Config{Header: "Authorization"}, func(t *testing.T, s *site) {
			a := s.ask("POST", "", func(w http.ResponseWriter, r *http.Request) { login(s, w, r) })
			r := request("GET", "")
			r.Header.Set("Authorization", "Bearer "+a.header.Get("Session-Token"))
			owner := ""
			serve(s.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { owner = s.Info(r.Context()).Owner })), r)
			if owner != "bob" {
				t.Errorf("the token that arrives, %q, is %q's", a.header.Get("Session-Token"), owner)
			}
		})
	})
	t.Run("of two managers", func(t *testing.T) {
		onBoth(t, sojourn.Config{}, func(t *testing.T, s *site) {
			outer := newSite(t, sojourn.Config{Cookie: sojourn.Cookie{Name: "__Host-outer"}}, newGate())
			h := outer.LoadAndSave(s.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				name.In(outer.Manager).Put(r.Context(), "x")
				outer.commit(r.Context())
				login(s, w, r)
			})))
			a := serve(h, request("POST", ""))
			s.loggedInBy(a, "bob")
			if !strings.Contains(strings.Join(a.header["Set-Cookie"], "\n"), "__Host-outer=") {
				t.Errorf("the outer one's cookie is gone: %q", a.header["Set-Cookie"])
			}
		})
	})
	t.Run("a panic", func(t *testing.T) {
		onBoth(t, sojourn.Config{}, func(t *testing.T, s *site) {
			inner := s.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				login(s, w, r)
				panic("the application's")
			}))
			a := serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				defer func() {
					_ = recover()
					w.WriteHeader(http.StatusInternalServerError)
				}()
				inner.ServeHTTP(w, r)
			}), request("POST", ""))
			if a.code != 500 {
				t.Errorf("status %d", a.code)
			}
			s.loggedInBy(a, "bob")
		})
	})
	t.Run("an error response", func(t *testing.T) {
		cfg := sojourn.Config{ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			w.Header().Set("Set-Cookie", "own=1")
			w.Header().Del("Cache-Control")
			w.WriteHeader(http.StatusServiceUnavailable)
		}}
		s := newSite(t, cfg, newGate())
		a := s.ask("POST", "", func(w http.ResponseWriter, r *http.Request) {
			login(s, w, r)
			name.Put(r.Context(), "x")
			s.gate.set(down(writes, errFire))
		})
		s.gate.set(nil)
		if a.code != 503 || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("status %d, %v", a.code, a.header)
		}
		s.loggedInBy(a, "bob")
	})
}

// F6: what the handler added goes, what was there before it stays.
func TestF6_ErrorResponseHasTheOuterHeadersAlone(t *testing.T) {
	of := map[string]string{"Refresh": "0; url=/done", "Location": "/done", "Link": "</done>; rel=preload", "Clear-Site-Data": `"*"`,
		"Content-Length": "7", "Etag": `"1"`, "X-Outer": "changed", "Set-Cookie": "own=1"}
	changed := func(w http.ResponseWriter) {
		for k, v := range of {
			w.Header().Set(k, v)
		}
		w.Header().Del("Content-Encoding")
	}
	check := func(t *testing.T, a reply) {
		t.Helper()
		want := http.Header{"Content-Encoding": {"gzip"}, "X-Outer": {"as it was"}}
		got := maps.Clone(a.header)
		for _, own := range []string{"Cache-Control", "Vary", "Content-Type", "X-Content-Type-Options"} {
			delete(got, own)
		}
		if a.code != 503 || !maps.EqualFunc(got, want, func(a, b []string) bool { return strings.Join(a, "|") == strings.Join(b, "|") }) {
			t.Errorf("status %d with %v\nwant 503 with %v", a.code, got, want)
		}
		if a.header.Get("Cache-Control") != "no-store" {
			t.Error("a refusal may be cached")
		}
	}
	outer := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Header().Set("X-Outer", "as it was")
			h.ServeHTTP(w, r)
		})
	}
	t.Run("save", func(t *testing.T) {
		s := newSite(t, sojourn.Config{}, newGate())
		r := request("POST", s.begin())
		check(t, serve(outer(s.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			name.Put(r.Context(), "x")
			s.gate.set(down(writes, errFire))
			changed(w)
		}))), r))
	})
	t.Run("lazy load", func(t *testing.T) {
		onBoth(t, sojourn.Config{}, func(t *testing.T, s *site) {
			r := request("GET", s.beginAs("bob"))
			s.gate.set(down(everything, errFire))
			check(t, serve(outer(s.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				changed(w)
				name.Get(r.Context())
				_, _ = io.WriteString(w, "page")
			}))), r))
		})
	})
	t.Run("of the manager inside", func(t *testing.T) {
		s := newSite(t, sojourn.Config{}, newGate())
		around := newSite(t, sojourn.Config{Cookie: sojourn.Cookie{Name: "__Host-outer"}}, newGate())
		r := request("POST", s.begin())
		check(t, serve(outer(around.LoadAndSave(s.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			name.Put(r.Context(), "x")
			s.gate.set(down(writes, errFire))
			changed(w)
		})))), r))
	})
}

// F6: what is refused is refused at every door of the writer.
func TestF6_HandlerWritesNothingAfterARefusal(t *testing.T) {
	doors := map[string]func(w http.ResponseWriter) error{
		"Write":       func(w http.ResponseWriter) error { _, err := w.Write([]byte("page")); return err },
		"WriteString": func(w http.ResponseWriter) error { _, err := io.WriteString(w, "page"); return err },
		"Copy":        func(w http.ResponseWriter) error { _, err := io.Copy(w, strings.NewReader("page")); return err },
		"Flush":       func(w http.ResponseWriter) error { return http.NewResponseController(w).Flush() },
		"Hijack":      func(w http.ResponseWriter) error { _, _, err := http.NewResponseController(w).Hijack(); return err },
	}
	for first, door := range doors {
		s := newSite(t, sojourn.Config{}, newGate())
		c := s.begin()
		server := httptest.NewServer(s.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			name.Put(r.Context(), "x")
			s.gate.set(down(writes, errFire))
			if err := door(w); err == nil || errors.Is(err, http.ErrNotSupported) {
				t.Errorf("%s, which has to commit: %v", first, err)
			}
			for next, door := range doors {
				if err := door(w); err == nil {
					t.Errorf("%s succeeds after %s was refused", next, first)
				}
			}
			w.WriteHeader(http.StatusOK)
		})))
		r, _ := http.NewRequest("POST", server.URL, nil)
		r.Header.Set("Cookie", c)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if a := (reply{}).of(res); a.code != 503 || strings.Contains(a.body, "page") {
			t.Errorf("%s: %d %q", first, a.code, a.body)
		}
		res.Body.Close()
		server.Close()
	}
}

// F8: a token is in no cache, whatever header rules there.
func TestF8_NoCacheKeepsAToken(t *testing.T) {
	onBoth(t, sojourn.Config{}, func(t *testing.T, s *site) {
		cached := func(w http.ResponseWriter) {
			for _, h := range []string{"CDN-Cache-Control", "Cloudflare-CDN-Cache-Control", "Vercel-CDN-Cache-Control", "Netlify-CDN-Cache-Control",
				"Surrogate-Control", "Cache-Control", "X-Accel-Expires"} {
				w.Header().Set(h, "public, max-age=600")
			}
			w.Header().Set("Expires", "Thu, 01 Dec 2994 16:00:00 GMT")
			w.Header()["cdn-cache-control"] = []string{"public"} // as an application may write it
		}
		c := s.beginAs("bob")
		for what, h := range map[string]http.HandlerFunc{
			"login": func(w http.ResponseWriter, r *http.Request) { _ = s.Login(r.Context(), "bob"); cached(w) },
			"early": func(w http.ResponseWriter, r *http.Request) {
				_ = s.Login(r.Context(), "bob")
				s.commit(r.Context())
				cached(w)
			},
			"flush": func(w http.ResponseWriter, r *http.Request) {
				_ = s.Login(r.Context(), "bob")
				cached(w)
				w.(http.Flusher).Flush()
			},
			"logout": func(w http.ResponseWriter, r *http.Request) { _ = s.Logout(r.Context()); cached(w) },
		} {
			a := s.ask("POST", c, h)
			c = a.or(c)
			for h, v := range a.header {
				if text := strings.Join(v, ","); strings.Contains(text, "public") || strings.Contains(text, "2994") {
					t.Errorf("%s: a response with Set-Cookie has %s: %s", what, h, text)
				}
			}
			if a.header.Get("Cache-Control") != "no-store" || a.header["Set-Cookie"] == nil {
				t.Errorf("%s: %v", what, a.header)
			}
			if c == "" || s.ownerOf(c) == "" {
				c = s.beginAs("bob")
			}
		}
	})
}
