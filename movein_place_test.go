package sojourn_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
)

// Somebody uses the old session elsewhere, for longer than our idle limit: it is the same session here afterwards.
func TestOldSessionOutlivesTheIdleLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old := newOldApp()
		old.keep = 3 * time.Hour
		old.rows["tok"] = "alice"
		a := newMoving(t, old, memstore.New(), sojourn.Config{IdleTimeout: time.Hour})
		a.send("GET", "session=tok", func(ctx context.Context) { count.Put(ctx, 7) })
		time.Sleep(2 * time.Hour)
		who, res := a.send("GET", "session=tok", func(ctx context.Context) {
			if n := count.Get(ctx); n != 7 {
				t.Errorf("the value is %d", n)
			}
		})
		if who != "alice" {
			t.Errorf("%q, %d: %s", who, res.Code, a.told())
		}
	})
}

// place is an application whose new cookie has the name of the old one.
func place(t *testing.T, keep time.Duration, story func(t *testing.T, a *moving, j *jar)) {
	synctest.Test(t, func(t *testing.T) {
		old := newOldApp()
		old.keep = keep
		old.rows["tok"] = "alice"
		a := newMoving(t, old, memstore.New(), sojourn.Config{Cookie: sojourn.Cookie{Name: "session"}, DangerouslyAllowHTTP: true})
		story(t, a, newJar("tok"))
	})
}

// The browser keeps the old cookie until KeepFor is over, so that old servers know it; what is put here is kept.
func TestOneNameWaits(t *testing.T) {
	place(t, time.Hour, func(t *testing.T, a *moving, j *jar) {
		_, res := a.send("POST", j.line(), func(ctx context.Context) { count.Put(ctx, 1) })
		if got := res.Header()["Set-Cookie"]; got != nil {
			t.Errorf("the response sends %q", got)
		}
		time.Sleep(59 * time.Minute)
		for range 2 {
			a.send("POST", j.line(), func(ctx context.Context) {
				count.Update(ctx, func(n int) int { return n + 1 })
			})
			if who := a.visit(j); who != "alice" || j.cookies["session"] != "tok" {
				t.Fatalf("%q, with %q", who, j.cookies["session"])
			}
		}
		time.Sleep(time.Minute)
		_, lost := a.send("GET", j.line(), nil)
		a.visit(j)
		ours := j.cookies["session"]
		if got := lost.Header().Get("Set-Cookie"); len(ours) != 64 || !strings.Contains(got, ours) {
			t.Errorf("handed over: %q and %q", got, ours)
		}
		late, _ := a.send("GET", "session=tok", nil)
		a.visit(j) // shown
		underWay, _ := a.send("GET", "session=tok", nil)
		if late != "alice" || underWay != "alice" {
			t.Errorf("what was under way is %q and %q", late, underWay)
		}
		time.Sleep(time.Minute)
		if who := a.visit(j); who != "alice" || len(a.old.rows) != 0 || j.cookies["session"] != ours {
			t.Errorf("%q, old sessions %v, cookie %q", who, a.old.rows, j.cookies["session"])
		}
		a.old.rows["tok"] = "alice" // an old server writes it back
		who, res := a.send("GET", "session=tok", nil)
		if who != "" || res.Header()["Set-Cookie"] != nil {
			t.Errorf("the old token is %q, and is sent %q", who, res.Header()["Set-Cookie"])
		}
		a.send("GET", j.line(), func(ctx context.Context) {
			if n := count.Get(ctx); n != 3 || a.Info(ctx).Owner != "alice" {
				t.Errorf("%d, %q", n, a.Info(ctx).Owner)
			}
		})
		if got := a.told(); strings.Count(got, "malformed") > 0 {
			t.Errorf("events: %s", got)
		}
	})
}

// Without KeepFor the new token goes out at once.
func TestOneNameAtOnce(t *testing.T) {
	place(t, 0, func(t *testing.T, a *moving, j *jar) {
		for i := range 3 {
			if who := a.visit(j); who != "alice" || len(j.cookies["session"]) != 64 {
				t.Fatalf("visit %d: %q, %v", i, who, j.cookies)
			}
		}
		if len(a.old.rows) != 0 {
			t.Error("the old session is there")
		}
	})
}

// A login sends the new token at once. The old one is over, and a visitor who shows it later can begin anew.
func TestOneNameLogin(t *testing.T) {
	place(t, time.Hour, func(t *testing.T, a *moving, j *jar) {
		a.visit(j)
		_, res := a.send("POST", j.line(), func(ctx context.Context) { _ = a.Login(ctx, "alice") })
		j.take(res.Header())
		if who := a.visit(j); who != "alice" || len(j.cookies["session"]) != 64 || len(a.old.rows) != 0 {
			t.Errorf("%q, %v, %v", who, j.cookies, a.old.rows)
		}
		a.send("POST", "session=tok", func(ctx context.Context) {
			count.Put(ctx, 1)
			if err := a.Commit(ctx); err == nil {
				t.Error("what was under way with the old token begins a session")
			}
		})
		time.Sleep(2 * time.Minute)
		a.send("POST", "session=tok", func(ctx context.Context) {
			count.Put(ctx, 1)
			if err := a.Commit(ctx); err != nil || a.Info(ctx).Owner != "" {
				t.Errorf("later: %v, %q", err, a.Info(ctx).Owner)
			}
		})
	})
}

