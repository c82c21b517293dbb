package main

import (
	"net/http"
	"net/http/httptest"

	"github.com/gofiber/fiber/v3"
	fibersession "github.com/gofiber/fiber/v3/middleware/session"
)

type fiberOne struct{ *fibersession.Middleware }

func (s fiberOne) Get(key string) any        { return s.Middleware.Get(key) }
func (s fiberOne) Set(key string, value any) { s.Middleware.Set(key, value) }
func (s fiberOne) Renew()                    { must(0, s.Regenerate()) }
func (s fiberOne) End()                      { must(0, s.Destroy()) }

func fiberSession() peer {
	middleware, _ := fibersession.NewWithStore()
	return peer{"Fiber, memory", func(cookie string, handler func(session)) string {
		app := fiber.New()
		app.Use(middleware)
		app.Get("/", func(c fiber.Ctx) error {
			handler(fiberOne{fibersession.FromContext(c)})
			return nil
		})
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Cookie", cookie)
		w := must(app.Test(r, fiber.TestConfig{Timeout: 0}))
		return w.Header.Get("Set-Cookie")
	}}
}
