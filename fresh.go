package sojourn

import (
	"encoding/json"
	"net/http"
	"time"
)

// RequireFresh returns middleware that serves stale in place of next when the last login is older than maxAge,
// or when nobody is logged in. Put it before what a borrowed computer must not do, such as changing a password
// (ASVS V7.5). It asks the store, and no copy. It goes inside LoadAndSave.
func (m *Manager) RequireFresh(maxAge time.Duration, stale http.Handler) func(next http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := sessionOf(r.Context(), m).confirm(m.budget()); err != nil {
				m.cfg.ErrorHandler(w, r, err)
				return
			}
			i := m.Info(r.Context())
			if i.Owner == "" || i.AuthTime.IsZero() || time.Since(i.AuthTime) > maxAge {
				stale.ServeHTTP(w, r)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// status is what StatusHandler answers.
type status struct {
	Live       bool  `json:"live"`
	LoggedIn   bool  `json:"loggedIn"`
	ExpiresIn  int64 `json:"expiresIn"`  // seconds, if it is not used again
	DeadlineIn int64 `json:"deadlineIn"` // seconds, whatever happens
}

// StatusHandler answers, as JSON, how long the session has left, in seconds. Asking does not extend the idle
// limit. It serves a page that warns before the session ends (OWASP Session Management, client-side timeouts).
//
//	{"live":true,"loggedIn":true,"expiresIn":3540,"deadlineIn":43140}
func (m *Manager) StatusHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "Method Not Allowed", http.StatusMethodNotAllowed)
			return
		}
		// A session of its own, which nobody commits: that this was asked is no activity.
		s := &session{m: m, asking: true, st: &state{Context: r.Context(), m: m, r: r}}
		s.lock()
		base, err := s.base, s.err
		s.unlock()
		if err != nil {
			m.cfg.ErrorHandler(w, r, err)
			return
		}
		var out status
		if base.ID != "" {
			out = status{Live: true, LoggedIn: base.Owner != "",
				ExpiresIn: int64(time.Until(base.Expiry).Seconds()), DeadlineIn: int64(time.Until(time.UnixMilli(base.Deadline)).Seconds())}
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		m.carrier.Vary(w.Header(), nil)
		_ = json.NewEncoder(w).Encode(out)
	})
}
