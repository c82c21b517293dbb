package main

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sealed"
)

type policyCmd struct {
	AAL         *int          `placeholder:"1|2|3" help:"Begin with the limits of this level of NIST SP 800-63B-4, not with the defaults."`
	Lifetime    time.Duration `placeholder:"TIME" help:"Config.Lifetime."`
	Idle        time.Duration `placeholder:"TIME" help:"Config.IdleTimeout."`
	NoIdle      bool          `xor:"idle" help:"Config.IdleTimeout is NoIdleTimeout."`
	Remember    time.Duration `placeholder:"TIME" help:"Config.RememberFor."`
	MaxPerOwner int           `placeholder:"N" help:"Config.MaxPerOwner."`
	Cookie      string        `placeholder:"NAME" help:"Config.Cookie.Name."`
	Domain      string        `placeholder:"NAME" help:"Config.Cookie.Domain."`
	Path        string        `placeholder:"PATH" help:"Config.Cookie.Path."`
	SameSite    string        `enum:"lax,strict,none," default:"" placeholder:"lax|strict|none" help:"Config.Cookie.SameSite."`
	Persistent  bool          `help:"Config.Cookie.Persistent."`
	Header      string        `placeholder:"NAME" help:"Config.Header."`
	Sealed      bool          `help:"As of NewSealed: the clients keep the sessions. A store that is named is Config.Revocations."`
	Anonymous   bool          `help:"Config.Anonymous: sessions of visitors are sealed until they log in."`
	PlainHTTP   bool          `name:"dangerously-allow-http" help:"Config.DangerouslyAllowHTTP."`
}

func (policyCmd) Help() string {
	return `It prints what New makes of such a Config: every limit and attribute, what the store says of durability, and how that
stands to OWASP, ASVS 5.0, NIST SP 800-63B-4 and RFC 6265bis. What New refuses it says, too, and ends with 2. A flag that is
not given is a field that is zero. A store that is named is opened, and only asked whether it answers; without one the
sessions are in memory. An application prints its own with Manager.Policy.`
}

func (c *policyCmd) Run(ctx context.Context, g *grammar, t *terminal) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	m, err := c.manager(ctx, g, cfg)
	if err != nil {
		return err
	}
	p := m.Policy()
	t.printf("%s", printableText(p.String()))
	return t.answer(p)
}

// manager is one that serves nobody.
func (c *policyCmd) manager(ctx context.Context, g *grammar, cfg sojourn.Config) (m *sojourn.Manager, err error) {
	refused := func(m *sojourn.Manager, err error) (*sojourn.Manager, error) {
		if err != nil {
			return nil, usage("%w", err)
		}
		return m, nil
	}
	var store sojourn.Store = memstore.New()
	if g.Store != "" {
		s, err := g.open(ctx, nil, false)
		if err != nil {
			return nil, err
		}
		defer s.Close()
		store, cfg.Revocations = s.backend, s.backend
	}
	ring, err := sealed.New([]string{sealed.GenerateKey()}, sealed.Options{})
	if err != nil {
		return nil, err
	}
	if c.Anonymous {
		cfg.Anonymous = ring
	}
	if !c.Sealed {
		cfg.Revocations = nil
		return refused(sojourn.New(store, cfg))
	}
	return refused(sojourn.NewSealed(ring, cfg))
}

func (c *policyCmd) config() (sojourn.Config, error) {
	var cfg sojourn.Config
	if c.AAL != nil {
		level, ok := map[int]func() sojourn.Config{1: sojourn.AAL1, 2: sojourn.AAL2, 3: sojourn.AAL3}[*c.AAL]
		if !ok {
			return cfg, usage("--aal %d: the levels are 1, 2 and 3", *c.AAL)
		}
		cfg = level()
	}
	said := func(to *time.Duration, d time.Duration) {
		if d != 0 {
			*to = d
		}
	}
	said(&cfg.Lifetime, c.Lifetime)
	said(&cfg.IdleTimeout, c.Idle)
	said(&cfg.RememberFor, c.Remember)
	if c.NoIdle {
		cfg.IdleTimeout = sojourn.NoIdleTimeout
	}
	cfg.MaxPerOwner, cfg.Header, cfg.DangerouslyAllowHTTP = c.MaxPerOwner, c.Header, c.PlainHTTP
	cfg.Cookie = sojourn.Cookie{Name: c.Cookie, Domain: c.Domain, Path: c.Path, Persistent: c.Persistent, SameSite: sites[c.SameSite]}
	cfg.Logger = slog.New(slog.DiscardHandler)
	return cfg, nil
}

var sites = map[string]http.SameSite{"lax": http.SameSiteLaxMode, "strict": http.SameSiteStrictMode, "none": http.SameSiteNoneMode}
