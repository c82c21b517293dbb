// Package ours is package theirs with one import line changed: go test -run OneImportLine -update writes it.
package ours

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"net/http"
	"sort"
	"strings"
	"time"

	scs "github.com/gosojourn/sojourn/scscompat"
)

// A User is a type of the application's own.
type User struct {
	ID    int64
	Name  string
	Roles []string
}

func init() {
	gob.Register(User{})
	gob.Register(time.Time{})
	gob.Register(map[string]int{})
	gob.Register([]string{})
}

// An App is the application. Broken is what went wrong, told by ErrorFunc.
type App struct {
	Sessions *scs.SessionManager // in a cookie
	Cart     *scs.SessionManager // a second one, of another lifetime
	Broken   []string
}

// New makes the application. set may change how its sessions are kept, as main does.
func New(set func(*scs.SessionManager)) *App {
	a := &App{Sessions: scs.New(), Cart: scs.New()}
	a.Sessions.Lifetime = 3 * time.Hour
	a.Sessions.Cookie.SameSite = http.SameSiteStrictMode
	a.Cart.Cookie.Name = "cart"
	a.Cart.Lifetime = 48 * time.Hour
	for _, s := range []*scs.SessionManager{a.Sessions, a.Cart} {
		s.ErrorFunc = func(w http.ResponseWriter, _ *http.Request, err error) {
			a.Broken = append(a.Broken, err.Error())
			http.Error(w, "sorry", http.StatusInternalServerError)
		}
		if set != nil {
			set(s)
		}
	}
	return a
}

// Handler is the application with its middleware.
func (a *App) Handler() http.Handler {
	mux := http.NewServeMux()
	for path, h := range map[string]http.HandlerFunc{
		"/put": a.put, "/get": a.get, "/static": static, "/login": a.login, "/who": a.who, "/logout": a.logout,
		"/flash": a.flash, "/types": a.types, "/show": a.show, "/struct": a.user, "/again": a.again, "/keys": a.keys,
		"/remove": a.remove, "/clear": a.clear, "/status": a.status, "/remember": a.remember, "/deadline": a.deadline,
		"/shorten": a.shorten, "/flush": a.flush, "/panic": a.panics, "/end": a.endSessionsOf, "/merge": a.merge,
		"/bad": a.bad, "/late": a.late, "/new": a.afterDestroy, "/odd": a.oddKeys, "/renew": a.renew, "/map": a.changeMap,
	} {
		mux.HandleFunc(path, h)
	}
	mux.Handle("/cart/", a.Cart.LoadAndSave(http.HandlerFunc(a.cart)))
	outer := http.NewServeMux()
	outer.Handle("/api/", a.byHeader(http.HandlerFunc(a.api)))
	outer.Handle("/", a.Sessions.LoadAndSave(mux))
	return outer
}

func static(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "a page") }

func (a *App) put(w http.ResponseWriter, r *http.Request) {
	a.Sessions.Put(r.Context(), "message", "Hello from a session!")
	fmt.Fprint(w, "put")
}

func (a *App) get(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "%q %v", a.Sessions.GetString(r.Context(), "message"), a.Sessions.Exists(r.Context(), "message"))
}

func (a *App) login(w http.ResponseWriter, r *http.Request) {
	if err := a.Sessions.RenewToken(r.Context()); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	a.Sessions.Put(r.Context(), "userID", 123)
	a.Sessions.Put(r.Context(), "flash", "Welcome!")
	http.Redirect(w, r, "/who", http.StatusSeeOther)
}

func (a *App) who(w http.ResponseWriter, r *http.Request) {
	id := a.Sessions.GetInt(r.Context(), "userID")
	if id == 0 {
		http.Error(w, "nobody", http.StatusUnauthorized)
		return
	}
	fmt.Fprint(w, id)
}

func (a *App) logout(w http.ResponseWriter, r *http.Request) {
	if err := a.Sessions.Destroy(r.Context()); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	fmt.Fprint(w, "bye ", a.Sessions.Status(r.Context()), a.Sessions.GetInt(r.Context(), "userID"))
}

func (a *App) flash(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "%q", a.Sessions.PopString(r.Context(), "flash"))
}

// types puts one of each.
func (a *App) types(w http.ResponseWriter, r *http.Request) {
	ctx, s := r.Context(), a.Sessions
	s.Put(ctx, "string", "text")
	s.Put(ctx, "empty", "")
	s.Put(ctx, "bool", true)
	s.Put(ctx, "int", -42)
	s.Put(ctx, "int64", int64(1)<<40)
	s.Put(ctx, "int32", int32(7))
	s.Put(ctx, "uint8", uint8(200))
	s.Put(ctx, "float", 1.25)
	s.Put(ctx, "float32", float32(0.5))
	s.Put(ctx, "bytes", []byte("raw\x00"))
	s.Put(ctx, "nobytes", []byte{})
	s.Put(ctx, "time", time.Date(2024, 2, 29, 12, 0, 0, 5, time.FixedZone("", 5*3600)))
	s.Put(ctx, "nil", nil)
	s.Put(ctx, "map", map[string]int{"a": 1})
	s.Put(ctx, "list", []string{"x", ""})
	s.Put(ctx, "user", &User{7, "Ada", nil})
	a.show(w, r)
}

