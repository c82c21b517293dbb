package main

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/gosojourn/sojourn"
)

//go:embed ui
var ui embed.FS

// pages are the templates by name, each with the frame and the partials around it.
type pages map[string]*template.Template

// A view is what a template shows. Each page uses its part of it.
type view struct {
	Path    string // of the request
	Theme   string // light, dark, or "": as the system has it
	Known   bool   // whether it is known if there is a User
	User    *user
	Warning float64 // seconds before the end of the session
	Flashes []string
	Visits  int // 0: not to be shown

	Snippet  snippet
	Snippets []snippet
	Sessions []sojourn.Info
	Admin    bool // may see everybody's sessions
	Unlisted bool // nobody knows the Sessions: the browsers keep them
	Form     form
	Draft    []hidden // what the login page carries along

	Status              int
	StatusText, Message string
	Again               *again
}

// Holds reports whether somebody's writing is on the page alone, and would be lost by leaving it.
func (v view) Holds() bool {
	return len(v.Draft) > 0 || v.Again != nil && len(v.Again.Fields) > 0
}

func parsePages() (pages, error) {
	files, err := fs.Glob(ui, "ui/html/pages/*.tmpl")
	if err != nil {
		return nil, err
	}
	assets, err := assetURLs()
	if err != nil {
		return nil, err
	}
	funcs := template.FuncMap{
		"asset":   func(name string) (string, error) { return assetURL(assets, name) },
		"humane":  func(t time.Time) string { return humane(time.Now(), t) },
		"exact":   func(t time.Time) string { return t.UTC().Format("2 January 2006 at 15:04 UTC") },
		"day":     func(t time.Time) string { return t.UTC().Format("2 January 2006") },
		"machine": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"excerpt": excerpt,
	}
	all := pages{}
	for _, file := range files {
		t, err := template.New("").Funcs(funcs).ParseFS(ui, "ui/html/base.tmpl", "ui/html/partials/*.tmpl", file)
		if err != nil {
			return nil, err
		}
		all[strings.TrimSuffix(path.Base(file), ".tmpl")] = t
	}
	return all, nil
}

// show answers with a page for the session: it counts the visit and takes the messages that wait.
func (app *application) show(w http.ResponseWriter, r *http.Request, status int, name string, v view) {
	ctx := r.Context()
	if r.Method == http.MethodGet {
		// Whoever has no session gets none for looking at a page.
		if app.sessionManager.Info(ctx).ID != "" {
			visits.Update(ctx, func(n int) int { return n + 1 })
		}
		var err error
		if v.Flashes, err = app.takeFlashes(r); err != nil && !errors.Is(err, sojourn.ErrEnded) {
			app.sessionFailed(w, r, err)
			return
		}
	}
	v.Draft = v.Form.draft()
	v.Visits = visits.Get(ctx)
	app.render(w, r, status, name, v)
}

// flash leaves a message for the next page.
func flash(ctx context.Context, message string) { sojourn.Append(ctx, flashes, message) }

// render answers with a page, or with 500 and nothing of it: half a page helps nobody.
func (app *application) render(w http.ResponseWriter, r *http.Request, status int, name string, v view) {
	v.Path, v.Theme = r.URL.Path, theme.In(app.preferences).Get(r.Context())
	v.Flashes = slices.Compact(v.Flashes) // two pages may have asked for the login
	// While something does not answer, nobody is called logged in or logged out.
	if found := visitorOf(r); found.known && status != http.StatusServiceUnavailable {
		v.Known, v.User, v.Warning = true, found.user, found.warning.Seconds()
	}
	var page bytes.Buffer
	if err := app.pages.execute(&page, name, v); err != nil {
		app.logger.Error("template failed", "page", name, "error", err)
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	page.WriteTo(w)
}

func (p pages) execute(to *bytes.Buffer, name string, v view) error {
	t, ok := p[name]
	if !ok {
		return fmt.Errorf("there is no page %q", name)
	}
	return t.ExecuteTemplate(to, "base", v)
}

// humane says when t is, the way people do.
func humane(now, t time.Time) string {
	d := t.Sub(now)
	future := d > 0
	d = d.Abs()
	count := func(unit time.Duration, name string) string {
		n := int((d + unit/2) / unit)
		if n != 1 {
			name += "s"
		}
		if future {
			return fmt.Sprintf("in %d %s", n, name)
		}
		return fmt.Sprintf("%d %s ago", n, name)
	}
	const day = 24 * time.Hour
	switch {
	case d < time.Minute && future:
		return "in less than a minute"
	case d < time.Minute:
		return "just now"
	case d < 59*time.Minute+30*time.Second:
		return count(time.Minute, "minute")
	case d < 23*time.Hour+30*time.Minute:
		return count(time.Hour, "hour")
	case d < 14*day:
		return count(day, "day")
	}
	return "on " + t.UTC().Format("2 January 2006")
}

// oneLine makes one line of s.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// excerpt is the beginning of a text, for a list: three lines at most.
func excerpt(s string) string {
	const lines, chars = 3, 160
	s = strings.TrimSpace(s)
	more := ""
	if parts := strings.SplitN(s, "\n", lines+1); len(parts) > lines {
		s, more = strings.Join(parts[:lines], "\n"), "\n…"
	}
	if r := []rune(s); len(r) > chars {
		s, more = string(r[:chars]), "…"
	}
	return s + more
}

// takeFlashes has each message shown once. Take commits what else was changed, too, so that what the page shows is what was
// saved. Where the browser keeps the session there is Pop, and two pages at once may both show a message: of a visitor's,
// Take would make a row.
func (app *application) takeFlashes(r *http.Request) (all []string, err error) {
	ctx := r.Context()
	if app.sealsVisitors && app.sessionManager.Info(ctx).Owner == "" {
		return flashes.Pop(ctx), nil
	}
	if all, _, err = flashes.Take(ctx); errors.Is(err, errors.ErrUnsupported) {
		return flashes.Pop(ctx), nil
	}
	return all, err
}
