package sojourn_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sealed"
)

// oldApp is what an application used before: a table of sessions, and servers of the old version that read
// it and write it back whole, as scs does.
type oldApp struct {
	keep time.Duration
	wait func() // before and after each look at the table

	mu       sync.Mutex
	rows     map[string]string // token to owner
	err      error             // of Load
	endErr   error
	onEnd    func()        // when a session has been ended
	lifetime time.Duration // 0: not known
}

func newOldApp() *oldApp {
	return &oldApp{rows: map[string]string{}, wait: func() {}, lifetime: 24 * time.Hour}
}

func (o *oldApp) Cookie() http.Cookie { return http.Cookie{Name: "session", Path: "/", HttpOnly: true} }

func (o *oldApp) Shown(r *http.Request) (all []string) {
	for _, c := range r.CookiesNamed("session") {
		all = append(all, c.Value)
	}
	return all
}

func (o *oldApp) row(token string) (string, bool) {
	o.wait()
	defer o.wait()
	o.mu.Lock()
	defer o.mu.Unlock()
	owner, ok := o.rows[token]
	return owner, ok
}

func (o *oldApp) set(token, owner string) {
	o.wait()
	defer o.wait()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.rows[token] = owner; owner == "" {
		delete(o.rows, token)
	}
}

func (o *oldApp) fail(load, end error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.err, o.endErr = load, end
}

func (o *oldApp) Load(_ context.Context, _ *http.Request, token string) (l sojourn.LegacySession, err error) {
	owner, ok := o.row(token)
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.err != nil:
		return l, o.err
	case !ok:
		return l, sojourn.ErrNotFound
	case owner == "nobody":
		owner = ""
	}
	return sojourn.LegacySession{Owner: owner, KeepFor: o.keep, MaxAge: o.lifetime,
		Values: []sojourn.Entry{name.Entry("of " + token)}, Ends: time.Now().Add(12 * time.Hour)}, nil
}

func (o *oldApp) End(_ context.Context, token string) error {
	o.mu.Lock()
	err, done := o.endErr, o.onEnd
	o.mu.Unlock()
	if err == nil {
		o.set(token, "")
	}
	if done != nil {
		done()
	}
	return err
}

// A jar is what a browser keeps.
type jar struct {
	mu      sync.Mutex
	cookies map[string]string
	had     map[string]bool // every cookie it ever had, as it is sent
}

func newJar(old string) *jar {
	return &jar{cookies: map[string]string{"session": old}, had: map[string]bool{"session=" + old: true}}
}

func (j *jar) line() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	var all []string
	for name, value := range j.cookies {
		all = append(all, name+"="+value)
	}
	return strings.Join(all, "; ")
}

func (j *jar) take(h http.Header) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, line := range h["Set-Cookie"] {
		c, err := http.ParseSetCookie(line)
		if err != nil {
			panic(err)
		}
		if c.Value == "" || c.MaxAge < 0 {
			delete(j.cookies, c.Name)
			continue
		}
		j.cookies[c.Name] = c.Value
		j.had[c.Name+"="+c.Value] = true
	}
}

// moving is an application that has moved, with its events.
type moving struct {
	*sojourn.Manager
	old    *oldApp
	store  sojourn.Store
	mu     sync.Mutex
	events []string
}

func newMoving(t testing.TB, old *oldApp, store sojourn.Store, cfg sojourn.Config) *moving {
	t.Helper()
	a := &moving{old: old, store: store}
	cfg.Legacy = old
	cfg.OnEvent = func(_ context.Context, e sojourn.Event) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.events = append(a.events, strings.TrimSuffix(string(e.Name)+" "+e.Reason, " "))
	}
	var err error
	if store == nil {
		ring, ringErr := sealed.New([]string{sealed.GenerateKey()}, sealed.Options{})
		if ringErr != nil {
			t.Fatal(ringErr)
		}
		a.Manager, err = sojourn.NewSealed(ring, cfg)
	} else {
		a.Manager, err = sojourn.New(store, cfg)
	}
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (a *moving) told() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := strings.Join(a.events, ", ")
	a.events = nil
	return all
}

