package sojourn

import (
	"context"
	"log/slog"
	"net/http"
	"time"
)

// A Config says how a manager's sessions behave. The zero value is ready to use and safe. A zero field means
// the default that its comment names. [New] and [NewSealed] report every mistake in it at once, each with
// its remedy; they refuse what browsers or standards do not allow, and what could never take effect.
type Config struct {
	// Lifetime is the absolute limit of a session. It counts from the session's creation or its last Login,
	// whatever is done in between (OWASP Session Management, absolute timeout).
	//
	// Default: 24 hours. Refused: less than a second, which no visit fits into;
	// more than 400 days, because no browser keeps a cookie for longer (RFC 6265bis 5.5).
	//
	// Shorten it to a working day or less where much is at stake.
	Lifetime time.Duration

	// IdleTimeout ends a session that no request has used for so long. A request that does not ask for the
	// session does not use it.
	//
	// Default: 1 hour, or Lifetime if that is shorter. [NoIdleTimeout]: an unused session lives as long as
	// Lifetime. Refused: less than a second; more than Lifetime, which would never take effect.
	//
	// Shorten it where people leave shared computers logged in; lengthen it where they read for long.
	IdleTimeout time.Duration

	// RememberFor takes the place of Lifetime in a remembered session, which has no idle limit. See
	// [Manager.Remember].
	//
	// Default: 30 days, or Lifetime if that is longer. Refused: less than Lifetime, because to be remembered
	// would then shorten a session; more than 400 days.
	//
	// Change it if your site has a 'remember me' box and thirty days are not what it promises.
	RememberFor time.Duration

	// MaxPerOwner is how many sessions one owner may have at once. A login that exceeds it ends the owner's
	// oldest session.
	//
	// Default: no limit. Refused: a negative number; any with a store that cannot list the sessions of an
	// owner, and any with sealed sessions.
	//
	// Set it where an account is for one person. To refuse the new login instead, count with
	// [Manager.List] first.
	MaxPerOwner int

	// Cookie says how the cookie is set.
	//
	// Default: see [Cookie]. Refused: any field beside Header, because a manager uses one or the other.
	Cookie Cookie

	// Header is the name of the request header that carries the token in place of a cookie. A new token goes
	// out in the response header of that name. "Authorization" means: "Bearer" and the token come in with
	// Authorization, and a new token goes out in Session-Token.
	//
	// Default: a cookie. Refused: what is no header name; a name that means something else to HTTP, such as
	// Cookie.
	//
	// Set it for programs and apps. For browsers keep the cookie: scripts can read a header's token. For both,
	// make two managers on one store.
	Header string

	// Purpose is bound into each token. A manager does not know tokens of another purpose.
	//
	// Default: the name of the cookie or header. Refused: more than 128 bytes.
	//
	// Set it where several tenants share a store and a cookie's name.
	Purpose string

	// Load says when a request's session is read.
	//
	// Default: [LoadByMethod]. Refused: an unknown value.
	//
	// Take [LoadEager] where a GET has effects outside the session; take [LoadLazy] where many POSTs use no
	// session.
	Load LoadMode

	// Device describes the client that logs in. Its answer is kept with the session, and [Info] shows it, so
	// that people recognise their sessions in a list.
	//
	// Default: nothing is kept about clients.
	//
	// Set it for a page of devices. What it returns may be personal data.
	Device func(*http.Request) Device

	// Revocations keeps what ends sealed sessions before their time: a number per owner, not sessions.
	//
	// Default: none; RevokeAll and RevokeOthers then answer [errors.ErrUnsupported]. Refused: with [New], since
	// a Store keeps its own.
	//
	// Set it where a changed password has to end sealed sessions. Every store of this library will do.
	Revocations OwnerIndex

	// Anonymous, which is a *sealed.Ring, keeps the sessions of visitors who are not logged in sealed in a cookie of
	// their own, named after the session's with "-visitor" behind it. They cost the store nothing. A Login moves what
	// is in such a session into the store, and so does what is too large for the cookie.
	//
	// Default: none; visitors' sessions are in the store like all others. Refused: beside Header; with [NewSealed],
	// which seals all sessions.
	//
	// Set it where many visitors, or crawlers, put something into a session and few log in. Of two responses to one
	// visitor at once the last one wins, an older copy of the cookie brings back what was in it, and [Manager.All] does
	// not list visitors: docs/anonymous.md has the whole list, and says how to roll it out.
	Anonymous Sealer

	// MaxSealed is how many bytes the cookies of a sealed session may take, names and values together. More is
	// [ErrTooLarge], and the session stays as it was; a visitor's, with Anonymous, goes into the store instead.
	//
	// Default: what four cookies hold, 16,384. Refused: less than 512, of which nothing useful is left; any with
	// [New] without Anonymous, since a Store has a limit of its own.
	//
	// Set it to what is on the way to you: 3,000 behind nginx as it comes, see docs/sealed-sessions.md.
	MaxSealed int

	// StoreTimeout is how long a Load, a Commit or a revocation may take as a whole. Waiting for other saves
	// and for a connection, retries, and looking up what became of a lost answer are included. A call ends
	// after 0.95 to 1 of it.
	//
	// Default: 3 seconds. Refused: a negative time.
	//
	// Shorten it where a load balancer gives up sooner.
	StoreTimeout time.Duration

	// ErrorHandler answers in place of the handler when the session cannot be loaded or saved. What the handler
	// has put into the header is gone by then.
	//
	// Default: a line of plain text with status 503 if another try may succeed, else 500.
	//
	// Set it to show a page of your own. It may not say 'please log in': nothing is known about the session.
	ErrorHandler func(http.ResponseWriter, *http.Request, error)

	// OnEvent is told of each [Event], in the goroutine in which it happened, so it must not block. It may read
	// the session of its context and revoke other sessions. It may not commit its own.
	//
	// Default: nobody is told; the Logger has a line for each.
	//
	// Set it for a security log or for metrics.
	OnEvent func(context.Context, Event)

	// Observer sees each question to the store.
	//
	// Default: none, at no cost.
	//
	// Set it for metrics and traces.
	Observer Observer

	// Logger gets faults at Warn and Error, dropped changes at Info, and the life of sessions at Debug. No
	// line holds a token or a value.
	//
	// Default: slog.Default(), as it is when New is called.
	//
	// Set it where each part of a program has its own.
	Logger *slog.Logger

	// Legacy reads the sessions of what the application used before, so that its browsers stay logged in.
	//
	// The old cookie may have the name of ours, if the reader does not answer tokens of the form of ours: the
	// browser then keeps the old one until LegacySession.KeepFor is over.
	//
	// Default: none. Refused: beside Header.
	Legacy Legacy

	// EncryptAtRest keeps the values of each session encrypted under a key that comes from its token, which no
	// store sees. A copy of the database, with all of the server's configuration, shows no value and opens no
	// session, and there is no key to manage. Owner, times and device stay readable to administrators.
	//
	// It may be turned on and off at any time: what is there already is read, and written in the new way when it
	// is saved next. A version of this library that does not know of it answers 503 for encrypted sessions, so
	// deploy this one everywhere first.
	//
	// Default: false. Refused: with [NewSealed], whose sessions are encrypted already; with scscompat on a store
	// of scs's, which scs has to be able to read.
	//
	// Set it where backups, replicas or database administrators should not see what sessions hold. It costs some
	// microseconds for a request that reads a value, and 29 bytes for each session. See docs/encryption-at-rest.md.
	EncryptAtRest bool

	// DangerouslyAllowHTTP sends the cookie without the attribute Secure, and takes the prefix off its name. The
	// token then travels in clear text, and anybody on the network can take the session over.
	//
	// Default: false. Refused: together with SameSite None or Partitioned, which browsers take only with
	// Secure.
	//
	// Set it only to develop over plain http where the browser drops Secure cookies: Safari on localhost, and
	// every browser at another host. Chromium, Firefox and curl keep them on http://localhost. Without it, the
	// log warns once when a Secure cookie goes out over plain http to another host.
	DangerouslyAllowHTTP bool

	cookieOnly bool // to be remembered is to have a cookie that outlives the browser, and no other limits
}

