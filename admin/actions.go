package admin

import (
	"context"
	"errors"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/gosojourn/sojourn"
)

// everyoneWord is what somebody has to type who wants to end everybody's sessions.
const everyoneWord = "everybody"

// everyonePatience is how long a server may work on that, in place of its WriteTimeout: there may be millions of rows.
const everyonePatience = 10 * time.Minute

func (h *Handler) endSession(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Query().Get("id")
	if wrong := notAnID(id); wrong != "" {
		h.say(w, http.StatusBadRequest, notice{Title: "Nothing was done", Text: wrong, Who: whoOf(r), Back: true})
		return
	}
	h.end(w, r, action{
		done: "The session has ended", text: "Whoever used it is logged out by the next request.",
		do: func(ctx context.Context) error { return h.m.RevokeID(ctx, id) },
	})
}

func (h *Handler) endOwner(w http.ResponseWriter, r *http.Request) {
	owner := r.URL.Query().Get("owner")
	if owner == "" || len(owner) > 255 || !utf8.ValidString(owner) {
		h.say(w, http.StatusBadRequest, notice{Title: "Nothing was done", Text: "It was not said whose sessions should end.", Who: whoOf(r), Back: true})
		return
	}
	h.end(w, r, action{
		done: "All sessions of this owner have ended", text: "Logins that were under way fail, too. Nothing keeps the owner from logging in again.",
		half: "Sessions of this owner may go on", left: "Logins that were under way fail. But not every session could be deleted: see to the store, and try again.",
		do: func(ctx context.Context) error { return h.m.RevokeAll(ctx, owner) },
	})
}

func (h *Handler) endEveryone(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<16)
	if r.PostFormValue("confirm") != everyoneWord {
		h.say(w, http.StatusUnprocessableEntity, notice{Title: "Nothing was done", Text: "To end everybody's sessions, type the word " + everyoneWord + " into the field.", Who: whoOf(r), Back: true})
		return
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(everyonePatience))
	h.end(w, r, action{
		done: "Everybody's sessions have ended", text: "Everybody has to log in again.",
		half: "Everybody is out, and rows are left", left: "Everybody has to log in again, within a few seconds. The rows of ended sessions could not all be deleted: they go when they expire, or when you do this again.",
		do: h.everyone,
	})
}

// An action is what somebody asks for, with the title and the text of its page when it is done, and when it is half
// done.
type action struct {
	done, text string
	half, left string
	do         func(context.Context) error
}

// end does what was asked for, and says what came of it. The page is the answer to the form itself: to send it again
// does no harm, and no link can show one that says what has not been done.
func (h *Handler) end(w http.ResponseWriter, r *http.Request, a action) {
	own := hasSession(r)
	n := notice{Title: a.done, Text: a.text, Who: whoOf(r), Back: true}
	status := http.StatusOK
	err := a.do(r.Context())
	unfinished := errors.Is(err, sojourn.ErrUnfinished)
	switch {
	case unfinished:
		status, n.Title, n.Text, n.Detail, n.Again = http.StatusServiceUnavailable, a.half, a.left, err.Error(), again(r)
	case errors.Is(err, sojourn.ErrNotFound):
		status, n.Title, n.Text = http.StatusNotFound, "There is no such session", "It has ended already, or there was none."
	case errors.Is(err, errors.ErrUnsupported):
		status, n.Title, n.Text, n.Detail = http.StatusNotImplemented, "Nothing was done", "What keeps the sessions cannot do that.", err.Error()
	case errors.Is(err, sojourn.ErrRefused):
		status, n.Title, n.Text, n.Detail = http.StatusServiceUnavailable, "Nothing was done", "The store refuses, and will again until somebody sees to it.", err.Error()
	case err != nil:
		status, n.Title, n.Detail, n.Again = http.StatusServiceUnavailable, "It may not have been done", err.Error(), again(r)
		n.Text = "The store does not answer, so nobody knows whether these sessions have ended. Try again: to end what has ended does no harm."
	}
	if own && (err == nil || unfinished) && ended(r) {
		n.Text += " Your own session was among them."
		n.Back, n.Who, n.Again = false, "", ""
	}
	h.say(w, status, n)
}

// hasSession reports whether the administrator is known by a session.
func hasSession(r *http.Request) bool {
	m, ok := sojourn.FromContext(r.Context())
	return ok && m.Info(r.Context()).ID != ""
}

// ended reports whether that session is no more.
func ended(r *http.Request) bool {
	m, _ := sojourn.FromContext(r.Context())
	return errors.Is(m.Valid(r.Context()), sojourn.ErrEnded)
}

// again is where the form is to be sent once more: what to end is in the address.
func again(r *http.Request) string {
	if r.URL.Path == "/end-everyone" {
		return "" // its word is typed anew
	}
	return r.URL.Path[1:] + "?" + r.URL.RawQuery
}
