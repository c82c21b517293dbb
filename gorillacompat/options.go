package gorillacompat

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/sessions"

	"github.com/gosojourn/sojourn"
)

// maxAge is what browsers keep a cookie for: 400 days (RFC 6265bis 5.5).
const maxAge = 400 * 24 * 60 * 60

// attributes are Options with one spelling for what means the same.
type attributes sessions.Options

func attributesOf(o *sessions.Options) attributes {
	a := attributes(*o)
	if a.Path == "" {
		a.Path = "/"
	}
	a.Domain = strings.TrimPrefix(a.Domain, ".")
	a.MaxAge = min(max(a.MaxAge, -1), maxAge)
	a.HttpOnly = true
	if a.SameSite == 0 || a.SameSite == http.SameSiteDefaultMode {
		a.SameSite = http.SameSiteLaxMode
	}
	return a
}

func (s *Store) defaults() attributes { return attributesOf(s.Options) }

// text is how a session keeps attributes of its own.
func (a attributes) text() string {
	b, err := json.Marshal(a)
	if err != nil {
		panic("gorillacompat: Options do not encode: " + err.Error()) // they are strings, numbers and bools
	}
	return string(b)
}

func parseAttributes(text string) (a attributes, err error) {
	err = json.Unmarshal([]byte(text), &a)
	return a, err
}

// config is that of the manager of sessions called name with attributes a.
func (s *Store) config(name string, a attributes) sojourn.Config {
	cfg := s.cfg
	if a.MaxAge > 0 {
		cfg.Lifetime = time.Duration(a.MaxAge) * time.Second
	}
	if cfg.IdleTimeout > cfg.Lifetime {
		cfg.IdleTimeout = cfg.Lifetime
	}
	cfg.RememberFor = cfg.Lifetime
	cfg.Cookie = sojourn.Cookie{Name: name, Domain: a.Domain, Path: a.Path, SameSite: a.SameSite,
		Persistent: a.MaxAge > 0, Partitioned: a.Partitioned}
	cfg.DangerouslyAllowHTTP = !a.Secure
	cfg.Legacy = s.legacy(name)
	if cfg.Purpose == "" {
		cfg.Purpose = name
	} else {
		cfg.Purpose += "\x00" + name
	}
	return cfg
}

// managers are made once for each name and set of attributes that are used.
type managers struct {
	mu  sync.Mutex
	all map[managerKey]*sojourn.Manager
}

type managerKey struct {
	name string
	attributes
}

// maxManagers bounds what a program can make that computes its names or ages.
const maxManagers = 256

func (s *Store) manager(name string, a attributes) (*sojourn.Manager, error) {
	if a.MaxAge < 0 { // a session that ends does so under the lifetime it had
		a.MaxAge = max(s.defaults().MaxAge, 0)
	}
	k, ms := managerKey{name, a}, &s.managers
	ms.mu.Lock()
	defer ms.mu.Unlock()
	if m := ms.all[k]; m != nil {
		return m, nil
	}
	m, err := s.keep(s.config(name, a))
	if err != nil {
		return nil, err
	}
	if ms.all == nil {
		ms.all = make(map[managerKey]*sojourn.Manager)
	}
	if len(ms.all) >= maxManagers {
		for old := range ms.all {
			if old.attributes != s.defaults() || old.name != name {
				delete(ms.all, old)
				break
			}
		}
	}
	ms.all[k] = m
	return m, nil
}