// NoIdleTimeout, as Config.IdleTimeout, keeps a session until its Lifetime ends, used or not.
const NoIdleTimeout time.Duration = -1

// A Cookie says how the cookie is set. It is always HttpOnly, always has a SameSite attribute, and is Secure
// unless Config.DangerouslyAllowHTTP is set (RFC 6265bis 4.1; OWASP Session Management, cookies).
type Cookie struct {
	// Name is the cookie's name. Browsers hold a cookie with a prefix to rules: "__Host-" has no Domain and the
	// Path "/"; "__Host-Http-" cannot be set by scripts either, so no script can put another session's token
	// in its place; "__Secure-" needs Secure (RFC 6265bis 4.1.3).
	//
	// Default: "__Host-Http-id", or "__Secure-id" with a Domain or another Path. Refused: what is no cookie
	// name; a prefix whose rules the other fields break; a name that leaves the token no room in 4,096 bytes.
	//
	// Change it where two managers serve one host. Everybody logs in once more, because the old cookie is not
	// looked at.
	Name string

	// Domain has browsers send the cookie to all hosts below it, not only to the one that set it.
	//
	// Default: this host alone. Refused: what no browser takes, which is an IP address, a single label such
	// as "localhost" or "com", and what is no domain name. A public suffix of several labels, such as "co.uk" or
	// "github.io", browsers refuse too, and New cannot know: there the login does not stick. See
	// https://publicsuffix.org.
	//
	// Set it only if several hosts have to share the session: each of them can then set the cookie, and read it.
	// The default Name changes with it, so sessions under the old name are not seen any more. If you keep the
	// Name, the host's own cookie is expired with the first one that is sent. To take Domain away again, change
	// Name as well, because the old Domain is not known any more. With sealed sessions change Name in any
	// case: a server that does not know of Domain yet cannot expire its cookie.
	Domain string

	// Path has browsers send the cookie only below it. It is no protection: a page outside can open one inside.
	//
	// Default: "/". Refused: what does not begin with "/"; a semicolon, a control character or a byte that is
	// not ASCII; more than 1,024 bytes, which browsers ignore.
	//
	// Set it where another application on the same host should not be sent the cookie.
	Path string

	// SameSite says with which requests of other sites a browser sends the cookie.
	//
	// Default: Lax, which is links and other GETs that change the address bar. Refused: an unknown value; None
	// with DangerouslyAllowHTTP.
	//
	// Take Strict where no link from outside leads to a page that needs a login, and None only for a page that
	// other sites embed. See [ErrCrossSite] for a form of another site that posts here.
	SameSite http.SameSite

	// Persistent has the cookie outlive the browser: it gets a Max-Age, up to the absolute limit.
	//
	// Default: the cookie is gone when the browser closes, unless the session is remembered.
	//
	// Set it where people expect to be logged in the next day, and lengthen IdleTimeout with it.
	Persistent bool

	// Partitioned gives the cookie a jar for each site that embeds the page (CHIPS).
	//
	// Default: one jar. Refused: without SameSite None, since browsers send an embedded page no other cookie;
	// with DangerouslyAllowHTTP.
	//
	// Set it with SameSite None for a page that other sites embed: browsers that block third-party cookies
	// keep this one.
	Partitioned bool
}

// A LoadMode says when a request's session is read.
type LoadMode int

const (
	// LoadByMethod reads at the first use for GET, HEAD, OPTIONS and TRACE, and before the handler for other
	// methods: a POST does not take effect without the session that it belongs to.
	LoadByMethod LoadMode = iota

	// LoadEager reads before the handler, whatever the method: for a GET that has effects outside the session.
	LoadEager

	// LoadLazy reads at the first use, whatever the method.
	LoadLazy
)

// A Device is what a session keeps about the client that logged in, for a person to recognise it by.
// Each field is cut to its first 255 bytes and loses its control characters.
type Device struct {
	Addr  string // such as the IP address
	Agent string // such as the User-Agent header
	Label string // what you make of them, such as "Firefox on Linux"
}
