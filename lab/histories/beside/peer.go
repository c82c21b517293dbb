package beside

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	scsmem "github.com/alexedwards/scs/v2/memstore"
	"github.com/gofiber/fiber/v3"
	fibersession "github.com/gofiber/fiber/v3/middleware/session"
	"github.com/gorilla/sessions"

	"github.com/gosojourn/sojourn/lab/histories"
)

// A visit is one request's session in another library, with the verbs that its documentation shows.
type visit interface {
	get(key string) string
	put(key, value string) error
	renew() error // a new token for the same session
	end() error
}

// Peers are other libraries in memory or in files, each in one process.
var Peers = []struct {
	Name string
	Open func(t testing.TB) (url string)
	// Renews says that it can replace a token. One that cannot is not asked to.
	Renews bool
}{
	{"scs", openSCS, true},
	{"gorilla/sessions, files", openGorilla, false},
	{"Fiber's session middleware", openFiber, true},
}

// visited performs d by reading and writing, which is what there is.
func visited(v visit, d histories.Deed) (a histories.Answer) {
	a.Outcome, a.Text = histories.Done, read(v, d.Do)
	if err := write(v, d); err != nil {
		return histories.Answer{Outcome: histories.Unknown, Why: err.Error()}
	}
	if d.Do != "logout" {
		a.Owner, a.Mark = v.get("owner"), v.get("mark")
	}
	return a
}

func read(v visit, do string) string {
	switch do {
	case "count":
		return cmp.Or(v.get("count"), "0")
	case "peek", "take":
		return v.get("flash")
	case "read":
		return v.get("first") + "," + v.get("second")
	}
	return ""
}

func write(v visit, d histories.Deed) error {
	switch d.Do {
	case "begin", "mark":
		return v.put("mark", d.Value)
	case "add":
		n, _ := strconv.Atoi(v.get("count"))
		return v.put("count", strconv.Itoa(n+1))
	case "append":
		return v.put("flash", strings.TrimPrefix(v.get("flash")+","+d.Value, ","))
	case "take":
		return v.put("flash", "")
	case "first", "second":
		return v.put(d.Do, d.Value)
	case "both":
		return errors.Join(v.put("first", d.Value), v.put("second", d.Value))
	case "login":
		if o := v.get("owner"); o != "" && o != d.Whom {
			_ = v.put("mark", "") // what another had is not for this one
		}
		return errors.Join(v.renew(), v.put("owner", d.Whom))
	case "renew":
		return v.renew()
	case "logout":
		return v.end()
	}
	return nil
}

func serve(t testing.TB, h http.Handler) string {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

type scsVisit struct {
	m   *scs.SessionManager
	ctx context.Context
}

func (v scsVisit) get(key string) string       { return v.m.GetString(v.ctx, key) }
func (v scsVisit) put(key, value string) error { v.m.Put(v.ctx, key, value); return nil }
func (v scsVisit) renew() error                { return v.m.RenewToken(v.ctx) }
func (v scsVisit) end() error                  { return v.m.Destroy(v.ctx) }

func openSCS(t testing.TB) string {
	m := scs.New()
	m.Store = scsmem.NewWithCleanupInterval(0)
	return serve(t, m.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := visited(scsVisit{m, r.Context()}, histories.DeedOf(r.FormValue, r.Method))
		_, _ = w.Write(a.Bytes())
	})))
}

// A gorillaVisit saves once, at its end: what was put is in the values until then.
type gorillaVisit struct {
	s     *sessions.Session
	dirty bool
}

func (v *gorillaVisit) get(key string) string {
	s, _ := v.s.Values[key].(string)
	return s
}

func (v *gorillaVisit) put(key, value string) error {
	v.s.Values[key], v.dirty = value, true
	return nil
}

func (v *gorillaVisit) renew() error { return nil } // it has no such verb

func (v *gorillaVisit) end() error {
	v.s.Options.MaxAge, v.dirty = -1, true
	return nil
}

func openGorilla(t testing.TB) string {
	store := sessions.NewFilesystemStore(t.TempDir(), []byte(strings.Repeat("k", 32)))
	return serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, _ := store.New(r, "id")
		v := &gorillaVisit{s: s}
		shown := s.ID // its cookie is another each time
		a := visited(v, histories.DeedOf(r.FormValue, r.Method))
		if v.dirty {
			if err := s.Save(r, w); err != nil {
				a = histories.Answer{Outcome: histories.Unknown, Why: err.Error()}
			}
		}
		a.Name, a.Sent = shown, s.ID
		_, _ = w.Write(a.Bytes())
	}))
}

type fiberVisit struct{ m *fibersession.Middleware }

func (v fiberVisit) get(key string) string {
	s, _ := v.m.Get(key).(string)
	return s
}
func (v fiberVisit) put(key, value string) error { v.m.Set(key, value); return nil }
func (v fiberVisit) renew() error                { return v.m.Regenerate() }
func (v fiberVisit) end() error                  { return v.m.Destroy() }

func openFiber(t testing.TB) string {
	app := fiber.New()
	app.Use(fibersession.New())
	app.All("/", func(c fiber.Ctx) error {
		own := func(name string) string { return strings.Clone(c.Query(name)) } // the request's memory is used again
		a := visited(fiberVisit{fibersession.FromContext(c)}, histories.DeedOf(own, c.Method()))
		return c.Send(a.Bytes())
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- app.Listener(l, fiber.ListenConfig{DisableStartupMessage: true}) }()
	t.Cleanup(func() {
		if err := app.ShutdownWithTimeout(5 * time.Second); err != nil {
			t.Errorf("histories: fiber: %v", err)
		}
		<-done
	})
	return fmt.Sprintf("http://%s", l.Addr())
}