// send answers the owner that a request with these cookies saw, "" for nobody; -1 of a status that is not 200.
func (a *moving) send(method, cookies string, h func(ctx context.Context)) (owner string, res *httptest.ResponseRecorder) {
	r := httptest.NewRequest(method, "https://sojourn.test/", nil)
	if cookies != "" {
		r.Header.Set("Cookie", cookies)
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	w := httptest.NewRecorder()
	a.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		owner = a.Info(r.Context()).Owner
		if h != nil {
			h(r.Context())
		}
	})).ServeHTTP(w, r)
	return owner, w
}

func (a *moving) visit(j *jar) string {
	owner, res := a.send("GET", j.line(), nil)
	j.take(res.Header())
	return owner
}

// kept runs the story on both kinds of keeper, and with values encrypted at rest.
func kept(t *testing.T, keep time.Duration, story func(t *testing.T, a *moving, j *jar)) {
	for _, kind := range []string{"store", "store, encrypted", "sealed"} {
		t.Run(kind, func(t *testing.T) {
			old := newOldApp()
			old.keep = keep
			old.rows["tok"] = "alice"
			var store sojourn.Store
			if kind != "sealed" {
				store = memstore.New()
			}
			story(t, newMoving(t, old, store, sojourn.Config{EncryptAtRest: kind == "store, encrypted"}), newJar("tok"))
		})
	}
}

// The old token gets the same session until its new token is shown; then the old one is over.
func TestMovingIn(t *testing.T) {
	kept(t, 0, func(t *testing.T, a *moving, j *jar) {
		if owner, _ := a.send("GET", "session=tok", func(ctx context.Context) {
			if got := name.Get(ctx); got != "of tok" {
				t.Errorf("the value is %q", got)
			}
		}); owner != "alice" || a.old.rows["tok"] != "alice" { // the answer is lost
			t.Fatalf("the first request saw %q", owner)
		}
		if owner := a.visit(j); owner != "alice" || len(j.cookies) != 2 {
			t.Fatalf("the second request saw %q, and the browser has %d cookies", owner, len(j.cookies))
		}
		if owner := a.visit(j); owner != "alice" || a.old.rows["tok"] != "" || j.cookies["session"] != "" {
			t.Fatalf("the new token: %q, and the old session is %q, its cookie %q", owner, a.old.rows["tok"], j.cookies["session"])
		}
		if owner := a.visit(j); owner != "alice" {
			t.Fatalf("afterwards: %q", owner)
		}
		want := "session_moved_in moved, session_moved_in again, session_moved_in settled"
		if a.store == nil {
			want = "session_moved_in moved, session_moved_in moved, session_moved_in settled"
		}
		if got := a.told(); got != want {
			t.Errorf("events: %s", got)
		}
		a.old.set("tok", "alice") // a server of the old version writes it back
		if owner, res := a.send("GET", "session=tok", nil); a.store != nil && (owner != "" || strings.Contains(res.Header().Get("Set-Cookie"), "__Host")) {
			t.Errorf("the old token after the move: %q, %q", owner, res.Header())
		}
	})
}

func TestMovingInAtAPost(t *testing.T) {
	kept(t, 0, func(t *testing.T, a *moving, j *jar) {
		owner, res := a.send("POST", j.line(), func(ctx context.Context) { count.Put(ctx, 7) })
		j.take(res.Header())
		if owner != "alice" || res.Code != 200 {
			t.Fatalf("%q, %d", owner, res.Code)
		}
		a.send("GET", j.line(), func(ctx context.Context) {
			if count.Get(ctx) != 7 || name.Get(ctx) != "of tok" {
				t.Errorf("%d, %q", count.Get(ctx), name.Get(ctx))
			}
		})
	})
}

