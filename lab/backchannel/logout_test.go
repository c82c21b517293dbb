package backchannel

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/lab/harness"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sojourntest"
)

const issuer = "https://provider.example"

type claims map[string]any

// A stage is the application beside a provider that is this process.
type stage struct {
	*App
	store *sojourntest.FaultyStore
	key   *ecdsa.PrivateKey
	mux   *http.ServeMux
}

func newStage(t *testing.T) *stage {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	db := harness.Open(t, "sqlite", "file:"+harness.SQLite(t)+"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)")
	if _, err := db.Exec(Schema); err != nil {
		t.Fatal(err)
	}
	s := &stage{store: &sojourntest.FaultyStore{Store: memstore.New()}, key: key, mux: http.NewServeMux()}
	m, err := sojourn.New(s.store, sojourn.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	keys := &oidc.StaticKeySet{PublicKeys: []crypto.PublicKey{key.Public()}}
	s.App = &App{DB: db, Sessions: m, Tokens: oidc.NewVerifier(issuer, keys, &oidc.Config{ClientID: "shop", SupportedSigningAlgs: []string{oidc.ES256}})}
	s.mux.HandleFunc("GET /callback", func(w http.ResponseWriter, r *http.Request) {
		id, err := s.Tokens.Verify(r.Context(), r.FormValue("id_token")) // in your program it comes by the code flow
		if err == nil {
			err = s.Login(r.Context(), id)
		}
		if err != nil {
			http.Error(w, "Please log in again.", http.StatusServiceUnavailable)
		}
	})
	s.mux.HandleFunc("POST /renew", func(w http.ResponseWriter, r *http.Request) {
		if err := m.Renew(r.Context()); err != nil {
			t.Error(err)
		}
	})
	s.mux.HandleFunc("GET /who", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, m.Info(r.Context()).Owner) })
	return s
}

// token is what the provider signs.
func (s *stage) token(t *testing.T, with claims) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: s.key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().Unix()
	all := claims{"iss": issuer, "aud": "shop", "iat": now, "exp": now + 120, "jti": rand.Text()}
	maps.Copy(all, with)
	maps.DeleteFunc(all, func(_ string, v any) bool { return v == nil })
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(text)
	if err != nil {
		t.Fatal(err)
	}
	compact, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

var event = claims{logoutEvent: claims{}}

// logout is the provider's request.
func (s *stage) logout(token string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", "/backchannel", strings.NewReader(url.Values{"logout_token": {token}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func (s *stage) browser(t *testing.T) *sojourntest.Browser {
	return sojourntest.NewBrowser(t, s.Sessions, s.mux)
}

func (s *stage) login(t *testing.T, b *sojourntest.Browser, sub, sid string) int {
	t.Helper()
	res := b.Get("/callback?id_token=" + s.token(t, claims{"sub": sub, "sid": sid, "nonce": "n"}))
	res.Body.Close()
	return res.StatusCode
}

