package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gosojourn/sojourn"
)

// Of the sessions that a search finds, a page shows few, or many if it is asked to. It asks the store for one more, to
// say whether there are more.
const (
	few            = 50
	many           = 500
	searchPatience = 5 * time.Second
)

// A search is what somebody looks for, and what was found.
type search struct {
	By, Query string // By is owner, id, device, or "": everybody
	Most      int    // how many are shown

	Owner  named // who was meant
	Found  []row
	More   bool // there are more than are shown
	Of     int  // those that are shown are the latest used of so many; 0: they are the first that came
	Rest   bool // there are more than Of
	Cut    bool // by time or SearchLimit: there are sessions that were not looked at
	Looked int  // at so many, in vain or not
	Wrong  string
	Err    error // of the store
}

// A named owner is one as people call him.
type named struct{ Owner, Name string }

// A row is one session that was found.
type row struct {
	sojourn.Info
	Name string // of its owner
}

// readSearch is what the request asks for.
func readSearch(r *http.Request) *search {
	q := r.URL.Query()
	s := &search{By: q.Get("by"), Query: q.Get("q"), Most: few}
	if q.Get("show") == "many" {
		s.Most = many
	}
	if s.Query == "" {
		s.By = ""
	}
	return s
}

// search finds what s asks for. Errors are in s, because they are a part of the page.
func (h *Handler) search(r *http.Request, s *search) {
	everybody := func(sojourn.Info) bool { return true }
	if s.By == "" && s.Query != "" {
		s.By = "?" // to show everybody would look like an answer
	}
	switch s.By {
	case "":
		h.take(r, s, h.m.All(r.Context()), everybody)
	case "owner":
		if h.whoIsMeant(r.Context(), s); s.Wrong != "" || s.Err != nil {
			return
		}
		// Of all that may be shown the latest come first, so as many are read, however few are shown.
		most := s.Most
		s.Most = many
		h.take(r, s, h.m.List(r.Context(), s.Owner.Owner), everybody)
		s.latest(most)
	case "device":
		h.take(r, s, h.m.All(r.Context()), usesDevice(s.Query))
	case "id":
		h.findOne(r.Context(), s)
	default:
		s.By, s.Wrong = "", "Search by owner, id or device."
	}
	h.name(r.Context(), s)
}

func (h *Handler) whoIsMeant(ctx context.Context, s *search) {
	if len(s.Query) > 255 || !utf8.ValidString(s.Query) {
		s.Wrong = "An owner has at most 255 bytes of UTF-8."
		return
	}
	owner := s.Query
	if h.cfg.OwnerOf != nil {
		known, err := h.cfg.OwnerOf(ctx, s.Query)
		if err != nil {
			s.Err = fmt.Errorf("who is meant could not be found out: %w", err)
			return
		}
		owner = cmp.Or(known, owner)
	}
	s.Owner = named{owner, h.nameOf(ctx, owner)}
}

func (h *Handler) findOne(ctx context.Context, s *search) {
	if s.Wrong = notAnID(s.Query); s.Wrong != "" {
		s.Query = "" // it may be a token, which no page shows
		return
	}
	i, err := h.m.Find(ctx, s.Query)
	if err == nil {
		s.Found = []row{{Info: i}}
	} else if !errors.Is(err, sojourn.ErrNotFound) {
		s.Err = err
	}
}

// nameOf is what a page calls an owner.
func (h *Handler) nameOf(ctx context.Context, owner string) string {
	if h.cfg.NameOf == nil || owner == "" {
		return owner
	}
	return cmp.Or(h.cfg.NameOf(ctx, owner), owner)
}

// name finds out what the owners of all that was found are called.
func (h *Handler) name(ctx context.Context, s *search) {
	known := make(map[string]string)
	for i := range s.Found {
		owner := s.Found[i].Owner
		if _, ok := known[owner]; !ok {
			known[owner] = h.nameOf(ctx, owner)
		}
		s.Found[i].Name = known[owner]
	}
}

// take reads sessions until there are enough, or too many were looked at.
func (h *Handler) take(r *http.Request, s *search, all iter.Seq2[sojourn.Info, error], wanted func(sojourn.Info) bool) {
	began := time.Now()
	for i, err := range all {
		if err != nil {
			s.Err = err
			return
		}
		if s.Looked >= h.cfg.SearchLimit || time.Since(began) > searchPatience || r.Context().Err() != nil {
			s.Cut = true
			return
		}
		s.Looked++
		if !wanted(i) {
			continue
		}
		if len(s.Found) == s.Most {
			s.More = true
			return
		}
		s.Found = append(s.Found, row{Info: i})
	}
}

// latest keeps those that were used last.
func (s *search) latest(most int) {
	slices.SortFunc(s.Found, func(a, b row) int {
		return cmp.Or(b.LastSeen.Compare(a.LastSeen), cmp.Compare(a.ID, b.ID))
	})
	s.Most = most
	if len(s.Found) > most {
		s.Of, s.Rest = len(s.Found), s.More
		s.Found, s.More = s.Found[:most], true
	}
}

// usesDevice finds words in whatever is kept of a client, whether in capitals or not.
func usesDevice(query string) func(sojourn.Info) bool {
	query = strings.ToLower(query)
	return func(i sojourn.Info) bool {
		for _, text := range []string{i.Device.Label, i.Device.Addr, i.Device.Agent} {
			if strings.Contains(strings.ToLower(text), query) {
				return true
			}
		}
		return false
	}
}

const (
	idLen    = 24
	tokenLen = 64
	alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
)

// notAnID says what is wrong with an id, and does not repeat it.
func notAnID(id string) string {
	switch {
	case len(id) == tokenLen && strings.Trim(id, alphabet) == "":
		return "That is a token, not an id: whoever has it is logged in. The id is its first 24 characters. If others have seen the token, end that session."
	case len(id) != idLen || strings.Trim(id, alphabet) != "":
		return "That is no id of a session: it has 24 characters of A to Z, a to z, 0 to 9, - and _."
	}
	return ""
}
