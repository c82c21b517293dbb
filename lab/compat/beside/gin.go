package main

import (
	"net/http"
	"net/http/httptest"

	"github.com/gin-contrib/sessions"
	"github.com/gin-contrib/sessions/memstore"
	"github.com/gin-gonic/gin"
)

type ginSession struct{ sessions.Session }

func (s ginSession) Get(key string) any        { return s.Session.Get(key) }
func (s ginSession) Set(key string, value any) { s.Session.Set(key, value) }
func (s ginSession) Renew()                    {} // there is nothing for it
func (s ginSession) End() {
	s.Clear()
	s.Options(sessions.Options{Path: "/", MaxAge: -1})
}

func ginContrib() peer {
	gin.SetMode(gin.ReleaseMode)
	store := memstore.NewStore([]byte("0123456789abcdef0123456789abcdef"))
	return peer{"gin-contrib/sessions, memory", func(cookie string, handler func(session)) string {
		e := gin.New()
		e.Use(sessions.Sessions("session", store))
		e.GET("/", func(c *gin.Context) {
			s := sessions.Default(c)
			handler(ginSession{s})
			if err := s.Save(); err != nil {
				panic(err)
			}
		})
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Cookie", cookie)
		e.ServeHTTP(w, r)
		return w.Header().Get("Set-Cookie")
	}}
}