// Logout ends both, at once, at whatever stage of the move.
func TestLogoutEndsTheOldSessionToo(t *testing.T) {
	for _, keep := range []time.Duration{0, time.Hour} {
		for before := range 3 {
			t.Run(fmt.Sprintf("kept for %v, request %d", keep, before+1), func(t *testing.T) {
				kept(t, keep, func(t *testing.T, a *moving, j *jar) {
					for range before {
						a.visit(j)
					}
					_, res := a.send("POST", j.line(), func(ctx context.Context) { _ = a.Logout(ctx) })
					j.take(res.Header())
					if res.Code != 200 || len(j.cookies) != 0 || a.old.rows["tok"] != "" {
						t.Fatalf("%d, %v, the old session is %q", res.Code, j.cookies, a.old.rows["tok"])
					}
					if a.store == nil {
						return // a copy of a seal lives on
					}
					for line := range j.had {
						if owner, _ := a.send("GET", line, nil); owner != "" {
							t.Errorf("%.20s: %q is logged in after the logout", line, owner)
						}
					}
					a.old.set("tok", "alice")
					if owner, _ := a.send("GET", "session=tok", nil); owner != "" {
						t.Errorf("the old token, written back: %q", owner)
					}
				})
			})
		}
	}
}

// A logout that cannot end the old session ends nothing, and says so.
func TestLogoutWhileTheOldStoreIsAway(t *testing.T) {
	kept(t, time.Hour, func(t *testing.T, a *moving, j *jar) {
		a.visit(j)
		a.old.fail(nil, errFire)
		_, res := a.send("POST", j.line(), func(ctx context.Context) { _ = a.Logout(ctx) })
		if res.Code != 503 {
			t.Errorf("the logout answered %d", res.Code)
		}
		a.old.fail(nil, nil)
		if owner := a.visit(j); owner != "alice" {
			t.Errorf("afterwards: %q", owner)
		}
	})
}

// An old store that cannot answer is never 'nobody is logged in'.
func TestOldStoreAway(t *testing.T) {
	kept(t, time.Hour, func(t *testing.T, a *moving, j *jar) {
		for range 2 { // before the move, and while the old session is kept
			a.old.fail(errFire, nil)
			owner, res := a.send("POST", j.line(), func(context.Context) { t.Error("the handler runs") })
			if owner != "" || res.Code != 503 || res.Header()["Set-Cookie"] != nil {
				t.Errorf("%q, %d, %v", owner, res.Code, res.Header())
			}
			a.old.fail(nil, nil)
			if owner := a.visit(j); owner != "alice" {
				t.Errorf("afterwards: %q", owner)
			}
		}
	})
}

// While the old session is kept, a logout on an old server is one here; and a login there, under another
// token, is one here too.
func TestOldServersRunOn(t *testing.T) {
	kept(t, time.Hour, func(t *testing.T, a *moving, j *jar) {
		a.visit(j)
		if owner := a.visit(j); owner != "alice" || a.old.rows["tok"] != "alice" || j.cookies["session"] != "tok" {
			t.Fatalf("%q, and the old session is %q", owner, a.old.rows["tok"])
		}
		a.old.set("other", "mallory") // planted beside ours
		planted := strings.Replace(j.line(), "session=tok", "session=other", 1)
		if owner, _ := a.send("GET", planted, nil); owner != "alice" {
			t.Errorf("a planted old cookie made %q of it", owner)
		}
		a.old.set("tok", "")
		a.old.set("tok2", "alice")
		j.cookies["session"] = "tok2" // the old server has renewed it
		if owner := a.visit(j); owner != "alice" {
			t.Errorf("after a renewal by an old server: %q", owner)
		}
		a.old.set("tok2", "")
		delete(j.cookies, "session")
		if owner := a.visit(j); owner != "" {
			t.Errorf("after a logout on an old server: %q", owner)
		}
	})
}

