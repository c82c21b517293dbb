// Package backchannel is an application whose people log in at an OpenID provider, and which the provider tells
// of their logout (OpenID Connect Back-Channel Logout 1.0). Copy from it: the table of logins is the application's,
// and Sojourn needs no index of the provider's session ids.
package backchannel

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/gosojourn/sojourn"
)

// Schema is of SQLite; times are seconds since 1970. A login is one of a person at the provider (sid) that began a
// session here; until is when Sweep asks whether it is over. ended says that the provider has ended a sid, so that a login of it which is under way finds out.
// told has the tokens that were obeyed.
const Schema = `
CREATE TABLE logins (sid TEXT NOT NULL, session TEXT NOT NULL, owner TEXT NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (sid, session));
CREATE INDEX logins_session_idx ON logins (session);
CREATE TABLE ended (sid TEXT PRIMARY KEY, until INTEGER NOT NULL);
CREATE TABLE told (jti TEXT PRIMARY KEY, until INTEGER NOT NULL);
`

// An App logs people in and out. Tokens is for ID tokens and logout tokens of this client (oidc.Provider.Verifier).
type App struct {
	DB       *sql.DB
	Sessions *sojourn.Manager
	Tokens   *oidc.IDTokenVerifier
}

// endedFor is for how long an ended sid is remembered: longer than a login may be under way.
const endedFor = time.Hour

// Login makes a session for who has come back from the provider with a verified ID token. Its sid is looked at
// after the session is in the table: a logout that comes in looks into the table after it has noted the sid. So one
// of the two finds the other.
//
// To log in again in the same session keeps its id, and so does Renew: the row of the earlier sid goes, because
// its logout is about another login.
func (a *App) Login(ctx context.Context, id *oidc.IDToken) error {
	var claims struct {
		SID string `json:"sid"`
	}
	if err := id.Claims(&claims); err != nil {
		return err
	}
	if err := a.Sessions.Login(ctx, id.Subject); err != nil {
		return err
	}
	if err := a.Sessions.Commit(ctx); err != nil {
		return err
	}
	err := a.note(ctx, claims.SID, id.Subject)
	if err != nil { // nobody gets a session that no logout would find
		return errors.Join(err, a.Sessions.Logout(ctx), a.Sessions.Commit(ctx))
	}
	return nil
}

// errEnded says that the provider has ended the login meanwhile.
var errEnded = errors.New("backchannel: the provider has ended this login")

func (a *App) note(ctx context.Context, sid, owner string) error {
	if sid == "" {
		return nil // such a provider ends logins by their subject alone
	}
	s := a.Sessions.Info(ctx)
	if _, err := a.DB.ExecContext(ctx, "INSERT INTO logins (sid, session, owner, until) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
		sid, s.ID, owner, s.Deadline.Unix()); err != nil {
		return err
	}
	if _, err := a.DB.ExecContext(ctx, "DELETE FROM logins WHERE session = ? AND sid <> ?", s.ID, sid); err != nil {
		return err
	}
	var ended int
	if err := a.DB.QueryRowContext(ctx, "SELECT COUNT(*) FROM ended WHERE sid = ?", sid).Scan(&ended); err != nil {
		return err
	}
	if ended > 0 {
		return errEnded
	}
	return nil
}

// ServeHTTP takes the provider's logout token. Mount it outside LoadAndSave and without protection against forms of
// other sites: it comes from the provider's server, has no cookie, and is authenticated by its signature. The
// answers are those of section 2.8: 200, or 400 with a reason; then the provider may send it again.
func (a *App) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	t, err := a.verify(r.Context(), r.PostFormValue("logout_token"))
	if err != nil {
		refuse(w, "invalid_request", "the logout token is not valid")
		return
	}
	if err := a.end(r.Context(), t); err != nil {
		refuse(w, "temporarily_unavailable", "not all sessions could be ended: send it again")
	}
}

func refuse(w http.ResponseWriter, code, why string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusBadRequest)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": code, "error_description": why})
}

type logoutToken struct {
	Subject string                     `json:"sub"`
	SID     string                     `json:"sid"`
	ID      string                     `json:"jti"`
	Nonce   json.RawMessage            `json:"nonce"` // null is there, too
	Events  map[string]json.RawMessage `json:"events"`
	expiry  time.Time
}

