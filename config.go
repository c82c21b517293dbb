package sojourn

import (
	"context"
	"log/slog"
	"net/http"
	"time"
)

// Config: the zero value is ready and safe; a zero field means the default named beside it.
type Config struct {
	Lifetime    time.Duration // absolute limit, from creation or last login: 24h; at most 400 days
	IdleTimeout time.Duration // 1h, or Lifetime if shorter; NoIdleTimeout
	RememberFor time.Duration // Lifetime of remembered sessions, without idle limit: 30 days, or Lifetime if longer
	RotateEvery time.Duration // never; New refuses any other value in this version
	MaxPerOwner int           // no limit; a login past it ends the owner's oldest session
	Cookie      Cookie
	Header      string   // the token travels in a cookie; "Authorization" means Bearer in, Session-Token out
	Purpose     string   // the cookie's or header's name; a token of another purpose is unknown here
	Load        LoadMode // LoadByMethod

	Device       func(*http.Request) Device                      // nothing is kept about clients
	Revocations  OwnerIndex                                      // none; for sessions sealed into cookies only
	StoreTimeout time.Duration                                   // 3s, each exchange
	ErrorHandler func(http.ResponseWriter, *http.Request, error) // 503 if Unavailable(err), else 500
	OnEvent      func(context.Context, Event)                    // nothing; must not block
	Logger       *slog.Logger                                    // slog.Default()

	EncryptAtRest        bool // values unreadable to who has the store but not the token; New refuses it in this version
	DangerouslyAllowHTTP bool // no Secure, no name prefix: for development
}

// NoIdleTimeout, as Config.IdleTimeout, keeps a session until its Lifetime ends, used or not.
const NoIdleTimeout time.Duration = -1

// A Cookie says how the token is set. It is always HttpOnly, always has a SameSite attribute, and is
// Secure unless Config.DangerouslyAllowHTTP (RFC 6265bis 4.1; OWASP Session Management, cookies).
type Cookie struct {
	Name        string        // "__Host-id"
	Domain      string        // the host alone
	Path        string        // "/"
	SameSite    http.SameSite // http.SameSiteLaxMode
	Persistent  bool          // gone when the browser closes
	Partitioned bool
}

// A LoadMode says when a request's session is read.
type LoadMode int

const (
	LoadByMethod LoadMode = iota // GET, HEAD, OPTIONS, TRACE at first use; others before the handler
	LoadEager                    // before the handler
	LoadLazy                     // at first use
)

// A Device is what a session keeps about the client that logged in, for a person to recognise it by.
// Each field is kept to its first 255 bytes, without control characters.
type Device struct{ Addr, Agent, Label string }