// Nobody who knows the old token has a part in what is logged in under the new one.
func TestLoginEndsTheOldToken(t *testing.T) {
	for _, do := range []string{"login", "renew", "remember"} {
		t.Run(do, func(t *testing.T) {
			kept(t, time.Hour, func(t *testing.T, a *moving, j *jar) {
				a.old.rows["tok"] = "nobody" // a visitor with a cart
				_, res := a.send("POST", j.line(), func(ctx context.Context) {
					switch do {
					case "login":
						_ = a.Login(ctx, "alice")
					case "renew":
						_ = a.Renew(ctx)
					case "remember":
						a.Remember(ctx, true)
					}
				})
				if j.take(res.Header()); res.Code != 200 || j.cookies["session"] != "" || a.old.rows["tok"] != "" {
					t.Fatalf("%d, %v, the old session is %q", res.Code, j.cookies, a.old.rows["tok"])
				}
				got := ""
				owner, _ := a.send("GET", j.line(), func(ctx context.Context) { got = name.Get(ctx) })
				if got != "of tok" || (owner == "alice") != (do == "login") {
					t.Errorf("%q with %q", owner, got)
				}
				a.old.set("tok", "nobody")
				a.send("GET", "session=tok", func(ctx context.Context) {
					if a.store != nil && name.Get(ctx) != "" {
						t.Errorf("the old token reads %q", name.Get(ctx))
					}
				})
			})
		})
	}
}

// The old session's owner was logged out everywhere, here, before the browser came by.
func TestRevokedBeforeTheMove(t *testing.T) {
	old := newOldApp()
	old.rows["tok"] = "alice"
	a := newMoving(t, old, memstore.New(), sojourn.Config{})
	if err := a.RevokeAll(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	if owner, res := a.send("GET", "session=tok", nil); owner != "" || res.Code != 200 || old.rows["tok"] != "" {
		t.Errorf("%q, %d, the old session is %q", owner, res.Code, old.rows["tok"])
	}
	if got := a.told(); got != "session_expired revoked, session_moved_in revoked" {
		t.Errorf("events: %s", got)
	}
}

// A session that is ended from a list of devices does not move in again.
func TestRevokedWhileTheOldOneIsKept(t *testing.T) {
	old := newOldApp()
	old.keep, old.rows["tok"] = time.Hour, "alice"
	a := newMoving(t, old, memstore.New(), sojourn.Config{})
	j := newJar("tok")
	a.visit(j)
	for i, err := range a.List(t.Context(), "alice") {
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Revoke(t.Context(), "alice", i.ID); err != nil {
			t.Fatal(err)
		}
	}
	if owner := a.visit(j); owner != "" || len(j.cookies) > 1 {
		t.Errorf("%q, %v", owner, j.cookies)
	}
	if err := a.RevokeAll(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	if owner := a.visit(j); owner != "" {
		t.Errorf("after RevokeAll: %q", owner)
	}
}

// A form of another site does not get in by a cookie whose successor the browser has held back.
func TestMovingInAcrossSites(t *testing.T) {
	kept(t, 0, func(t *testing.T, a *moving, _ *jar) {
		r := httptest.NewRequest("POST", "https://sojourn.test/", nil)
		r.Header.Set("Cookie", "session=tok")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		a.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if owner := a.Info(r.Context()).Owner; owner != "" {
				t.Errorf("another site's form is %q", owner)
			}
		})).ServeHTTP(httptest.NewRecorder(), r)
		if got := a.told(); got != "session_moved_in cross_site" {
			t.Errorf("events: %s", got)
		}
	})
}