const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// verify does section 2.6. The library looks at the signature, its algorithm, iss, aud and exp. That the event is
// there and a nonce is not is what tells a logout token from an ID token, which anybody who has logged in holds.
func (a *App) verify(ctx context.Context, text string) (t logoutToken, err error) {
	verified, err := a.Tokens.Verify(ctx, text)
	if err != nil {
		return t, err
	}
	if err := verified.Claims(&t); err != nil {
		return t, err
	}
	t.expiry = verified.Expiry
	var event map[string]any
	switch {
	case json.Unmarshal(t.Events[logoutEvent], &event) != nil || event == nil:
		return t, errors.New("backchannel: there is no logout event in it")
	case t.Nonce != nil:
		return t, errors.New("backchannel: it has a nonce, as an ID token has")
	case t.Subject == "" && t.SID == "":
		return t, errors.New("backchannel: it names neither a subject nor a session")
	case t.ID == "":
		return t, errors.New("backchannel: it has no jti")
	}
	return t, nil
}

// end does section 2.7. Each step may be done again: a token that was not obeyed to the end is sent again, and one that
// was is not obeyed twice, because by then its subject may have logged in anew.
func (a *App) end(ctx context.Context, t logoutToken) error {
	var told int
	if err := a.DB.QueryRowContext(ctx, "SELECT COUNT(*) FROM told WHERE jti = ?", t.ID).Scan(&told); err != nil || told > 0 {
		return err
	}
	var err error
	if t.SID == "" {
		err = a.Sessions.RevokeAll(ctx, t.Subject) // logins in flight, too
	} else {
		err = a.endSID(ctx, t.SID)
	}
	if err != nil {
		return err
	}
	_, err = a.DB.ExecContext(ctx, "INSERT INTO told (jti, until) VALUES (?, ?) ON CONFLICT DO NOTHING", t.ID, t.expiry.Unix())
	return err
}

func (a *App) endSID(ctx context.Context, sid string) error {
	if _, err := a.DB.ExecContext(ctx, "INSERT INTO ended (sid, until) VALUES (?, ?) ON CONFLICT DO NOTHING",
		sid, time.Now().Add(endedFor).Unix()); err != nil {
		return err
	}
	type login struct{ session, owner string }
	var all []login
	rows, err := a.DB.QueryContext(ctx, "SELECT session, owner FROM logins WHERE sid = ?", sid)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var l login
		if err := rows.Scan(&l.session, &l.owner); err != nil {
			return err
		}
		all = append(all, l)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	var failed []error
	for _, l := range all {
		// The owner is given, too: if somebody else has logged in there since, it is not found, and stays.
		err := a.Sessions.Revoke(ctx, l.owner, l.session)
		if err == nil || errors.Is(err, sojourn.ErrNotFound) {
			_, err = a.DB.ExecContext(ctx, "DELETE FROM logins WHERE sid = ? AND session = ?", sid, l.session)
		}
		failed = append(failed, err) // the row stays, and the next try finds it
	}
	return errors.Join(failed...)
}

// Sweep deletes what is over. Call it now and then.
func (a *App) Sweep(ctx context.Context) error {
	failed := []error{a.sweepLogins(ctx)}
	for _, table := range []string{"ended", "told"} {
		_, err := a.DB.ExecContext(ctx, "DELETE FROM "+table+" WHERE until < ?", time.Now().Add(-time.Minute).Unix())
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// sweepLogins deletes the rows of sessions that are over. Remember and a later login in the same session lengthen it
// and know nothing of its row, so a row whose time has come is asked about: a logout must find whoever lives.
func (a *App) sweepLogins(ctx context.Context) error {
	due, err := a.due(ctx)
	if err != nil {
		return err
	}
	var failed []error
	for _, session := range due {
		s, err := a.Sessions.Find(ctx, session)
		switch {
		case err == nil:
			_, err = a.DB.ExecContext(ctx, "UPDATE logins SET until = ? WHERE session = ?", s.Deadline.Unix(), session)
		case errors.Is(err, sojourn.ErrNotFound):
			_, err = a.DB.ExecContext(ctx, "DELETE FROM logins WHERE session = ?", session)
		}
		failed = append(failed, err) // a store that cannot answer has not said that it is over
	}
	return errors.Join(failed...)
}

func (a *App) due(ctx context.Context) (sessions []string, err error) {
	rows, err := a.DB.QueryContext(ctx, "SELECT DISTINCT session FROM logins WHERE until < ?", time.Now().Add(-time.Minute).Unix())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		sessions = append(sessions, s)
	}
	return sessions, rows.Err()
}
