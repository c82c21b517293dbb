package sojourn

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/gosojourn/sojourn/internal/record"
	"github.com/gosojourn/sojourn/internal/token"
)

// A Policy is every limit and attribute that a manager has in force, with the defaults filled in, what its store
// says of durability, and what the standards ask (ASVS 5.0 V7.1: limits are documented). Its String is for people.
// Its JSON is for programs: durations are seconds.
type Policy struct {
	Durability Durability

	Cookie  *CookiePolicy // nil where a header carries the token
	Header  string        // of the request; "" where a cookie does
	Purpose string        // what each token is bound to

	Lifetime     time.Duration // absolute limit, from creation or the last login
	IdleTimeout  time.Duration // 0 is no idle limit
	IdleStep     time.Duration // by so much at most a session may end before its idle limit is over
	RememberFor  time.Duration // absolute limit of a remembered session
	RememberIdle bool          // a remembered session has the idle limit, too

	IDBits     int           // random bits of a session's public id
	SecretBits int           // random bits that only the client has; 0 where it has the sealed session itself
	OldToken   time.Duration // for so long a token that was replaced is nobody's and harms no login; then it is unknown

	MaxPerOwner       int    // 0 is no limit
	CanRevoke         bool   // the sessions of an owner can be ended before their time
	CanList           bool   // the sessions of an owner can be listed
	CanRevokeEveryone bool   // everybody's sessions can be ended at once, by RevokeEveryone
	EncryptAtRest     bool   // the store cannot read values
	VisitorCookie     string // the cookie that visitors' sessions are sealed in until they log in; "" where the store has them
	KeepsDevice       bool   // Config.Device is set
	BindsDevice       bool   // package dbsc binds sessions to their device, where browsers can
	HasEventLog       bool   // Config.OnEvent is set; the Logger has events in any case
	Load              LoadMode
	StoreTimeout      time.Duration // of one Load, Commit or revocation; 0 where nothing is waited for
	PlainHTTP         bool          // Config.DangerouslyAllowHTTP
	MovesIn           bool          // Config.Legacy is set
	AAL               int           // the highest level of NIST SP 800-63B-4 whose limits sessions are within; 0 is none
	RememberedAAL     int           // the same of a remembered session
	Requirements      []Requirement // in the order of their ids
}

// A CookiePolicy is how the cookie is sent.
type CookiePolicy struct {
	Name        string `json:"name"`
	Domain      string `json:"domain"` // "" is this host alone
	Path        string `json:"path"`
	Secure      bool   `json:"secure"`
	HTTPOnly    bool   `json:"http_only"`
	SameSite    string `json:"same_site"`
	Persistent  bool   `json:"persistent"` // it outlives the browser also where a session is not remembered
	Partitioned bool   `json:"partitioned"`
}

// Policy says what is in force. It asks the store for nothing that the store would have to look up.
func (m *Manager) Policy() Policy {
	c := &m.cfg
	p := Policy{
		Durability: m.durability(), Header: c.Header, Purpose: c.Purpose,
		Lifetime: c.Lifetime, IdleTimeout: c.IdleTimeout, IdleStep: c.touchGap(), RememberFor: c.RememberFor, RememberIdle: c.cookieOnly,
		IDBits: token.IDBytes * 8, SecretBits: token.SecretBytes * 8, OldToken: record.GraceMillis * time.Millisecond,
		MaxPerOwner: c.MaxPerOwner, CanRevoke: m.fence != nil, CanList: m.index != nil, CanRevokeEveryone: m.everyone != nil, EncryptAtRest: c.EncryptAtRest,
		KeepsDevice: c.Device != nil, BindsDevice: m.binder != nil, HasEventLog: c.OnEvent != nil, Load: c.Load, StoreTimeout: c.StoreTimeout,
		PlainHTTP: c.DangerouslyAllowHTTP, MovesIn: c.Legacy != nil,
	}
	if c.IdleTimeout == NoIdleTimeout {
		p.IdleTimeout, p.IdleStep = 0, 0
	}
	if m.local || m.copying && m.fence == nil {
		p.StoreTimeout = 0
	}
	if m.copying {
		p.SecretBits, p.OldToken = 0, 0
	}
	if m.visitors != nil {
		p.VisitorCookie = m.visitors.carrier.Name
	}
	if c.Header == "" {
		p.Cookie = cookiePolicy(c)
	}
	p.AAL = aalOf(p.Lifetime, p.IdleTimeout)
	remembered, idle := p.RememberFor, time.Duration(0)
	if p.RememberIdle {
		remembered, idle = p.Lifetime, p.IdleTimeout
	}
	p.RememberedAAL = aalOf(remembered, idle)
	p.Requirements = judged(&p, m.copying)
	return p
}

