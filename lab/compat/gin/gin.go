// Package gin is the shop on Gin.
package gin

import (
	"io"
	"net/http"

	"github.com/gin-gonic/gin"
	adapter "github.com/gwatts/gin-adapter"

	"github.com/gosojourn/sojourn/lab/compat/shop"
)

// New is the application: the whole engine is wrapped.
func New(s *shop.Shop) http.Handler {
	sessions := s.Sessions
	engine := newEngine()
	engine.GET("/", func(c *gin.Context) {
		c.String(http.StatusOK, s.Home(c.Request.Context())) // not c itself
	})
	routes(engine, s)
	return sessions.LoadAndSave(engine)
}

// Adapted uses an adapter, which passes on the methods of LoadAndSave's writer that net/http has. Gin's
// own go past it: use New.
func Adapted(s *shop.Shop) http.Handler {
	engine := newEngine()
	engine.Use(adapter.Wrap(s.Sessions.LoadAndSave))
	engine.GET("/", func(c *gin.Context) {
		c.String(http.StatusOK, s.Home(c.Request.Context()))
	})
	routes(engine, s)
	return engine
}

// Ignored is the mistake that most people make: LoadAndSave's writer is thrown away, and no cookie is sent.
func Ignored(s *shop.Shop) http.Handler {
	engine := newEngine()
	engine.Use(func(c *gin.Context) {
		s.Sessions.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			c.Request = r
			c.Next()
		})).ServeHTTP(c.Writer, c.Request)
	})
	engine.GET("/", func(c *gin.Context) {
		c.String(http.StatusOK, s.Home(c.Request.Context()))
	})
	routes(engine, s)
	return engine
}

func newEngine() *gin.Engine {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.Use(gin.CustomRecoveryWithWriter(io.Discard, func(c *gin.Context, _ any) {
		c.AbortWithStatus(http.StatusInternalServerError)
	}))
	return engine
}

func routes(engine *gin.Engine, s *shop.Shop) {
	engine.POST("/login", func(c *gin.Context) {
		if err := s.Login(c.Request.Context(), c.PostForm("name")); err != nil {
			c.String(http.StatusBadRequest, err.Error())
			return
		}
		c.Redirect(http.StatusSeeOther, "/")
	})
	engine.POST("/logout", func(c *gin.Context) {
		_ = s.Sessions.Logout(c.Request.Context())
		c.Redirect(http.StatusSeeOther, "/")
	})
	engine.GET("/about", func(c *gin.Context) { c.String(http.StatusOK, "About us") })
	engine.POST("/add", func(c *gin.Context) { c.String(http.StatusOK, s.Add(c.Request.Context())) })
	engine.POST("/slow", func(c *gin.Context) { c.String(http.StatusOK, s.Slow(c.Request.Context())) })
	engine.POST("/refuse", func(c *gin.Context) {
		s.Add(c.Request.Context())
		c.AbortWithStatusJSON(http.StatusConflict, gin.H{"error": "sold out"})
	})
	engine.GET("/stream", func(c *gin.Context) {
		s.Add(c.Request.Context())
		parts := []string{"one", "two"}
		c.Stream(func(w io.Writer) bool {
			if len(parts) == 1 {
				s.Wait()
			}
			_, _ = io.WriteString(w, parts[0])
			parts = parts[1:]
			return len(parts) > 0
		})
	})
	engine.POST("/late", func(c *gin.Context) {
		c.String(http.StatusOK, "first ")
		c.String(http.StatusOK, s.Late(c.Request.Context()))
	})
	engine.POST("/break", func(c *gin.Context) { s.Break(c.Request.Context()) })
	engine.POST("/breaklater", func(c *gin.Context) { s.BreakLater(c.Request.Context()) })
	engine.GET("/chat", func(c *gin.Context) { s.Chat(c.Writer, c.Request) })
}
