package sojourn

import (
	"net/http"

	"github.com/gosojourn/sojourn/internal/agent"
	"github.com/gosojourn/sojourn/internal/record"
)

// A ClientVerdict says what is to be done with a request whose client may not be the one that logged in.
type ClientVerdict int

const (
	// ClientAllow serves the request.
	ClientAllow ClientVerdict = iota

	// ClientChallenge asks for a new login. The session stays as it is.
	ClientChallenge

	// ClientRevoke ends the session.
	ClientRevoke
)

// RequireSameClient returns middleware that compares the client which logged in with the one that sends the request
// (OWASP Session Management, binding the session id to other user properties). Both are what Config.Device answered,
// then and now. compare judges; nil means [SameClient]. It may be called by many goroutines at once.
//
// After ClientChallenge the middleware serves changed in place of next, as [Manager.RequireFresh] does with its handler:
// it leads to the login, which writes down the client anew. After ClientRevoke the session has ended, and changed is
// served without one. If the store cannot end it, Config.ErrorHandler answers. A verdict that is none of the three counts
// as ClientChallenge. Each is an [EventClientChanged]. Where nobody is logged in, or nothing is known of the
// client that logged in, next is served.
//
// A sealed session is ended in the browser that asked. Elsewhere a copy of it is good until it expires, or until
// RevokeAll.
//
// It goes inside LoadAndSave, around every page that needs a login but not around the login itself. It reads the
// session. It is a signal and no proof: whoever has stolen a cookie may have learned the User-Agent with it.
//
// It panics when Config.Device is not set, since nothing would ever be compared.
func (m *Manager) RequireSameClient(compare func(login, now Device) ClientVerdict, changed http.Handler) func(next http.Handler) http.Handler {
	if m.cfg.Device == nil {
		panic("sojourn: RequireSameClient: Config.Device is not set, so that nothing is known of the client that logged in: set it, with Agent for SameClient")
	}
	if compare == nil {
		compare = SameClient
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s := sessionOf(r.Context(), m)
			if err := m.Load(r.Context()); err != nil {
				m.cfg.ErrorHandler(w, r, err)
				return
			}
			verdict, err := s.sameClient(compare)
			switch {
			case err != nil:
				m.cfg.ErrorHandler(w, r, err)
			case verdict == ClientAllow:
				next.ServeHTTP(w, r)
			default:
				changed.ServeHTTP(w, r)
			}
		})
	}
}

// sameClient has compare judge, and does what it says.
func (s *session) sameClient(compare func(login, now Device) ClientVerdict) (ClientVerdict, error) {
	i := s.m.Info(s.st)
	if i.Device == (Device{}) { // so it is with visitors, too
		return ClientAllow, nil
	}
	verdict := compare(i.Device, s.device())
	switch verdict {
	case ClientAllow:
		return verdict, nil
	case ClientRevoke:
		err := s.change(s.st, op{kind: opLogout, name: "client_changed"})
		if err == nil {
			err = s.commit()
		}
		s.m.emit(s.st, Event{Name: EventClientChanged, ID: i.ID, Owner: i.Owner, Reason: "revoke", Err: err})
		return verdict, err
	}
	s.m.emit(s.st, Event{Name: EventClientChanged, ID: i.ID, Owner: i.Owner, Reason: "challenge"})
	return verdict, nil
}

// device is what Config.Device says of the request's client, in the form in which it would be kept.
func (s *session) device() (d Device) {
	s.running.Add(1)
	defer s.running.Add(-1)
	v := s.m.cfg.Device(s.st.r)
	var c record.Content
	c.SetDevice(v.Addr, v.Agent, v.Label)
	d.Addr, d.Agent, d.Label = c.Device()
	return d
}

// SameClient compares the families of browser and operating system that Device.Agent, a User-Agent header, tells of.
// Another version, another address and another label are allowed. Another family is challenged, and so is an Agent that
// was there at the login and is empty now, because a thief could leave it out. So somebody who moves behind a proxy that
// takes User-Agent away logs in once more, and is left alone from then on. An empty Agent at the login allows all.
//
// A phone or tablet that is asked for a site's desktop page calls itself a desktop of the same kind. So Android counts as
// Linux, and iOS as macOS.
func SameClient(login, now Device) ClientVerdict {
	if login.Agent == "" || login.Agent == now.Agent {
		return ClientAllow
	}
	browser, system := agent.Families(login.Agent)
	if b, s := agent.Families(now.Agent); b != browser || s != system {
		return ClientChallenge
	}
	return ClientAllow
}