func cookiePolicy(c *Config) *CookiePolicy {
	k := &c.Cookie
	sites := map[http.SameSite]string{http.SameSiteLaxMode: "Lax", http.SameSiteStrictMode: "Strict", http.SameSiteNoneMode: "None"}
	return &CookiePolicy{
		Name: k.Name, Domain: k.Domain, Path: k.Path, Secure: !c.DangerouslyAllowHTTP, HTTPOnly: true,
		SameSite: sites[k.SameSite], Persistent: k.Persistent, Partitioned: k.Partitioned,
	}
}

// String names the mode as Config does.
func (l LoadMode) String() string {
	switch l {
	case LoadByMethod:
		return "by method"
	case LoadEager:
		return "eager"
	case LoadLazy:
		return "lazy"
	}
	return "unknown"
}

// MarshalJSON writes the policy with durations in seconds.
func (p Policy) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Durability        Durability    `json:"durability"`
		Cookie            *CookiePolicy `json:"cookie,omitempty"`
		Header            string        `json:"header,omitempty"`
		Purpose           string        `json:"purpose"`
		Lifetime          float64       `json:"lifetime"`
		IdleTimeout       float64       `json:"idle_timeout"`
		IdleStep          float64       `json:"idle_step"`
		RememberFor       float64       `json:"remember_for"`
		RememberIdle      bool          `json:"remember_idle"`
		IDBits            int           `json:"id_bits"`
		SecretBits        int           `json:"secret_bits"`
		OldToken          float64       `json:"old_token"`
		MaxPerOwner       int           `json:"max_per_owner"`
		CanRevoke         bool          `json:"can_revoke"`
		CanList           bool          `json:"can_list"`
		CanRevokeEveryone bool          `json:"can_revoke_everyone"`
		EncryptAtRest     bool          `json:"encrypt_at_rest"`
		VisitorCookie     string        `json:"visitor_cookie"`
		KeepsDevice       bool          `json:"keeps_device"`
		BindsDevice       bool          `json:"binds_device"`
		HasEventLog       bool          `json:"has_event_log"`
		Load              string        `json:"load"`
		StoreTimeout      float64       `json:"store_timeout"`
		PlainHTTP         bool          `json:"plain_http"`
		MovesIn           bool          `json:"moves_in"`
		AAL               int           `json:"aal"`
		RememberedAAL     int           `json:"remembered_aal"`
		Requirements      []Requirement `json:"requirements"`
	}{
		p.Durability, p.Cookie, p.Header, p.Purpose,
		p.Lifetime.Seconds(), p.IdleTimeout.Seconds(), p.IdleStep.Seconds(), p.RememberFor.Seconds(), p.RememberIdle,
		p.IDBits, p.SecretBits, p.OldToken.Seconds(),
		p.MaxPerOwner, p.CanRevoke, p.CanList, p.CanRevokeEveryone, p.EncryptAtRest, p.VisitorCookie, p.KeepsDevice, p.BindsDevice, p.HasEventLog, p.Load.String(), p.StoreTimeout.Seconds(),
		p.PlainHTTP, p.MovesIn, p.AAL, p.RememberedAAL, p.Requirements,
	})
}
