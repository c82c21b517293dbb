package admin

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gosojourn/sojourn"
)

//go:embed ui
var ui embed.FS

// assets are the files that pages load, by name, with the kind that each is.
var assets = map[string]string{"style.css": "text/css; charset=utf-8", "live.js": "text/javascript; charset=utf-8", "icon.svg": "image/svg+xml"}

var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"asset":   assetURL,
	"ago":     func(t time.Time) string { return ago(time.Now(), t) },
	"exact":   func(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04:05 UTC") },
	"machine": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"visible": visible,
	"number":  number,
	"high":    func() int { return high },
	"steps":   func() int { return keep },
	"word":    func() string { return everyoneWord },
}).ParseFS(ui, "ui/*.tmpl"))

// A notice is a page that says one thing.
type notice struct {
	Title, Text string
	Detail      string // in the store's own words
	Again       string // where to send the same form once more
	Who         string
	Back        bool // to the search
}

func (h *Handler) say(w http.ResponseWriter, status int, n notice) {
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	h.show(w, status, "notice", n)
}

// An overview is the page with the figures and the search.
type overview struct {
	Title, Who string
	Search     *search
	Unlisted   bool // the store cannot tell
	Figures    []card
	Since      time.Time // of the figures
	Unwired    bool      // nobody tells the figures anything
}

func (h *Handler) overview(w http.ResponseWriter, r *http.Request) {
	s := readSearch(r)
	h.search(r, s)
	o := overview{Title: "Sessions", Who: whoOf(r), Search: s}
	status := http.StatusOK
	switch {
	case errors.Is(s.Err, errors.ErrUnsupported):
		o.Unlisted = true
	case s.Err != nil:
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "5")
	case s.Wrong != "":
		status = http.StatusBadRequest
	}
	if h.cfg.Figures != nil {
		o.Since = h.cfg.Figures.since
		h.awaitCount()
		o.Figures = h.feed.cards()
		o.Unwired = s.Err == nil && !h.cfg.Figures.seen()
	}
	h.show(w, status, "overview", o)
}

// countPatience is how long a page waits for the number of live sessions. One that comes later is on the next, or in
// the stream.
const countPatience = 300 * time.Millisecond

func (h *Handler) awaitCount() {
	if over := h.feed.count(); over != nil {
		select {
		case <-over:
		case <-time.After(countPatience):
		}
	}
}

func (h *Handler) session(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Query().Get("id")
	if wrong := notAnID(id); wrong != "" {
		h.say(w, http.StatusBadRequest, notice{Title: "There is no such session", Text: wrong, Who: whoOf(r), Back: true})
		return
	}
	i, err := h.m.Find(r.Context(), id)
	switch {
	case err == nil:
		h.show(w, http.StatusOK, "session", struct {
			Title, Who string
			row
		}{"One session", whoOf(r), row{i, h.nameOf(r.Context(), i.Owner)}})
	case errors.Is(err, sojourn.ErrNotFound):
		h.say(w, http.StatusNotFound, notice{Title: "There is no such session", Text: "It has ended, or there was none.", Who: whoOf(r), Back: true})
	case errors.Is(err, errors.ErrUnsupported):
		h.say(w, http.StatusOK, notice{Title: "Nobody can say", Text: "What keeps the sessions cannot look one up.", Detail: err.Error(), Who: whoOf(r), Back: true})
	default:
		h.say(w, http.StatusServiceUnavailable, notice{Title: "The store does not answer", Text: "So nobody knows just now. Try again in a moment.", Detail: err.Error(), Who: whoOf(r), Back: true})
	}
}

// show answers with a page whole, or with none of it.
func (h *Handler) show(w http.ResponseWriter, status int, name string, data any) {
	var page bytes.Buffer
	if err := pages.ExecuteTemplate(&page, name, data); err != nil {
		http.Error(w, "The page could not be made.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = page.WriteTo(w)
}

func serveAsset(w http.ResponseWriter, r *http.Request) bool {
	name := strings.TrimPrefix(r.URL.Path, "/")
	kind, ok := assets[name]
	if !ok || r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	data, err := ui.ReadFile("ui/" + name)
	if err != nil {
		return false
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-cache")
	if r.URL.RawQuery == digest(data) {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	_, _ = w.Write(data)
	return true
}

// assetURL changes when the file does, so that browsers may keep it for good.
func assetURL(name string) (string, error) {
	data, err := ui.ReadFile("ui/" + name)
	return name + "?" + digest(data), err
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

// visible shows what cannot be seen, such as a line break or a letter that turns the direction of writing: an owner may
// be any UTF-8.
func visible(s string) string {
	if strings.IndexFunc(s, func(c rune) bool { return !strconv.IsPrint(c) }) < 0 {
		return s
	}
	var b strings.Builder
	for _, c := range s {
		if strconv.IsPrint(c) {
			b.WriteRune(c)
		} else {
			q := strconv.QuoteRuneToASCII(c)
			b.WriteString(q[1 : len(q)-1])
		}
	}
	return b.String()
}

// ago says when t is, as people do.
func ago(now, t time.Time) string {
	d, in := now.Sub(t), false
	if d < 0 {
		d, in = -d, true
	}
	var text string
	switch {
	case t.IsZero():
		return "never"
	case d < 90*time.Second:
		text = fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 90*time.Minute:
		text = fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		text = fmt.Sprintf("%d h", int(d.Hours()))
	default:
		text = fmt.Sprintf("%d days", int(d.Hours()/24))
	}
	if in {
		return "in " + text
	}
	return text + " ago"
}