// show reads each with its own method, as a plain value, and with a method of another type.
func (a *App) show(w http.ResponseWriter, r *http.Request) {
	ctx, s := r.Context(), a.Sessions
	fmt.Fprintf(w, "%q %v %d %d %d %v %q %s\n", s.GetString(ctx, "string"), s.GetBool(ctx, "bool"), s.GetInt(ctx, "int"),
		s.GetInt64(ctx, "int64"), s.GetInt32(ctx, "int32"), s.GetFloat(ctx, "float"), s.GetBytes(ctx, "bytes"), s.GetTime(ctx, "time").Format(time.RFC3339Nano))
	fmt.Fprintf(w, "%q %v %d %d %d %v %q %v\n", s.GetString(ctx, "int"), s.GetBool(ctx, "string"), s.GetInt(ctx, "int64"),
		s.GetInt64(ctx, "int"), s.GetInt32(ctx, "int"), s.GetFloat(ctx, "int"), s.GetBytes(ctx, "string"), s.GetTime(ctx, "none").IsZero())
	for _, key := range []string{"string", "empty", "bool", "int", "int64", "int32", "uint8", "float", "float32", "bytes", "nobytes", "nil", "map", "list", "none"} {
		v := s.Get(ctx, key)
		fmt.Fprintf(w, "%s %T %v %v\n", key, v, v, s.Exists(ctx, key))
	}
}

// again pops them.
func (a *App) again(w http.ResponseWriter, r *http.Request) {
	ctx, s := r.Context(), a.Sessions
	fmt.Fprintf(w, "%q %v %d %v %q %s %v %q %v %v", s.PopString(ctx, "string"), s.PopBool(ctx, "bool"), s.PopInt(ctx, "int"),
		s.PopFloat(ctx, "float"), s.PopBytes(ctx, "bytes"), s.PopTime(ctx, "time").Format(time.RFC3339Nano), s.Pop(ctx, "map"),
		s.PopString(ctx, "int64"), s.Pop(ctx, "none"), s.Keys(ctx))
}

// user is a pointer in the request that has put it, and a value afterwards, as gob has it.
func (a *App) user(w http.ResponseWriter, r *http.Request) {
	switch u := a.Sessions.Get(r.Context(), "user").(type) {
	case *User:
		fmt.Fprintf(w, "pointer %v %v", u.Name, u == a.Sessions.Get(r.Context(), "user").(*User))
	case User:
		fmt.Fprintf(w, "value %v %d", u.Name, len(u.Roles))
	default:
		a.Sessions.Put(r.Context(), "user", &User{1, "Eve", []string{"admin"}})
		a.user(w, r)
	}
}

// changeMap changes a map in place, and puts it.
func (a *App) changeMap(w http.ResponseWriter, r *http.Request) {
	m, _ := a.Sessions.Get(r.Context(), "map").(map[string]int)
	if m == nil {
		m = map[string]int{}
	}
	m["n"]++
	a.Sessions.Put(r.Context(), "map", m)
	fmt.Fprint(w, a.Sessions.Get(r.Context(), "map"))
}

func (a *App) keys(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "%q", a.Sessions.Keys(r.Context()))
}

func (a *App) remove(w http.ResponseWriter, r *http.Request) {
	a.Sessions.Remove(r.Context(), "none")
	before := a.Sessions.Status(r.Context())
	a.Sessions.Remove(r.Context(), "message")
	fmt.Fprint(w, before, a.Sessions.Status(r.Context()), a.Sessions.Exists(r.Context(), "message"))
}

func (a *App) clear(w http.ResponseWriter, r *http.Request) {
	token := a.Sessions.Token(r.Context())
	if err := a.Sessions.Clear(r.Context()); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	a.Sessions.Put(r.Context(), "after", 1)
	fmt.Fprint(w, a.Sessions.Keys(r.Context()), a.Sessions.Token(r.Context()) == token)
}

func (a *App) status(w http.ResponseWriter, r *http.Request) {
	ctx, s := r.Context(), a.Sessions
	before, fresh := s.Status(ctx), s.Token(ctx) == ""
	s.Put(ctx, "status", 1)
	fmt.Fprint(w, before, fresh, s.Status(ctx))
}

func (a *App) remember(w http.ResponseWriter, r *http.Request) {
	a.Sessions.RememberMe(r.Context(), r.FormValue("off") == "")
	fmt.Fprint(w, a.Sessions.GetBool(r.Context(), "__rememberMe"))
}

func (a *App) deadline(w http.ResponseWriter, r *http.Request) {
	fmt.Fprint(w, time.Until(a.Sessions.Deadline(r.Context())).Round(time.Minute))
}

func (a *App) shorten(w http.ResponseWriter, r *http.Request) {
	d, _ := time.ParseDuration(r.FormValue("to"))
	a.Sessions.SetDeadline(r.Context(), time.Now().Add(d))
	a.deadline(w, r)
}