// Of two old sessions neither is taken: one may have been planted.
func TestTwoOldSessions(t *testing.T) {
	kept(t, 0, func(t *testing.T, a *moving, _ *jar) {
		a.old.rows["planted"] = "mallory"
		if owner, _ := a.send("GET", "session=planted; session=tok", nil); owner != "" {
			t.Errorf("%q was taken", owner)
		}
		if owner, _ := a.send("GET", "session=gone; session=tok", nil); owner != "alice" {
			t.Errorf("beside one that is over: %q", owner)
		}
		_, res := a.send("POST", "session=planted; session=tok", func(ctx context.Context) { _ = a.Logout(ctx) })
		if len(a.old.rows) != 0 || res.Code != 200 {
			t.Errorf("a logout leaves %v", a.old.rows)
		}
	})
}

// What comes too late to send a token reads the session all the same; the next response has it.
func TestMovingInAfterTheHeader(t *testing.T) {
	a := newMoving(t, newOldApp(), memstore.New(), sojourn.Config{})
	a.old.rows["tok"] = "alice"
	r := httptest.NewRequest("GET", "https://sojourn.test/", nil)
	r.Header.Set("Cookie", "session=tok")
	w := httptest.NewRecorder()
	a.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte("early"))
		if owner := a.Info(r.Context()).Owner; owner != "alice" {
			t.Errorf("saw %q", owner)
		}
		count.Put(r.Context(), 3)
	})).ServeHTTP(w, r)
	j := newJar("tok")
	a.visit(j)
	a.send("GET", j.line(), func(ctx context.Context) {
		if count.Get(ctx) != 3 || a.Info(ctx).Owner != "alice" {
			t.Errorf("%d, %q", count.Get(ctx), a.Info(ctx).Owner)
		}
	})
}

// A token that a login has replaced meanwhile is not handed out any more: it would take the newer one's place.
func TestLateResponseOfAMove(t *testing.T) {
	a := newMoving(t, newOldApp(), memstore.New(), sojourn.Config{})
	a.old.rows["tok"] = "nobody"
	j := newJar("tok")
	_, late := a.send("GET", j.line(), func(context.Context) {
		a.visit(j)
		_, res := a.send("POST", j.line(), func(ctx context.Context) { _ = a.Login(ctx, "alice") })
		j.take(res.Header())
	})
	j.take(late.Header())
	if owner := a.visit(j); owner != "alice" {
		t.Errorf("the late response left %q", owner)
	}
}

func TestOldSessionThatCannotBeRead(t *testing.T) {
	kept(t, 0, func(t *testing.T, a *moving, _ *jar) {
		a.old.fail(fmt.Errorf("%w: of a type that is not registered", sojourn.ErrLegacyUnreadable), nil)
		if owner, res := a.send("GET", "session=tok", nil); owner != "" || res.Code != 200 {
			t.Errorf("%q, %d", owner, res.Code)
		}
		if got := a.told(); got != "session_unreadable legacy, session_moved_in unknown" {
			t.Errorf("events: %s", got)
		}
	})
}

// An owner that no store would take is the reader's to repair. It is no outage: the visitor is nobody meanwhile,
// and the old session stays.
func TestOldOwnerThatDoesNotFit(t *testing.T) {
	for _, owner := range []string{strings.Repeat("o", 256), "\xff"} {
		kept(t, 0, func(t *testing.T, a *moving, j *jar) {
			a.old.set("tok", owner)
			for range 2 {
				if seen, res := a.send("GET", j.line(), nil); seen != "" || res.Code != 200 || len(res.Result().Cookies()) != 0 {
					t.Errorf("%q, %d %v", seen, res.Code, res.Header())
				}
				if got := a.told(); got != "session_unreadable legacy, session_moved_in unknown" {
					t.Errorf("events: %s", got)
				}
			}
			a.old.set("tok", "alice")
			if seen := a.visit(j); seen != "alice" {
				t.Errorf("when it has been repaired: %q", seen)
			}
		})
	}
}

func TestLegacyConfig(t *testing.T) {
	_, err := sojourn.New(memstore.New(), sojourn.Config{Legacy: newOldApp(), Header: "Authorization"})
	if err == nil || !strings.Contains(err.Error(), "Legacy") {
		t.Errorf("with Header: %v", err)
	}
}

