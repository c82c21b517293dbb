package sojourn

import (
	"context"
	"net/http"
	"time"
)

// A Legacy reads the sessions of what an application used before, so that nobody is logged out when it
// moves to Sojourn: package legacy has readers for alexedwards/scs, and gorillacompat/legacy for
// gorilla/sessions. docs/moving-in.md is the guide.
//
// A browser that shows no live session but an old cookie is moved in by its next request: the old
// session is read and converted, and the response carries a token of a new one. The old session is ended,
// and its cookie expired, when the browser first shows that token, because until then nobody knows that it
// arrived; or when LegacySession.KeepFor is over, if that is later. Until then the same old token gets the
// same new one, however many requests and servers see it at once. Afterwards it is refused. A Login, Logout,
// Renew or Remember ends it at once.
//
// If the old cookie has the name of ours, a browser has one of the two. To stay logged in on old servers it keeps the
// old one until LegacySession.KeepFor is over, and is then sent ours; a Login, Renew or Remember sends it at once. A
// minute after that is shown the old session is ended. Beside a live session of ours an old one that lives is
// ErrAmbiguous. With sealed sessions ours is sent at once.
//
// Methods may be called at once from many goroutines. A token is whatever names an old session: it is
// a secret, and belongs into no error.
type Legacy interface {
	// Cookie says how the old cookie was set: name, path, domain and flags. It is expired with them.
	Cookie() http.Cookie

	// Shown answers the tokens that r shows, as far as they can be told to be genuine without asking anybody.
	// More than four are not looked at. Under the name of our own cookie, what has the form of our tokens (64
	// characters of base64url) is ours.
	Shown(r *http.Request) []string

	// Load reads the old session. ErrNotFound: there is none, or it has expired. An error that wraps
	// ErrLegacyUnreadable: there is one, and it cannot be converted; the visitor is nobody, and an event says
	// why. Every other error means that nobody could answer, and becomes a 503. r is the request that asks.
	Load(ctx context.Context, r *http.Request, token string) (LegacySession, error)

	// End ends the old session; nil if it is gone. errors.ErrUnsupported: it is kept by the client alone, and
	// Sojourn remembers that it is over, until LegacySession.Ends.
	End(ctx context.Context, token string) error
}

// A LegacySession is an old session, converted.
type LegacySession struct {
	Owner      string // who is logged in, "" for nobody; at most 255 bytes of UTF-8, else it is as if ErrLegacyUnreadable
	Values     []Entry
	Remembered bool

	// Ends is when the old session ends, whatever happens: the new one ends no later, but by a Login. Zero:
	// not known.
	Ends time.Time

	// MaxAge is the longest ago that the old session may have been logged in. If the owner's sessions were
	// revoked since, it is not moved in. 0: not known, and then any revocation of that owner stands against it.
	MaxAge time.Duration

	// KeepFor keeps the old session alive beside the new one, for that long after the move, because servers
	// of the old version are still running. Until then the new session asks after the old one with each
	// request, and ends with it: a logout on an old server holds on the new ones.
	KeepFor time.Duration
}

// An Entry is a value under the name of its key, encoded.
type Entry struct {
	name string
	raw  []byte
	err  error
}

// Entry makes an Entry of v: what Put would store.
func (k Key[T]) Entry(v T) Entry {
	if k.codec == nil {
		panic(zeroKey)
	}
	raw, err := k.encode(v)
	return Entry{k.name, raw, err}
}

// BadEntry is an Entry for a value that could not be converted: it is left behind, and err is told in an
// event.
func BadEntry(err error) Entry { return Entry{err: err} }
