package dbsc

import (
	"crypto/rand"
	"errors"
	"net/http"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/internal/binding"
	"github.com/gosojourn/sojourn/internal/bridge"
)

// A Binder binds one manager's sessions. It is safe for concurrent use.
type Binder struct {
	m      *sojourn.Manager
	cfg    Config
	cookie cookie
}

// New binds the sessions of m. Call it once, before m serves. Its error names every mistake, one to a line.
//
// m keeps its sessions in a Store and its token in a cookie, over https, of one host. Sealed sessions are refused
// ([errors.ErrUnsupported]): there is nothing on the server that could say which bound cookie is the last one. With
// [Off] every manager will do.
func New(m *sojourn.Manager, cfg Config) (*Binder, error) {
	cfg, err := cfg.resolve()
	if m == nil {
		err = errors.Join(errors.New("dbsc: the manager is nil: make it with sojourn.New"), err)
	}
	b := &Binder{m: m, cfg: cfg}
	if err == nil && cfg.Policy != Off {
		err = bridge.Bind(m, func(c bridge.Cookie) bridge.Binder {
			b.cookie = cookieBeside(c)
			return (*binder)(b)
		})
	}
	if err != nil {
		return nil, err
	}
	return b, nil
}

// binder is what the manager asks.
type binder Binder

func (b *binder) Own(r *http.Request) bool {
	return r.Method == http.MethodPost && (r.URL.Path == b.cfg.Register || r.URL.Path == b.cfg.Refresh)
}

func (b *binder) Offer() []byte {
	o := binding.Offer{Until: now() + offerFor.Milliseconds(), Challenge: secret(), Authorization: secret()}
	return o.Encode()
}

func (b *binder) Invitation(id string, offered []byte) (name, value string) {
	o, ok := binding.ParseOffer(offered)
	if !ok {
		return "", ""
	}
	return headerRegistration, `(ES256 RS256);path="` + b.cfg.Register + `";challenge="` + o.Challenge.Text() +
		`";authorization="` + id + "." + o.Authorization.Text() + `"`
}

func (b *binder) Forget(h http.Header) { h.Add("Set-Cookie", b.cookie.gone()) }

func now() int64 { return time.Now().UnixMilli() }

func secret() (s binding.Secret) {
	_, _ = rand.Read(s[:]) // never fails: it ends the program (crypto/rand)
	return s
}
