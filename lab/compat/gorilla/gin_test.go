package gorilla_test

import (
	"net/http"
	"testing"

	"github.com/gin-contrib/sessions"
	"github.com/gin-gonic/gin"

	"github.com/gosojourn/sojourn/gorillacompat"
)

// ginStore is what each of gin-contrib's own stores is: a gorilla store, and Options in gin's words.
type ginStore struct{ *gorillacompat.Store }

func (s ginStore) Options(o sessions.Options) { s.Store.Options = o.ToGorillaOptions() }

func ginApp(s *gorillacompat.Store, m *meeting) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	app := gin.New()
	store := ginStore{s}
	store.Options(sessions.Options{Path: "/", MaxAge: 3600, Secure: true, HttpOnly: true})
	app.Use(sessions.Sessions("mysession", store))
	save := func(c *gin.Context, session sessions.Session) {
		if err := session.Save(); err != nil {
			_ = c.AbortWithError(http.StatusInternalServerError, err)
			return
		}
		c.String(http.StatusOK, "ok")
	}
	app.POST("/login", func(c *gin.Context) {
		session := sessions.Default(c)
		session.Set("user", c.PostForm("user"))
		session.AddFlash("welcome")
		save(c, session)
	})
	app.GET("/", func(c *gin.Context) {
		session := sessions.Default(c)
		flashes := session.Flashes()
		_ = session.Save()
		c.String(http.StatusOK, "%v %v", session.Get("user"), flashes)
	})
	app.GET("/put/:key", func(c *gin.Context) {
		session := sessions.Default(c)
		_ = session.Get("user")
		m.arrive()
		session.Set(c.Param("key"), true)
		save(c, session)
	})
	app.GET("/both", func(c *gin.Context) {
		session := sessions.Default(c)
		c.String(http.StatusOK, "%v %v", session.Get("a"), session.Get("b"))
	})
	app.GET("/late", func(c *gin.Context) {
		session := sessions.Default(c)
		session.Set("late", true)
		c.String(http.StatusOK, "begun ")
		err := session.Save()
		c.String(http.StatusOK, "%v", err != nil)
	})
	app.POST("/logout", func(c *gin.Context) {
		session := sessions.Default(c)
		session.Clear()
		session.Options(sessions.Options{Path: "/", MaxAge: -1})
		save(c, session)
	})
	return app
}

func TestGin(t *testing.T) {
	kept(t, func(t *testing.T, s *gorillacompat.Store) {
		c := newClient(t, ginApp(s, newMeeting()))
		c.want("GET", "/", "", 200, "<nil> []")
		if len(c.jar.Cookies(site)) != 0 {
			t.Error("a visitor who stores nothing got a cookie")
		}
		c.want("GET", "/late", "", 200, "begun true")
		c.want("POST", "/login", "user=ann", 200, "ok")
		c.want("GET", "/", "", 200, "ann [welcome]")
		c.want("GET", "/", "", 200, "ann []")
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