// The answer that expires the old cookie is lost: the next one says it again.
func TestOldCookieIsForgottenAtLast(t *testing.T) {
	kept(t, 0, func(t *testing.T, a *moving, j *jar) {
		a.visit(j)
		a.send("GET", j.line(), nil) // lost
		for range 2 {
			if owner := a.visit(j); owner != "alice" {
				t.Errorf("%q", owner)
			}
		}
		if j.cookies["session"] != "" {
			t.Error("the browser still has the old cookie")
		}
	})
}

// refusingStore refuses updates while it is told to.
type refusingStore struct {
	*memstore.Store
	refuse *bool
}

func (s refusingStore) Update(ctx context.Context, r sojourn.Record, version uint64) error {
	if *s.refuse {
		return fmt.Errorf("read-only: %w", sojourn.ErrRefused)
	}
	return s.Store.Update(ctx, r, version)
}

// The old session has been ended, and that could not be noted: what ended it was no logout.
func TestSettlingIsCutShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old, refuse := newOldApp(), false
		old.keep, old.rows["tok"] = time.Minute, "alice"
		a := newMoving(t, old, refusingStore{memstore.New(), &refuse}, sojourn.Config{})
		j := newJar("tok")
		a.visit(j)
		a.visit(j)
		time.Sleep(2 * time.Minute)
		refuse = true
		for range 2 {
			if owner := a.visit(j); owner != "alice" || old.rows["tok"] != "" {
				t.Errorf("%q, the old session is %q", owner, old.rows["tok"])
			}
		}
		refuse = false
		a.told()
		a.visit(j)
		if owner := a.visit(j); owner != "alice" || a.told() != "session_moved_in settled" {
			t.Errorf("afterwards: %q", owner)
		}
	})
}

// When the old servers are gone, who shows the old token alone is not the browser that has shown the new one.
func TestOldTokenAfterItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old := newOldApp()
		old.keep, old.rows["tok"] = time.Minute, "alice"
		a := newMoving(t, old, memstore.New(), sojourn.Config{})
		j := newJar("tok")
		a.visit(j)
		a.visit(j)
		time.Sleep(2 * time.Minute)
		if owner, _ := a.send("GET", "session=tok", nil); owner != "" {
			t.Errorf("the old token is good for %q", owner)
		}
		if owner := a.visit(j); owner != "alice" {
			t.Errorf("the new one is good for %q", owner)
		}
		old.rows["lost"] = "bob" // the answer with the new token never arrives
		a.send("GET", "session=lost", nil)
		time.Sleep(2 * time.Minute)
		if owner, _ := a.send("GET", "session=lost", nil); owner != "bob" {
			t.Errorf("an old token whose successor nobody has: %q", owner)
		}
	})
}

// betweenStore does something once, right before a session is made.
type betweenStore struct {
	*memstore.Store
	before *func()
}

func (s betweenStore) Create(ctx context.Context, r sojourn.Record) error {
	if f := *s.before; f != nil {
		*s.before = nil
		f()
	}
	return s.Store.Create(ctx, r)
}

// What was ended between the look at the old session and the new one's being written stays ended.
func TestMoveStandsOnlyWhileTheOldSessionDoes(t *testing.T) {
	for what, do := range map[string]func(a *moving, j *jar){
		"moved in and logged out": func(a *moving, j *jar) {
			a.visit(j)
			a.send("POST", j.line(), func(ctx context.Context) { _ = a.Logout(ctx) })
			a.old.set("tok", "alice") // as an old server may write it back
		},
		"logged out on an old server": func(a *moving, j *jar) { a.old.set("tok", "") },
		"revoked":                     func(a *moving, j *jar) { _ = a.RevokeAll(context.Background(), "alice") },
	} {
		t.Run(what, func(t *testing.T) {
			old, between := newOldApp(), new(func())
			old.rows["tok"] = "alice"
			a := newMoving(t, old, betweenStore{memstore.New(), between}, sojourn.Config{})
			*between = func() { do(a, newJar("tok")) }
			owner, res := a.send("GET", "session=tok", nil)
			if owner != "" || strings.Contains(fmt.Sprint(res.Header()), "__Host-Http-id=") {
				t.Errorf("the request is %q, %v", owner, res.Header())
			}
			for i := range a.List(t.Context(), "alice") {
				t.Errorf("there is a session: %+v", i)
			}
		})
	}
}

