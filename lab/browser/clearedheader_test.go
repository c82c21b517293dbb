package browser

import (
	"net/http"
	"testing"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
)

// F2, F8. A handler logs in, commits early, and then clears the header map, and tells a CDN to keep the
// answer: the cookie arrives all the same, and no cache may keep it.
func TestLoginSurvivesAClearedHeader(t *testing.T) {
	for how, wrap := range map[string]func(http.Handler) http.Handler{
		"alone":               func(h http.Handler) http.Handler { return h },
		"in a TimeoutHandler": func(h http.Handler) http.Handler { return http.TimeoutHandler(h, patience, "late") },
	} {
		t.Run(how, func(t *testing.T) {
			m, err := sojourn.New(memstore.New(), sojourn.Config{})
			if err != nil {
				t.Fatal(err)
			}
			mux := http.NewServeMux()
			mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
				show(w, "Hello %s.", orNobody(m.Info(r.Context()).Owner))
			})
			mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
				if err := m.Login(r.Context(), "ann"); err != nil {
					t.Error(err)
				}
				if err := m.Commit(r.Context()); err != nil {
					t.Error(err)
				}
				clear(w.Header())
				http.SetCookie(w, &http.Cookie{Name: "colour", Value: "blue", Path: "/"})
				w.Header().Set("CDN-Cache-Control", "public, max-age=3600")
				show(w, "Welcome.")
			})
			s := stage(t, "shop.test", m.LoadAndSave(wrap(mux)))
			b := s.browser(t)
			b.get("/")
			b.says("Hello nobody.")
			const caches = `fetch("/login", { method: "POST" }).then(r => r.headers.get("Cache-Control") + ", " + r.headers.get("CDN-Cache-Control"))`
			if got := js[string](b, caches); got != "no-store, null" {
				t.Errorf("Cache-Control and CDN-Cache-Control: %s", got)
			}
			if all := b.cookies(); all[name] == nil || all["colour"] == nil {
				t.Errorf("stored: %v", all)
			}
			b.get("/")
			b.says("Hello ann.")
		})
	}
}