func (a *App) renew(w http.ResponseWriter, r *http.Request) {
	if err := a.Sessions.RenewToken(r.Context()); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	a.deadline(w, r)
}

func (a *App) flush(w http.ResponseWriter, r *http.Request) {
	a.Sessions.Put(r.Context(), "message", "Hello from a flushing handler!")
	rc := http.NewResponseController(w)
	for i := range 3 {
		fmt.Fprintf(w, "Write %d\n", i)
		if err := rc.Flush(); err != nil {
			fmt.Fprint(w, err)
			return
		}
	}
}

func (a *App) panics(_ http.ResponseWriter, r *http.Request) {
	a.Sessions.Put(r.Context(), "message", "never saved")
	panic(http.ErrAbortHandler)
}

// endSessionsOf is the documentation's: to revoke the sessions of one user.
func (a *App) endSessionsOf(w http.ResponseWriter, r *http.Request) {
	seen := 0
	err := a.Sessions.Iterate(r.Context(), func(ctx context.Context) error {
		seen++
		if a.Sessions.GetInt(ctx, "userID") == 123 {
			return a.Sessions.Destroy(ctx)
		}
		return nil
	})
	stop := errors.New("stop")
	err2 := a.Sessions.Iterate(r.Context(), func(ctx context.Context) error {
		a.Sessions.Put(ctx, "visited", true)
		if _, _, err := a.Sessions.Commit(ctx); err != nil {
			return err
		}
		return stop
	})
	fmt.Fprint(w, seen, err, err2 == nil || errors.Is(err2, stop))
}

func (a *App) merge(w http.ResponseWriter, r *http.Request) {
	err := a.Sessions.MergeSession(r.Context(), r.FormValue("token"))
	fmt.Fprint(w, err, a.Sessions.Keys(r.Context()))
}

// bad puts what gob does not know.
func (a *App) bad(w http.ResponseWriter, r *http.Request) {
	a.Sessions.Put(r.Context(), "bad", struct{ F func() }{})
	w.WriteHeader(http.StatusOK)
}

// late changes the session when the page has begun: too late to be saved, with scs.
func (a *App) late(w http.ResponseWriter, r *http.Request) {
	fmt.Fprint(w, "page")
	a.Sessions.Get(r.Context(), "message")
}

func (a *App) afterDestroy(w http.ResponseWriter, r *http.Request) {
	before := a.Sessions.Token(r.Context())
	if err := a.Sessions.Destroy(r.Context()); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	a.Sessions.Put(r.Context(), "flash", "You are logged out.")
	fmt.Fprint(w, a.Sessions.Status(r.Context()), before != "", a.Sessions.Token(r.Context()) == "", a.Sessions.Keys(r.Context()))
}

func (a *App) oddKeys(w http.ResponseWriter, r *http.Request) {
	ctx, s := r.Context(), a.Sessions
	long := strings.Repeat("long ", 30)
	for _, key := range []string{"", long, "\x00null", "ünïcode"} {
		s.Put(ctx, key, s.GetInt(ctx, key)+1)
		s.Put(ctx, key+"!", []string{"list"})
	}
	s.Remove(ctx, "\x00null!")
	keys := s.Keys(ctx)
	fmt.Fprintf(w, "%q %v %v %v %v", keys, sort.StringsAreSorted(keys), s.GetInt(ctx, ""), s.GetInt(ctx, long), s.Get(ctx, long+"!"))
}

func (a *App) cart(w http.ResponseWriter, r *http.Request) {
	a.Cart.Put(r.Context(), "items", a.Cart.GetInt(r.Context(), "items")+1)
	fmt.Fprint(w, a.Cart.GetInt(r.Context(), "items"))
}

// byHeader is the middleware for tokens in a header that scs's documentation suggests to write.
func (a *App) byHeader(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, err := a.Sessions.Load(r.Context(), r.Header.Get("X-Session"))
		if err != nil {
			http.Error(w, "sorry", http.StatusInternalServerError)
			return
		}
		b := &buffered{ResponseWriter: w}
		next.ServeHTTP(b, r.WithContext(ctx))
		switch a.Sessions.Status(ctx) {
		case scs.Modified:
			token, expiry, err := a.Sessions.Commit(ctx)
			if err != nil {
				http.Error(w, "sorry", http.StatusInternalServerError)
				return
			}
			w.Header().Set("X-Session", token)
			w.Header().Set("X-Session-Expiry", time.Until(expiry).Round(time.Minute).String())
		case scs.Destroyed:
			w.Header().Set("X-Session", "")
		}
		fmt.Fprint(w, b.String())
	})
}

type buffered struct {
	http.ResponseWriter
	strings.Builder
}

func (b *buffered) Write(p []byte) (int, error) { return b.Builder.Write(p) }

func (a *App) api(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/api/count":
		a.Sessions.Put(r.Context(), "n", a.Sessions.GetInt(r.Context(), "n")+1)
	case "/api/end":
		if err := a.Sessions.Destroy(r.Context()); err != nil {
			fmt.Fprint(w, err)
		}
	}
	fmt.Fprint(w, a.Sessions.GetInt(r.Context(), "n"))
}