// silent is an old store that does not answer.
type silent struct{ *oldApp }

func (s silent) Load(ctx context.Context, _ *http.Request, _ string) (l sojourn.LegacySession, err error) {
	<-ctx.Done()
	return l, ctx.Err()
}

// The old store has a part in the request's budget, also beside a store that waits for nothing.
func TestOldStoreIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, err := sojourn.New(memstore.New(), sojourn.Config{Legacy: silent{newOldApp()}, StoreTimeout: 3 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		w, _ := ask(m, "session=tok", func(w http.ResponseWriter, r *http.Request) {
			if err := m.Load(r.Context()); !sojourn.Unavailable(err) {
				t.Errorf("Load: %v", err)
			}
			name.Put(r.Context(), "x")
		})
		if took := time.Since(begun); w.Code != 503 || took > 3*time.Second {
			t.Errorf("%d after %v", w.Code, took)
		}
	})
}

// afterStore does something once, right after a session was made.
type afterStore struct {
	*memstore.Store
	after *func()
}

func (s afterStore) Create(ctx context.Context, r sojourn.Record) error {
	err := s.Store.Create(ctx, r)
	if f := *s.after; f != nil {
		*s.after = nil
		f()
	}
	return err
}

// The browser has the new token already, by another answer, when the request that has made the session looks
// whether the old one is still there: it finds that the browser itself has settled the move, in part or whole.
func TestMoveIsNotTakenBackFromTheBrowser(t *testing.T) {
	for _, while := range []bool{false, true} {
		t.Run(fmt.Sprintf("while it settles: %v", while), func(t *testing.T) {
			old, after := newOldApp(), new(func())
			old.rows["tok"] = "alice"
			a := newMoving(t, old, afterStore{memstore.New(), after}, sojourn.Config{})
			j, made, goOn, done := newJar("tok"), make(chan bool), make(chan bool), make(chan bool)
			*after = func() { close(made); <-goOn }
			go func() {
				defer close(done)
				_, late := a.send("GET", "session=tok", nil)
				j.take(late.Header())
			}()
			<-made
			a.visit(j)
			if while {
				old.onEnd = sync.OnceFunc(func() { close(goOn); <-done })
			}
			a.visit(j)
			if !while {
				close(goOn)
			}
			<-done
			if owner := a.visit(j); owner != "alice" {
				t.Errorf("the browser is %q", owner)
			}
		})
	}
}

// A Logout or Login that was under way with the old token ends what that has become, but no later login.
func TestLogoutByTheOldTokenAfterTheMove(t *testing.T) {
	for _, login := range []bool{false, true} {
		t.Run(fmt.Sprintf("after a login: %v", login), func(t *testing.T) {
			old := newOldApp()
			old.rows["tok"] = "alice"
			a := newMoving(t, old, memstore.New(), sojourn.Config{})
			j := newJar("tok")
			a.visit(j)
			_, res := a.send("POST", j.line(), func(ctx context.Context) {
				if login {
					_ = a.Login(ctx, "bob")
				}
			})
			j.take(res.Header())
			a.send("POST", "session=tok", func(ctx context.Context) { _ = a.Logout(ctx) })
			if owner := a.visit(j); (owner == "bob") != login || owner == "alice" {
				t.Errorf("the browser is %q", owner)
			}
		})
	}
}
