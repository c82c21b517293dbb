package admin

import (
	"context"
	"net/http"
	"strings"

	"github.com/gosojourn/sojourn"
)

// A Handler has the pages. It is made by [New], and safe for concurrent use.
type Handler struct {
	m          *sojourn.Manager
	cfg        Config
	everyone   func(context.Context) error
	feed       *feed
	mux        *http.ServeMux
	protection *http.CrossOriginProtection
}

// policy: the pages load their own style sheet, their own script and their own figures, and nothing else. Nobody frames
// them, and no script writes HTML (CSP 3; ASVS V3.4).
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; " +
	"base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"

func (h *Handler) routes() {
	h.protection = http.NewCrossOriginProtection()
	h.mux = http.NewServeMux()
	h.mux.HandleFunc("GET /{$}", h.overview)
	h.mux.HandleFunc("GET /session", h.session)
	h.mux.HandleFunc("GET /figures", h.figures)
	for path, do := range map[string]http.HandlerFunc{"/end-session": h.endSession, "/end-owner": h.endOwner, "/end-everyone": h.endEveryone} {
		h.mux.HandleFunc("POST "+path, do)
		h.mux.HandleFunc(path, h.onlyForms)
	}
	h.mux.HandleFunc("/", h.nowhere)
}

// ServeHTTP answers one request. Its path is the one below where the pages are mounted: see [http.StripPrefix].
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	head := w.Header()
	head.Set("Content-Security-Policy", policy)
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("X-Frame-Options", "DENY")
	head.Set("Referrer-Policy", "same-origin") // without a referrer, older browsers call the origin of a form null
	head.Set("Cross-Origin-Opener-Policy", "same-origin")
	head.Set("Cross-Origin-Resource-Policy", "same-origin")
	if serveAsset(w, r) { // there is nothing in them that is not in the library's source
		return
	}
	head.Set("Cache-Control", "no-store")
	if err := h.protection.Check(r); err != nil {
		h.say(w, http.StatusForbidden, notice{Title: "Nothing was done", Text: "This form came from a page of another site."})
		return
	}
	who, err := h.cfg.Authorize(r)
	switch {
	case sojourn.Unavailable(err):
		h.say(w, http.StatusServiceUnavailable, notice{Title: "The store does not answer", Text: "Nobody can say who you are just now, so there is nothing to see. Try again in a moment."})
	case err != nil || who == "":
		h.say(w, http.StatusForbidden, notice{Title: "Not for you", Text: "This page is for administrators. If you are one, log in as such, and come back."})
	case !strings.HasPrefix(r.URL.Path, "/"): // the mux would lead to the host's own first page
		h.nowhere(w, r)
	default:
		ctx := context.WithValue(sojourn.WithActor(r.Context(), who), whoKey{}, who)
		h.mux.ServeHTTP(w, r.WithContext(ctx))
	}
}

type whoKey struct{}

// whoOf is who Authorize says it is.
func whoOf(r *http.Request) string {
	who, _ := r.Context().Value(whoKey{}).(string)
	return who
}

// onlyForms answers a link to an action: it does nothing.
func (h *Handler) onlyForms(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Allow", http.MethodPost)
	h.say(w, http.StatusMethodNotAllowed, notice{Title: "Nothing was done", Text: "A link ends no session. Use the buttons.", Who: whoOf(r), Back: true})
}

// nowhere also answers where the prefix was not taken off, so it says what is missing.
func (h *Handler) nowhere(w http.ResponseWriter, r *http.Request) {
	h.say(w, http.StatusNotFound, notice{Who: whoOf(r),
		Title: "There is no such page",
		Text:  "If there should be one, the application has to take the path of these pages off with http.StripPrefix, all but its last slash, and has to mount them at the path with that slash.",
	})
}

// Close ends the live figures of every page, and begins no others. A server that shuts down waits for requests that are
// under way, and these would not end: server.RegisterOnShutdown(h.Close).
func (h *Handler) Close() { h.feed.close() }