func who(t *testing.T, b *sojourntest.Browser) string {
	t.Helper()
	res := b.Get("/who")
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (s *stage) rows(t *testing.T) (n int) {
	t.Helper()
	if err := s.DB.QueryRow("SELECT COUNT(*) FROM logins").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestLogoutEndsWhatBeganWithTheSID(t *testing.T) {
	s := newStage(t)
	phone, desk, bobs := s.browser(t), s.browser(t), s.browser(t)
	s.login(t, phone, "ann", "at the phone")
	s.login(t, desk, "ann", "at the desk")
	s.login(t, bobs, "bob", "bob's")
	phone.PostForm("/renew", nil).Body.Close() // which keeps the id
	if w := s.logout(s.token(t, claims{"sub": "ann", "sid": "at the phone", "events": event})); w.Code != 200 || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%d, %v", w.Code, w.Header())
	}
	if got := []string{who(t, phone), who(t, desk), who(t, bobs)}; got[0] != "" || got[1] != "ann" || got[2] != "bob" {
		t.Errorf("logged in are %q", got)
	}
	if n := s.rows(t); n != 2 {
		t.Errorf("%d rows are left, want 2", n)
	}
	s.login(t, phone, "ann", "at the phone, later")
	again := s.token(t, claims{"sub": "ann", "events": event})
	for range 2 {
		if w := s.logout(again); w.Code != 200 {
			t.Errorf("by subject: %d %s", w.Code, w.Body)
		}
		if who(t, desk) != "" || who(t, bobs) != "bob" {
			t.Error("by subject: ann is logged in still, or bob is not")
		}
	}
	for { // a revocation of a moment ago refuses a login of the same moment
		if s.login(t, phone, "ann", "at the phone, later still") == 200 {
			break
		}
	}
	s.logout(again)
	if who(t, phone) != "ann" {
		t.Error("a logout token that was obeyed already has ended a later login")
	}
}

// In one browser ann logs in again, and then bob does. The logout of an earlier sid is not theirs.
func TestLogoutOfAnEarlierLogin(t *testing.T) {
	s := newStage(t)
	b := s.browser(t)
	for _, x := range []struct{ sub, sid string }{{"ann", "1"}, {"ann", "2"}, {"bob", "3"}} {
		if code := s.login(t, b, x.sub, x.sid); code != 200 {
			t.Fatalf("login: %d", code)
		}
	}
	for _, sid := range []string{"1", "2"} {
		if w := s.logout(s.token(t, claims{"sub": "ann", "sid": sid, "events": event})); w.Code != 200 {
			t.Errorf("%d", w.Code)
		}
	}
	if got := who(t, b); got != "bob" {
		t.Errorf("%q is logged in, want bob", got)
	}
}

// While the store is away the answer is 400, the row stays, and the same token works when it is sent again.
func TestLogoutWhileTheStoreIsAway(t *testing.T) {
	s := newStage(t)
	b := s.browser(t)
	s.login(t, b, "ann", "1")
	token := s.token(t, claims{"sub": "ann", "sid": "1", "events": event})
	s.store.Fail(errors.New("away"))
	if w := s.logout(token); w.Code != 400 || !strings.Contains(w.Body.String(), "send it again") || s.rows(t) != 1 {
		t.Errorf("%d %s, and %d rows", w.Code, w.Body, s.rows(t))
	}
	s.store.Fail(nil)
	if w := s.logout(token); w.Code != 200 || who(t, b) != "" || s.rows(t) != 0 {
		t.Errorf("%d %s; %q is logged in, and there are %d rows", w.Code, w.Body, who(t, b), s.rows(t))
	}
}

// A login races with the logout of its sid: whatever the schedule, nobody is left logged in.
func TestLogoutBesideItsLogin(t *testing.T) {
	s := newStage(t)
	for i := range 50 {
		b, sid := s.browser(t), rand.Text()
		id, token := s.token(t, claims{"sub": "ann", "sid": sid, "nonce": "n"}), s.token(t, claims{"sub": "ann", "sid": sid, "events": event})
		var both sync.WaitGroup
		both.Go(func() { b.Get("/callback?id_token=" + id).Body.Close() })
		both.Go(func() {
			time.Sleep(time.Duration(i%10) * 200 * time.Microsecond)
			if w := s.logout(token); w.Code != 200 {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
		both.Wait()
		if got := who(t, b); got != "" {
			t.Fatalf("%q is logged in", got)
		}
	}
	b := s.browser(t)
	token := s.token(t, claims{"sub": "ann", "sid": "over", "events": event})
	s.logout(token)
	if code := s.login(t, b, "ann", "over"); code != 503 || who(t, b) != "" {
		t.Errorf("a login of a sid that is over: %d, and %q is logged in", code, who(t, b))
	}
}

// What is no logout token of this provider for this client is refused (section 2.6).
func TestLogoutTokensThatAreNone(t *testing.T) {
	s := newStage(t)
	b := s.browser(t)
	s.login(t, b, "ann", "1")
	good := claims{"sub": "ann", "sid": "1", "events": event}
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]claims{
		"another issuer":   {"iss": "https://other.example"},
		"another client":   {"aud": "another"},
		"expired":          {"exp": time.Now().Add(-time.Hour).Unix()},
		"no events":        {"events": nil},
		"another event":    {"events": claims{"http://schemas.openid.net/event/other": claims{}}},
		"event no object":  {"events": claims{logoutEvent: "yes"}},
		"an ID token":      {"nonce": "n"},
		"nobody":           {"sub": nil, "sid": nil},
		"without jti":      {"jti": nil},
		"signed elsewhere": {},
	} {
		with := maps.Clone(good)
		maps.Copy(with, change)
		from := s
		if name == "signed elsewhere" {
			from = &stage{key: stranger}
		}
		if w := s.logout(from.token(t, with)); w.Code != 400 || !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	if w := s.logout(""); w.Code != 400 {
		t.Errorf("no token: %d", w.Code)
	}
	if who(t, b) != "ann" {
		t.Error("ann was logged out")
	}
}

func TestSweep(t *testing.T) {
	s := newStage(t)
	s.login(t, s.browser(t), "ann", "1")
	for _, q := range []string{"INSERT INTO logins VALUES ('old', 'x', 'ann', 1)", "INSERT INTO ended VALUES ('old', 1)", "INSERT INTO told VALUES ('old', 1)"} {
		if _, err := s.DB.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Sweep(context.Background()); err != nil {
		t.Fatal(err)
	}
	var left int
	if err := s.DB.QueryRow("SELECT (SELECT COUNT(*) FROM ended) + (SELECT COUNT(*) FROM told)").Scan(&left); err != nil || left != 0 || s.rows(t) != 1 {
		t.Errorf("%d and %d rows are left, %v", left, s.rows(t), err)
	}
}
