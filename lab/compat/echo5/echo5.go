// Package echo5 is the shop on Echo v5.
package echo5

import (
	"io"
	"log/slog"
	"net/http"

	"github.com/labstack/echo/v5"
	"github.com/labstack/echo/v5/middleware"

	"github.com/gosojourn/sojourn/lab/compat/shop"
)

// New is the application.
func New(s *shop.Shop) http.Handler {
	sessions := s.Sessions
	e := echo.New()
	e.Use(middleware.Recover()) // first: it answers a panic when its function has returned
	e.Use(echo.WrapMiddleware(sessions.LoadAndSave))
	e.GET("/", func(c *echo.Context) error {
		return c.String(http.StatusOK, s.Home(c.Request().Context()))
	})
	routes(e, s)
	return e
}

// Whole wraps the whole of Echo.
func Whole(s *shop.Shop) http.Handler {
	e := echo.New()
	e.Use(middleware.Recover())
	e.GET("/", func(c *echo.Context) error {
		return c.String(http.StatusOK, s.Home(c.Request().Context()))
	})
	routes(e, s)
	return s.Sessions.LoadAndSave(e)
}

func routes(e *echo.Echo, s *shop.Shop) {
	e.Logger = slog.New(slog.DiscardHandler)
	e.POST("/login", func(c *echo.Context) error {
		if err := s.Login(c.Request().Context(), c.FormValue("name")); err != nil {
			return echo.NewHTTPError(http.StatusBadRequest, err.Error())
		}
		return c.Redirect(http.StatusSeeOther, "/")
	})
	e.POST("/logout", func(c *echo.Context) error {
		_ = s.Sessions.Logout(c.Request().Context())
		return c.Redirect(http.StatusSeeOther, "/")
	})
	e.GET("/about", func(c *echo.Context) error { return c.String(http.StatusOK, "About us") })
	e.POST("/add", func(c *echo.Context) error { return c.String(http.StatusOK, s.Add(c.Request().Context())) })
	e.POST("/slow", func(c *echo.Context) error { return c.String(http.StatusOK, s.Slow(c.Request().Context())) })
	e.POST("/refuse", func(c *echo.Context) error {
		s.Add(c.Request().Context())
		return echo.NewHTTPError(http.StatusConflict, "sold out")
	})
	e.GET("/stream", func(c *echo.Context) error {
		s.Add(c.Request().Context())
		_, _ = io.WriteString(c.Response(), "one")
		_ = http.NewResponseController(c.Response()).Flush()
		s.Wait()
		_, err := io.WriteString(c.Response(), "two")
		return err
	})
	e.POST("/late", func(c *echo.Context) error {
		_, _ = io.WriteString(c.Response(), "first ")
		_, err := io.WriteString(c.Response(), s.Late(c.Request().Context()))
		return err
	})
	e.POST("/break", func(c *echo.Context) error { s.Break(c.Request().Context()); return nil })
	e.POST("/breaklater", func(c *echo.Context) error { s.BreakLater(c.Request().Context()); return nil })
	e.GET("/chat", func(c *echo.Context) error { s.Chat(c.Response(), c.Request()); return nil })
}
