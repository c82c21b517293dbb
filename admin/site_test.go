package admin_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/admin"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sojourntest"
)

var secret = sojourn.NewKey[string]("key-of-a-value")

// A site is an application with the pages of this package below /admin/, for root.
type site struct {
	t *testing.T
	*sojourn.Manager
	store   *sojourntest.FaultyStore
	figures *admin.Figures
	pages   *admin.Handler
	app     http.Handler
	told    *told
	device  sojourn.Device // of the next login
}

type told struct {
	mu     sync.Mutex
	events []sojourn.Event
}

func (o *told) on(_ context.Context, e sojourn.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.events = append(o.events, e)
}

// acts are the actions that were told, and forgets them.
func (o *told) acts() (all []sojourn.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, e := range o.events {
		if e.Name == sojourn.EventAdmin {
			all = append(all, e)
		}
	}
	o.events = nil
	return all
}

func newSite(t *testing.T) *site { return newSiteOn(t, memstore.New(), admin.Config{}) }

func newSiteOn(t *testing.T, store sojourn.Store, cfg admin.Config) *site {
	t.Helper()
	s := &site{t: t, store: &sojourntest.FaultyStore{Store: store}, figures: admin.NewFigures(), told: &told{}}
	var err error
	s.Manager, err = sojourn.New(s.store, sojourn.Config{
		IdleTimeout: 10 * time.Minute,
		Observer:    s.figures,
		OnEvent: func(ctx context.Context, e sojourn.Event) {
			s.figures.OnEvent(ctx, e)
			s.told.on(ctx, e)
		},
		Device: func(*http.Request) sojourn.Device { return s.device },
	})
	if err != nil {
		t.Fatal(err)
	}
	s.mount(cfg)
	return s
}

// mount puts the pages where they belong.
func (s *site) mount(cfg admin.Config) {
	s.t.Helper()
	if cfg.Authorize == nil {
		cfg.Authorize = s.onlyRoot
	}
	cfg.Figures = s.figures
	var err error
	if s.pages, err = admin.New(s.Manager, cfg); err != nil {
		s.t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/admin/", http.StripPrefix("/admin", s.pages))
	s.app = s.LoadAndSave(mux)
}

func (s *site) onlyRoot(r *http.Request) (string, error) {
	if s.Info(r.Context()).Owner != "root" {
		return "", errors.New("the words of the application")
	}
	return "root@example.com", nil
}

// as is a browser in which owner is logged in, who has something in the session; "" is a visitor.
func (s *site) as(owner string) *sojourntest.Browser {
	s.t.Helper()
	b := sojourntest.NewBrowser(s.t, s.Manager, s.app)
	b.Session(func(ctx context.Context) {
		secret.Put(ctx, "what nobody else is to see")
		if owner != "" {
			if err := s.Login(ctx, owner); err != nil {
				s.t.Error(err)
			}
		}
	})
	return b
}

func (s *site) info(b *sojourntest.Browser) (i sojourn.Info) {
	s.t.Helper()
	b.Session(func(ctx context.Context) { i = s.Info(ctx) })
	return i
}

// page is what a response says.
func page(t *testing.T, res *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// want holds that the answer has that status, and says all of texts.
func want(t *testing.T, res *http.Response, status int, texts ...string) string {
	t.Helper()
	body := page(t, res)
	if res.StatusCode != status {
		t.Errorf("%s %s: status %d, want %d", res.Request.Method, res.Request.URL, res.StatusCode, status)
	}
	for _, text := range texts {
		if !strings.Contains(body, text) {
			t.Errorf("%s %s does not say %q:\n%s", res.Request.Method, res.Request.URL, text, body)
		}
	}
	return body
}

// lacks holds that a page says none of texts.
func lacks(t *testing.T, body string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(body, text) {
			t.Errorf("the page says %q:\n%s", text, body)
		}
	}
}

func find(by, query string) string {
	return "/admin/?" + url.Values{"by": {by}, "q": {query}}.Encode()
}
