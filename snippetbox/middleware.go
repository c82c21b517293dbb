package main

import (
	"fmt"
	"net/http"
	"runtime/debug"
	"time"
)

// logRequest writes a line for each answer. Never a header, a form or a query: they hold secrets.
func (app *application) logRequest(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start, rec := time.Now(), &recorder{ResponseWriter: w}
		defer func() {
			app.logger.Info("request", "method", r.Method, "path", r.URL.Path,
				"status", rec.status, "took", time.Since(start).Round(time.Microsecond))
		}()
		next.ServeHTTP(rec, r)
	})
}

// recorder remembers the status of an answer; 0: there is none yet.
type recorder struct {
	http.ResponseWriter
	status int
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// recoverPanic answers 500 for a handler that panics, unless part of its answer has gone out: then the
// connection breaks, so that nobody takes half a page for a whole one.
func (app *application) recoverPanic(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := &recorder{ResponseWriter: w}
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if p == http.ErrAbortHandler {
				panic(p)
			}
			app.logger.Error("panic", "method", r.Method, "path", r.URL.Path, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			if rec.status != 0 {
				panic(http.ErrAbortHandler)
			}
			app.errorPage(w, r, http.StatusInternalServerError)
		}()
		next.ServeHTTP(rec, r)
	})
}

// commonHeaders: pages run no script but the site's own, load nothing from elsewhere, are framed by nobody, and are kept by
// no cache, because each shows something of its reader's session (OWASP Session Management, caching).
func commonHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// sameOrigin refuses forms that another site's page sends.
func (app *application) sameOrigin(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	protection.AddInsecureBypassPattern("POST /dbsc/") // the browser's own requests, which look at no cookie
	// Browsers send no cookies along with such a form, so it tells nothing about who is logged in.
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		app.errorPage(w, r, http.StatusForbidden)
	}))
	return protection.Handler(next)
}

// orErrorPage is mux, with pages instead of its own bare 404 and 405.
func (app *application) orErrorPage(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if answer, pattern := mux.Handler(r); pattern == "" {
			probe := &probe{header: http.Header{}}
			answer.ServeHTTP(probe, r)
			if probe.status >= 400 {
				if allow := probe.header.Get("Allow"); allow != "" {
					w.Header().Set("Allow", allow)
				}
				app.errorPageForVisitor(w, r, probe.status)
				return
			}
		}
		mux.ServeHTTP(w, r)
	})
}

// probe takes an answer and sends it nowhere.
type probe struct {
	header http.Header
	status int
}

func (p *probe) Header() http.Header         { return p.header }
func (p *probe) WriteHeader(status int)      { p.status = status }
func (p *probe) Write(b []byte) (int, error) { return len(b), nil }