// A logout has the browser forget the cookie, whichever it has, and ends both sessions.
func TestOneNameLogout(t *testing.T) {
	for _, visits := range []int{0, 1} {
		place(t, time.Hour, func(t *testing.T, a *moving, j *jar) {
			for range visits {
				a.visit(j)
			}
			_, res := a.send("POST", j.line(), func(ctx context.Context) { _ = a.Logout(ctx) })
			j.take(res.Header())
			if len(j.cookies) != 0 || len(a.old.rows) != 0 {
				t.Errorf("left: %v, %v", j.cookies, a.old.rows)
			}
			a.old.rows["tok"] = "alice"
			if who, _ := a.send("GET", "session=tok", nil); who != "" {
				t.Errorf("%q after the logout", who)
			}
		})
	}
}

// A logout on an old server ends the session here too; the list does not keep it.
func TestOneNameOldLogout(t *testing.T) {
	place(t, time.Hour, func(t *testing.T, a *moving, j *jar) {
		a.visit(j)
		delete(a.old.rows, "tok")
		if who := a.visit(j); who != "" {
			t.Errorf("%q", who)
		}
		for range a.List(t.Context(), "alice") {
			t.Error("there is a session still")
		}
		a.old.rows["tok"] = "alice"
		if who := a.visit(j); who != "" {
			t.Errorf("%q when an old server has written it back", who)
		}
	})
}

// Of two that live under one name none is read, whichever of them was planted; a Login ends the other.
func TestOneNameTwoSessions(t *testing.T) {
	place(t, 0, func(t *testing.T, a *moving, j *jar) {
		a.visit(j)
		a.visit(j)
		a.old.rows["planted"] = "mallory"
		both := j.line() + "; session=planted"
		if who, _ := a.send("GET", both, nil); who != "" {
			t.Errorf("%q was taken", who)
		}
		if got := a.told(); !strings.HasSuffix(got, "token_ambiguous") {
			t.Errorf("events: %s", got)
		}
		if who, _ := a.send("GET", j.line()+"; session=gone", nil); who != "alice" {
			t.Errorf("beside one that is over: %q", who)
		}
		_, res := a.send("POST", both, func(ctx context.Context) { _ = a.Login(ctx, "bob") })
		j.take(res.Header())
		if who, _ := a.send("GET", j.line()+"; session=planted", nil); who != "bob" {
			t.Errorf("after the login: %q", who)
		}
		n := 0
		for range a.All(t.Context()) {
			n++
		}
		if len(a.old.rows) != 0 || n == 0 {
			t.Errorf("old sessions %v", a.old.rows)
		}
		a.old.rows["third"] = "mallory"
		_, res = a.send("POST", j.line()+"; session=third", func(ctx context.Context) { _ = a.Logout(ctx) })
		if len(a.old.rows) != 0 || res.Code != 200 {
			t.Errorf("a logout leaves %v", a.old.rows)
		}
	})
}

// Another site's form, for which the browser may have kept our cookie back, begins no session in the place of the old one.
func TestOneNameAcrossSites(t *testing.T) {
	place(t, time.Hour, func(t *testing.T, a *moving, j *jar) {
		r := httptest.NewRequest("POST", "https://sojourn.test/", nil)
		r.Header.Set("Cookie", j.line())
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		w := httptest.NewRecorder()
		a.LoadAndSave(handler(func(ctx context.Context) { count.Put(ctx, 1) })).ServeHTTP(w, r)
		if got := w.Header()["Set-Cookie"]; got != nil {
			t.Errorf("it plants %q", got)
		}
		if who := a.visit(j); who != "alice" {
			t.Errorf("afterwards %q", who)
		}
	})
}

func TestOneNameSealed(t *testing.T) {
	old := newOldApp()
	old.keep = time.Hour
	old.rows["tok"] = "alice"
	a := newMoving(t, old, nil, sojourn.Config{Cookie: sojourn.Cookie{Name: "session"}, DangerouslyAllowHTTP: true})
	j := newJar("tok")
	for range 3 {
		if who := a.visit(j); who != "alice" {
			t.Fatalf("%q: %s", who, a.told())
		}
	}
	if len(j.cookies["session"]) < 64 {
		t.Errorf("cookies %v", j.cookies)
	}
	_, res := a.send("POST", j.line(), func(ctx context.Context) { _ = a.Logout(ctx) })
	if j.take(res.Header()); len(j.cookies) != 0 || len(old.rows) != 0 {
		t.Errorf("left: %v, %v", j.cookies, old.rows)
	}
}

func handler(do func(ctx context.Context)) http.Handler {
	return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { do(r.Context()) })
}
