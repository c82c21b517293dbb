package sojourn

import (
	"strings"
	"time"
)

// Where the rows come from: the Session Management (SM), Cookie Theft Mitigation (CT) and Logging Vocabulary (LV)
// cheat sheets of OWASP, OWASP ASVS 5.0, NIST SP 800-63B-4, RFC 6265bis, layered cookies, and the draft of
// device-bound session credentials (DBSC).
const (
	sm   = "OWASP SM, "
	ct   = "OWASP CT"
	asvs = "ASVS 5.0 "
	nist = "NIST SP 800-63B-4 "
	bis  = "RFC 6265bis "
	dbsc = "DBSC draft"
)

func secure(c *CookiePolicy) bool   { return c.Secure }
func anyCookie(*CookiePolicy) bool  { return true }
func narrow(c *CookiePolicy) bool   { return c.Domain == "" }
func goes(c *CookiePolicy) bool     { return !c.Persistent }
func samesite(c *CookiePolicy) bool { return c.SameSite != "None" }
func prefixed(c *CookiePolicy) bool { return strings.HasPrefix(strings.ToLower(c.Name), "__") }
func revokes(p *Policy) bool        { return p.CanRevoke }
func lists(p *Policy) bool          { return p.CanList }
func idles(p *Policy) bool          { return p.IdleTimeout > 0 }
func visited(p *Policy) bool        { return p.VisitorCookie != "" }
func encrypted(p *Policy) bool      { return p.EncryptAtRest }
func devices(p *Policy) bool        { return p.KeepsDevice }
func limited(p *Policy) bool        { return p.MaxPerOwner > 0 }
func binds(p *Policy) bool          { return p.BindsDevice }

var (
	overPlainHTTP = deviates("Config.DangerouslyAllowHTTP is set: the token travels in clear text.")
	unbound       = is(NotInUse, "Package dbsc is not in use.")
	notSealed     = is(NotInUse, "The store keeps the sessions, and the client a token alone.")
)

// byDevice is about a copied cookie. Only a cookie can be bound, of a session that a store keeps.
var byDevice = whenSealed(deviates("A sealed session cannot be bound to its device: whoever copies the cookie has the session until it ends."),
	when(binds, met("Package dbsc: a copy dies within minutes, where the browser can keep a key; RequireBound asks for a proof."),
		when(func(p *Policy) bool { return p.Cookie == nil }, deviates("Browsers bind cookies only, and the token is in a header."),
			application("Package dbsc binds sessions to their device. Without it whoever copies the cookie has the session until it ends."))))

