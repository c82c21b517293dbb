package gorilla_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/gorilla/sessions"
	"github.com/labstack/echo-contrib/session"
	"github.com/labstack/echo/v4"

	"github.com/gosojourn/sojourn/gorillacompat"
)

func echoApp(s sessions.Store, m *meeting) http.Handler {
	app := echo.New()
	app.Use(session.Middleware(s))
	in := func(fn func(c echo.Context, s *sessions.Session) string) echo.HandlerFunc {
		return func(c echo.Context) error {
			s, err := session.Get("session", c)
			if err != nil {
				return err
			}
			text := fn(c, s)
			if err := s.Save(c.Request(), c.Response()); err != nil {
				return err
			}
			return c.String(http.StatusOK, text)
		}
	}
	app.POST("/login", in(func(c echo.Context, s *sessions.Session) string {
		s.Options = &sessions.Options{Path: "/", MaxAge: 86400 * 7, HttpOnly: true, Secure: true} // as echo's page on sessions has it
		s.Values["user"] = c.FormValue("user")
		s.AddFlash("welcome")
		return "ok"
	}))
	app.GET("/", in(func(_ echo.Context, s *sessions.Session) string {
		return fmt.Sprint(s.Values["user"], s.Flashes())
	}))
	app.GET("/put/:key", in(func(c echo.Context, s *sessions.Session) string {
		m.arrive()
		s.Values[c.Param("key")] = true
		return "ok"
	}))
	app.GET("/both", in(func(_ echo.Context, s *sessions.Session) string {
		return fmt.Sprint(s.Values["a"], s.Values["b"])
	}))
	app.GET("/late", func(c echo.Context) error {
		s, err := session.Get("session", c)
		if err != nil {
			return err
		}
		s.Values["late"] = true
		_, _ = c.Response().Write([]byte("begun "))
		err = s.Save(c.Request(), c.Response())
		_, _ = fmt.Fprint(c.Response(), err != nil)
		return nil
	})
	app.POST("/logout", in(func(_ echo.Context, s *sessions.Session) string {
		s.Options.MaxAge = -1
		return "ok"
	}))
	return app
}

func TestEcho(t *testing.T) {
	kept(t, func(t *testing.T, s *gorillacompat.Store) {
		c := newClient(t, echoApp(s, newMeeting()))
		c.want("GET", "/", "", 200, "<nil> []")
		c.want("GET", "/late", "", 200, "begun true")
		c.want("POST", "/login", "user=ann", 200, "ok")
		c.want("GET", "/", "", 200, "ann[welcome]")
		c.want("GET", "/", "", 200, "ann[]")
		if inAStore(t) {
			c.atOnce("/put/a", "/put/b")
			c.want("GET", "/both", "", 200, "true true")
		}
		copied := c.jar.Cookies(site)
		c.want("POST", "/logout", "", 200, "ok")
		c.want("GET", "/", "", 200, "<nil> []")
		if inAStore(t) {
			thief := newClient(t, c.h)
			thief.jar.SetCookies(site, copied)
			thief.want("GET", "/", "", 200, "<nil> []")
		}
	})
}
