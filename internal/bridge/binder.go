package bridge

import (
	"context"
	"net/http"
	"time"
)

// A Binder decides, for one manager, whether a session that is bound to a device may be had by a request.
type Binder interface {
	// Own reports whether r is for the binder's own handlers, which use no cookie.
	Own(r *http.Request) bool

	// Offer makes what a login keeps in the record until a key comes; nil where none is asked for.
	Offer() []byte

	// Invitation is the header line that goes with a login which has kept what Offer made.
	Invitation(id string, offered []byte) (name, value string)

	// Judge says why r may not have the session, "" if it may. binding is what the record holds, authAt its last
	// login, zero if nobody is logged in. theft: nothing but a copy of the cookies explains the request.
	Judge(r *http.Request, binding []byte, authAt time.Time) (reason string, theft bool)

	// Asks reports whether r is to be answered, by Ask, with a page that has the browser prove the key and come again.
	Asks(r *http.Request) bool
	Ask(w http.ResponseWriter, r *http.Request)

	// Forget has the browser forget the bound cookie.
	Forget(h http.Header)
}

// A Cookie is a manager's, as its configuration resolves it.
type Cookie struct {
	Name, Path, SameSite string
}

// A Holding is what a request has of a session that may be bound.
type Holding struct {
	Withheld bool   // the session is there, and Judge says no
	Owner    string // "" also if it is withheld
	Binding  []byte // nil if it is withheld
}

// An Event is a sojourn.Event.
type Event struct {
	Name, ID, Owner, Reason string
	Err                     error
}

var (
	// Bind gives m, a *sojourn.Manager, its binder. It is called before m serves. An error says why that cannot be.
	Bind func(m any, make func(Cookie) Binder) error

	// Rebind changes the binding of session id, whose token nobody has shown. change is applied to the binding as it
	// is, again whenever another request has saved first, and must be a function of what it is given; an error of it
	// is answered as it is and changes nothing, not even the idle limit. Rebind answers sojourn.ErrNotFound
	// if there is no such session. No token comes of it. owner is the session's.
	Rebind func(ctx context.Context, m any, id string, change func(binding []byte) ([]byte, error)) (owner string, err error)

	// Hold asks the store for m's session in ctx, and no copy.
	Hold func(ctx context.Context, m any) (Holding, error)

	// Tell emits an event of m.
	Tell func(ctx context.Context, m any, e Event)

	// Refuse answers with m's ErrorHandler.
	Refuse func(w http.ResponseWriter, r *http.Request, m any, err error)
)