// rows has every requirement once.
var rows = []row{
	// OWASP cheat sheets.
	{"O1", sm + "name", "The cookie's name gives no technology away.", inCookie(func(c *CookiePolicy) bool { return c.Name == defaultName || c.Name == "__Secure-id" || c.Name == "id" },
		met("The default name says nothing."), application("The name is the application's own choice."))},
	{"O2", sm + "entropy", "Ids come from a generator fit for cryptography, with 128 bits at least, and never twice.",
		whenSealed(met("The seal is encrypted under a random key and nonce; there is nothing to guess."), met("240 bits of secret from crypto/rand; a taken id is drawn again, never adopted."))},
	{"O3", sm + "length", "All of the id is random.", met("No part of a token can be foretold.")},
	{"O4", sm + "content", "The id is opaque and holds no personal data.", whenSealed(met("What the client holds is encrypted."), met("The token only refers to what the store has."))},
	{"O5", sm + "content", "What a session means stays on the server, encrypted where it is sensitive.",
		whenSealed(met("Values are encrypted by the sealer."), when(encrypted, met("Values are encrypted under a key that only the token has."), application("Values are readable in the store: encrypt its disk.")))},
	{"O6", sm + "built-in", "Who reads the repository cannot use what he finds as a cookie.", met("A store has the SHA-256 of a token, never the token.")},
	{"O8", sm + "accepted", "An id is taken from the one intended place.", met("Only from the cookie, or the one header that Config names; never from a URL or a form.")},
	{"O9", sm + "TLS", "The whole session travels under TLS.", when(func(p *Policy) bool { return p.PlainHTTP }, overPlainHTTP, met("The cookie is Secure; serving https is the server's part."))},
	{"O12", sm + "Secure", "The cookie is Secure.", inCookie(secure, met("Always."), overPlainHTTP)},
	{"O13", sm + "HttpOnly", "Scripts cannot read the cookie.", inCookie(func(c *CookiePolicy) bool { return c.HTTPOnly }, met("Always; there is no switch."), deviates("The cookie is not HttpOnly."))},
	{"O14", sm + "SameSite", "SameSite is said, as Lax or Strict, and None only with Secure.",
		inCookie(samesite, met("Always sent; pairs that browsers refuse are refused by New."), application("SameSite is None, for a page that other sites embed: it has to see to cross-site requests itself."))},
	{"O15", sm + "prefix", "The name has a prefix that browsers hold to rules.", inCookie(prefixed, met("Prefixes are held against the attributes by New."), deviates("The name has no prefix, so that a sibling domain can set the cookie."))},
	{"O16", sm + "scope", "The cookie is for one host and as little of it as may be.", inCookie(narrow, met("No Domain."), application("Cookie.Domain is set: every host below it can read and set the cookie."))},
	{"O18", sm + "expires", "The cookie ends with the browser.", inCookie(goes, met("Unless the session is remembered."), deviates("Cookie.Persistent is set."))},
	{"O19", sm + "cookies", "What a cookie holds is little, encrypted and cannot be altered.", whenSealed(met("One AEAD over all of it."), met("It holds a token and nothing else."))},
	{"O20", sm + "storage", "The token is not kept where scripts read it.", when(func(p *Policy) bool { return p.Cookie != nil }, met("It is in an HttpOnly cookie, and in no body."), application("The token travels in a header: where a program keeps it is the program's concern."))},
	{"O21", sm + "strict", "An id that was not issued here is never adopted.", met("It reads as nobody, with an event; the next write draws another.")},
	{"O22", sm + "untrusted", "An id is validated before it is used.", met("Length and alphabet come before the store.")},
	{"O23", sm + "renewal", "A change of privilege brings a new id and ends the old one.", whenSealed(deviates("Nothing on the server can end the copy of one seal: it is good until it expires, or until RevokeAll ends all of its owner's."), met("Login, Logout and Renew, in one write of the store."))},
	{"O25", sm + "risk", "Risk asks for a new login.", application("RequireFresh(maxAge) and Info.AuthTime are for that.")},
	{"O26", sm + "several", "Cookies that belong together are verified together.", whenSealed(met("One seal covers all of a session's cookies."), when(visited, met("A visitor's: at most four, one seal over all; what a longer one left is deleted."), is(NotInUse, "There is one cookie.")))},
	{"O27", sm + "several", "One name in several scopes does no harm.", met("At most four of a name are judged, all before any verdict; two live ones read as neither.")},
	{"O28", sm + "expiry", "Every session ends: unused within a quarter to half an hour, and in all within hours.",
		when(func(p *Policy) bool {
			return p.IdleTimeout > 0 && p.IdleTimeout <= 30*time.Minute && p.Lifetime <= 8*time.Hour
		}, met("The limits are within the usual ones."),
			application("Every session ends, but these limits are longer than the sheet's usual ones: choose them by what is at stake."))},
	{"O29", sm + "expiry", "An end is one on both sides.", whenSealed(deviates("The cookie is expired; a copy is good until its own end, because the server keeps nothing that could end it: take a Store where that matters."), met("The record is deleted and the cookie expired."))},
	{"O30", sm + "idle", "The idle limit counts from the last request, on the server.", when(idles, met("Activity is written down within a twentieth of the limit, and a session never outlives it."), deviates("Config.IdleTimeout is NoIdleTimeout."))},
	{"O31", sm + "idle", "The client cannot move the clock.", met("Times are in the store, or under the seal.")},
	{"O32", sm + "absolute", "The absolute limit counts from the beginning, whatever is done.", met("Renew keeps it; a login begins it anew.")},
	{"O33", sm + "renewal timeout", "The id may be replaced now and then, with a short overlap.", deviates("By time never: browsers bring old cookies back, and honest people would be logged out for theft.")},
	{"O34", sm + "renewal timeout", "A thief may be the first to use an id.", byDevice},
	{"O35", sm + "logout", "A logout is final.", whenSealed(deviates("A copy of the seal is good until it expires; with Config.Revocations RevokeAll ends it."), met("A record that is gone is never written back."))},
	{"O36", sm + "caching", "A response with an id is kept by no cache.", met("no-store, whatever the handler has set.")},
	{"O37", sm + "caching", "Private pages are kept by no cache.", application("Set Cache-Control where a page is private.")},
	{"O38", sm + "Clear-Site-Data", "The end of a session clears what the browser keeps.", application("A header for the logout handler; there is an Example.")},
	{"O40", sm + "client logout", "A page can warn before the end, without putting it off.", met("StatusHandler.")},
	{"O41", sm + "guessing", "Many ids tried from one address are noticed.", application("Package throttle counts them for each client network, tells of one that is past a limit, and answers it 429: put it around LoadAndSave.")},
	{"O42", sm + "anomalies", "Altered or reused ids are noticed.", met("Each is an event with a reason from a list.")},
	{"O43", sm + "binding", "A client whose properties change is noticed.", when(devices, application("RequireSameClient compares them with those of the login, and asks for a new one or ends the session: put it around the pages that need a login."), application("Set Config.Device to keep them, and put RequireSameClient around the pages that need a login."))},
	{"O44", sm + "logging; OWASP LV", "The life of a session is logged.", when(func(p *Policy) bool { return p.HasEventLog }, met("OnEvent is told of each change, in UTC."), met("The Logger has a line for each, most of them at Debug; OnEvent is not set."))},
	{"O45", sm + "logging", "Logs have no ids that log anybody in.", met("They have the public id, which gives no access.")},
	{"O46", sm + "logging", "The administrator's interface is protected.", application("Package admin refuses to be built without an authorizer; List, All and the command are as protected as whoever may call them.")},
	{"O47", sm + "logging", "What was refused is logged.", met("An event for each.")},
	{"O48", sm + "simultaneous", "Sessions at once are limited, or the person is asked.", when(limited, met("A login past the limit ends the owner's oldest session."), application("Set Config.MaxPerOwner, or count with List before a login."))},
	{"O49", sm + "simultaneous", "People see and end their own sessions.", when(lists, met("List, Revoke, RevokeOthers and RevokeAll; the page is the application's."), deviates("Nobody can list the sessions that clients, or this store, keep: take a store with an OwnerIndex where people should see theirs."))},
	{"O50", ct, "What is known of a client at login is kept.", when(devices, met("Config.Device."), application("Set Config.Device."))},
	{"O51", ct, "Clients are compared by what their properties mean.", application("SameClient compares families of browser and operating system; give RequireSameClient a function of your own for more.")},
	{"O52", ct, "Suspicion asks for a proof.", application("RequireSameClient, RequireFresh, or Logout.")},
	{"O53", ct, "The cookie is bound to who sends it.", byDevice},

	// ASVS 5.0.
	{"V3.3.1", asvs + "3.3.1", "The cookie is Secure and its name has a prefix.", inCookie(func(c *CookiePolicy) bool { return c.Secure && prefixed(c) }, met("By default."), deviates("The cookie is not Secure, or its name has no prefix."))},
	{"V3.3.2", asvs + "3.3.2", "SameSite fits the cookie's purpose.", inCookie(samesite, met("Lax, unless Config says otherwise."), application("None, for a page that other sites embed."))},
	{"V3.3.3", asvs + "3.3.3", "The name begins with __Host-, unless hosts have to share the cookie.",
		inCookie(func(c *CookiePolicy) bool {
			return strings.HasPrefix(strings.ToLower(c.Name), "__host-") || c.Domain != ""
		}, met("By default."), deviates("The name has no __Host- prefix."))},
	{"V3.3.4", asvs + "3.3.4", "Scripts have no access, and the value goes out by Set-Cookie alone.", inCookie(func(c *CookiePolicy) bool { return c.HTTPOnly }, met("Always."), deviates("The cookie is not HttpOnly."))},
	{"V3.3.5", asvs + "3.3.5", "Name and value are 4,096 bytes at most.", inCookie(anyCookie, met("What is longer is an error before anything is sent."), nil)},
	{"V7.1.1", asvs + "7.1.1", "Timeouts are documented.", met("This policy.")},
	{"V7.1.2", asvs + "7.1.2", "How many sessions there may be is documented.", met("This policy.")},
	{"V7.1.3", asvs + "7.1.3", "Sessions of federated systems are documented.", application("Which provider a login came from only the application knows.")},
	{"V7.2.1", asvs + "7.2.1", "A trusted backend verifies tokens.", met("Each request, before the session is used.")},
	{"V7.2.2", asvs + "7.2.2", "Tokens are made for each session.", met("None is fixed.")},
	{"V7.2.3", asvs + "7.2.3", "Reference tokens are unique, with 128 bits at least.", whenSealed(is(NotInUse, "The client has the session, not a reference."), met("240 bits of secret."))},
	{"V7.2.4", asvs + "7.2.4", "A login, and a new one, bring a new token and end the old one.", whenSealed(deviates("The old seal is good until it expires, because the server keeps nothing that could end it; RevokeOthers behind the login does, with Config.Revocations."), met("Login."))},
	{"V7.3.1", asvs + "7.3.1", "There is an idle limit.", when(idles, met("Config.IdleTimeout."), deviates("Config.IdleTimeout is NoIdleTimeout."))},
	{"V7.3.2", asvs + "7.3.2", "There is an absolute limit.", met("Config.Lifetime, which cannot be switched off.")},
	{"V7.4.1", asvs + "7.4.1", "What has ended is of no use; for sealed sessions there is a cut-off.", whenSealed(when(revokes, met("Config.Revocations: RevokeAll."), deviates("Set Config.Revocations.")),
		when(visited, met("The record is deleted. The seal of a visitor, who is nobody, is dropped by the browser and ended by RevokeEveryone."), met("The record is deleted.")))},
	{"V7.4.2", asvs + "7.4.2", "A disabled account has no sessions.", when(revokes, met("RevokeAll, which beats a login under way too; to call it is the application's."), deviates("Nothing here ends the sessions of an owner."))},
	{"V7.4.3", asvs + "7.4.3", "After a change of password the other sessions can be ended.", when(revokes, met("RevokeOthers."), deviates("Nothing here ends the sessions of an owner."))},
	{"V7.4.4", asvs + "7.4.4", "Every page that needs a login has a way to log out.", application("Logout is the verb, the link is yours.")},
	{"V7.4.5", asvs + "7.4.5", "An administrator ends the sessions of one, or of all.", when(func(p *Policy) bool { return p.CanRevoke && p.CanRevokeEveryone }, met("RevokeAll ends those of one, RevokeEveryone those of all; package admin has pages for both, and who may see them the application says."), deviates("Nothing here ends everybody's sessions: take a store that is an OwnerIndex and an EveryoneRevoker, for sealed sessions as Config.Revocations."))},
	{"V7.5.1", asvs + "7.5.1", "Sensitive changes of an account ask for a login first.", application("RequireFresh.")},
	{"V7.5.2", asvs + "7.5.2", "People see and end their sessions.", when(lists, met("List and Revoke; the page is the application's."), deviates("Nobody can list the sessions that clients, or this store, keep: take a store with an OwnerIndex where people should see theirs."))},
	{"V7.5.3", asvs + "7.5.3", "Sensitive actions ask for another proof.", application("RequireFresh.")},
	{"V9", asvs + "9", "A sealed token has integrity, one algorithm, an end and an audience.", whenSealed(met("XAES-256-GCM, bound to the cookie's name and Purpose, times inside."),
		when(visited, met("Those of visitors: XAES-256-GCM, bound to the cookie's name and Purpose, times inside."), notSealed))},
	{"V11", asvs + "11", "Cryptography can be replaced, and nonces are safe.", whenSealed(met("Seals have a version and a key's id; nonces are 192 random bits."), met("Records have a version; tokens are hashed by SHA-256."))},
	{"V16", asvs + "16", "Logs are in UTC, cannot be injected into, and a failure lets nobody in.", met("A store that cannot answer is a 503, never a visitor.")},

	// NIST SP 800-63B-4.
	{"N2", nist + "5.1", "To be remembered is not to have logged in.", met("Info.Remembered and Info.AuthTime tell them apart; RequireFresh goes by the login.")},
	{"N5", nist + "5.1", "Secrets are erased at logout and at the end.", whenSealed(met("The cookie is expired."), met("The record is deleted; Run sweeps what has expired."))},
	{"N9", nist + "5.1", "Unsafe methods are protected against other sites.", when(func(p *Policy) bool { return p.Cookie != nil }, application("SameSite is always sent; put http.NewCrossOriginProtection before the handlers."), is(NotInUse, "No browser adds a token in a header by itself."))},
	{"N12", nist + "5.1.1", "The cookie's end follows the session's, and is never relied on.", met("Both come from one time; the server judges.")},
	{"N15", nist + "5.2", "Activity puts the idle limit off alone, a login both.", met("Touch and Login are two things.")},
	{"N17", nist + "2", "Limits: AAL1 30 days; AAL2 24 hours, idle 1 hour; AAL3 12 hours, idle 15 minutes.",
		when(func(p *Policy) bool { return p.AAL >= 2 }, met("AAL1, AAL2 and AAL3 have the limits; this policy says which level holds."), application("The limits are those of AAL1 at most."))},

	// Cookies.
	{"C1", bis + "4.1.1", "A cookie's grammar is valid.", met("New checks name, Path and Domain.")},
	{"C2", bis + "4.1.1", "A value has no character that needs quoting.", met("base64url.")},
	{"C3", bis + "4.1.1", "No attribute comes twice.", met("Each is written once.")},
	{"C4", bis + "4.1.1", "A response sets a name once.", inCookie(narrow, met("However often a session is renewed."), deviates("With Cookie.Domain the host's own cookie of that name is expired before it."))},
	{"C6", bis + "7.3", "Expiry is not left to the browser.", met("The server judges.")},
	{"C8", bis + "5.6", "Browsers drop a cookie of more than 4,096 bytes.", met("Such a one is an error, and nothing is lost.")},
	{"C9", bis + "6.1", "A session in several cookies is none if one is missing.", whenSealed(met("At most four, one seal over all; what a longer one left is deleted."), is(NotInUse, "There is one cookie."))},
	{"C10", bis + "5.5", "No cookie is kept for more than 400 days.", met("New refuses a longer limit.")},
	{"C15", "RFC 9110 15.2", "A cookie on an informational response is lost.", met("The session goes out with the final status.")},
	{"L1", "layered cookies", "__Http- and __Host-Http- keep scripts from setting the cookie.", inCookie(func(c *CookiePolicy) bool { return strings.Contains(strings.ToLower(c.Name), "http-") }, met("The default name has it."), application("The name has another prefix, or none."))},

	// Device-bound sessions.
	{"D1", dbsc, "A proof is a JWT of a known algorithm under the registered key.", when(binds, met("ES256 or RS256, the stored key alone; none is refused."), unbound)},
	{"D2", dbsc, "Challenges are short-lived, and a just superseded one may arrive.", when(binds, met("Each is for one use; the one before is good for a minute more."), unbound)},
	{"D3", dbsc, "A refusal that asks again is told from one that ends the session.", when(binds, met("403 with a challenge asks again, 503 keeps the session, 404 ends it."), unbound)},
	{"D4", dbsc, "The bound cookie is not Partitioned.", when(binds, met("New refuses a partitioned cookie, and the bound one is never partitioned."), unbound)},
	{"D5", dbsc, "The refresh endpoint answers no other site.", when(binds, met("No CORS, no frame, POST alone; what another site sends has no proof."), unbound)},
}
