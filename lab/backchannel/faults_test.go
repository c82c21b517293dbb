package backchannel

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"
)

// Section 2.4: "a nonce Claim MUST NOT be present". null is present.
func TestFaultANonceThatIsNull(t *testing.T) {
	s := newStage(t)
	b := s.browser(t)
	s.login(t, b, "ann", "S")
	w := s.logout(s.token(t, claims{"events": event, "sub": "ann", "sid": "S", "nonce": json.RawMessage("null")}))
	if w.Code != http.StatusBadRequest || who(t, b) != "ann" {
		t.Errorf("answered %d, and the session is %q's", w.Code, who(t, b))
	}
}

// Remember, and a Login of sudo mode, lengthen the session. Its row has to outlive it, or the provider's logout
// is answered with 200 and ends nothing.
func TestFaultALogoutFindsALengthenedSession(t *testing.T) {
	s := newStage(t)
	s.mux.HandleFunc("POST /remember", func(_ http.ResponseWriter, r *http.Request) { s.Sessions.Remember(r.Context(), true) })
	b := s.browser(t)
	s.login(t, b, "ann", "S")
	b.PostForm("/remember", nil).Body.Close()
	if _, err := s.DB.Exec("UPDATE logins SET until = 1"); err != nil { // the deadline at login has passed
		t.Fatal(err)
	}
	s.store.Fail(errors.New("away"))
	if err := s.Sweep(t.Context()); err == nil || s.rows(t) != 1 {
		t.Errorf("while the store is away: %v, and %d rows", err, s.rows(t))
	}
	s.store.Fail(nil)
	if err := s.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	var ends time.Time
	b.Session(func(ctx context.Context) { ends = s.Sessions.Info(ctx).Deadline })
	var until int64
	if err := s.DB.QueryRow("SELECT until FROM logins WHERE sid = 'S'").Scan(&until); err != nil {
		t.Fatalf("the row of a session that lives is swept: %v", err)
	}
	if until != ends.Unix() {
		t.Errorf("the row is asked about %v before the session ends", ends.Sub(time.Unix(until, 0)))
	}
	if w := s.logout(s.token(t, claims{"events": event, "sub": "ann", "sid": "S"})); w.Code != http.StatusOK || who(t, b) != "" {
		t.Errorf("answered %d, and the session is %q's", w.Code, who(t, b))
	}
}
