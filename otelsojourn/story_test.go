package otelsojourn_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/otelsojourn"
	"github.com/gosojourn/sojourn/sojourntest"
)

const owner = "ada@example.com"

// An app has a session manager with instruments, and what a person can do with it, each request beneath a span.
type app struct {
	*collector
	*sojourn.Manager
	store   *sojourntest.FaultyStore
	handler http.Handler
}

func newApp(t *testing.T, c *collector, o otelsojourn.Options) *app {
	i := c.instruments(o)
	a := &app{collector: c, store: &sojourntest.FaultyStore{Store: memstore.New()}}
	a.Manager = manager(t, a.store, sojourn.Config{
		Observer: i, OnEvent: i.OnEvent, StoreTimeout: time.Second,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, "sorry", http.StatusServiceUnavailable)
		},
	})
	name := sojourn.NewKey[string]("name")
	mux := http.NewServeMux()
	mux.HandleFunc("POST /put", func(w http.ResponseWriter, r *http.Request) { name.Put(r.Context(), r.FormValue("v")) })
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, name.Get(r.Context())) })
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) { a.Login(r.Context(), owner) })
	mux.HandleFunc("POST /logout", func(w http.ResponseWriter, r *http.Request) { a.Logout(r.Context()) })
	sessions := a.LoadAndSave(mux)
	a.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, span := c.traces.Tracer("test").Start(r.Context(), "request")
		defer span.End()
		sessions.ServeHTTP(w, r.WithContext(ctx))
	})
	return a
}

func (a *app) browser() *sojourntest.Browser {
	b := sojourntest.NewBrowser(a.t, a.Manager, a.handler)
	b.Client.Transport = transport{a.handler} // its own puts LoadAndSave around the handler, and so around the span
	return b
}

// A transport asks a handler.
type transport struct{ http.Handler }

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	w, in := httptest.NewRecorder(), r.Clone(r.Context())
	in.TLS = &tls.ConnectionState{HandshakeComplete: true}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	t.ServeHTTP(w, in)
	res := w.Result()
	res.Request = r
	return res, nil
}

func TestTheLifeOfASessionIsCounted(t *testing.T) {
	a := newApp(t, newCollector(t), otelsojourn.Options{System: "postgresql"})
	b := a.browser()
	b.PostForm("/put", nil)
	b.PostForm("/login", nil)
	b.Get("/")
	b.PostForm("/logout", nil)
	stranger := a.browser()
	for _, token := range []string{"nonsense", strings.Repeat("A", 64)} {
		r, err := http.NewRequest("GET", "/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.AddCookie(&http.Cookie{Name: "__Host-Http-id", Value: token})
		stranger.Do(r)
	}
	const took = "sojourn.store.operation.duration{db.operation.name=%s db.system.name=postgresql sojourn.outcome=%s}"
	a.want(map[string]float64{
		"sojourn.session.creations":                              1,
		"sojourn.session.logins":                                 1,
		"sojourn.session.renewals":                               1,
		"sojourn.session.endings{sojourn.reason=logout}":         1,
		"sojourn.session.endings{sojourn.reason=revoked}":        0, // there before it happens
		"sojourn.token.refusals{sojourn.reason=token_malformed}": 1,
		"sojourn.token.refusals{sojourn.reason=token_unknown}":   1,
		fmt.Sprintf(took, "create", "ok"):                        1,
		fmt.Sprintf(took, "update", "ok"):                        1,
		fmt.Sprintf(took, "load_near", "not_found"):              1,
		fmt.Sprintf(took, "delete", "ok"):                        1,
	})
	got := a.collect()
	if n := got["sojourn.store.write.size{db.operation.name=create db.system.name=postgresql}:sum"]; n < 10 || n > 1000 {
		t.Errorf("%v bytes were created", n)
	}
}

// The store fails: its outcome, the fault, and the span of the request that met it.
func TestAnOutageIsCounted(t *testing.T) {
	a := newApp(t, newCollector(t), otelsojourn.Options{System: "mariadb"})
	b := a.browser()
	b.PostForm("/put", nil)
	a.store.Fail(errors.New("connection to " + owner + " refused"))
	if res := b.Get("/"); res.StatusCode != http.StatusServiceUnavailable {
		t.Fatalf("answered %s", res.Status)
	}
	a.want(map[string]float64{
		"sojourn.faults{sojourn.event=session_store_unavailable}":                                                      1,
		"sojourn.faults{sojourn.event=session_store_unavailable sojourn.reason=sweep}":                                 0,
		"sojourn.store.operation.duration{db.operation.name=load_near db.system.name=mariadb sojourn.outcome=unknown}": 1,
		"sojourn.store.operation.duration{db.operation.name=create db.system.name=mariadb sojourn.outcome=ok}":         1,
		"sojourn.store.write.size{db.operation.name=create db.system.name=mariadb}":                                    1,
	})
}

func TestSpansHangBeneathTheRequest(t *testing.T) {
	a := newApp(t, newCollector(t), otelsojourn.Options{System: "mariadb", Manager: "web"})
	b := a.browser()
	b.PostForm("/login", nil)
	b.Get("/")
	a.store.Fail(errors.New("it burns"))
	b.Get("/")
	if _, err := a.Sweep(context.Background()); err == nil { // no span above it
		t.Error("Sweep: no error of a store that fails")
	}
	requests := map[trace.SpanID]bool{}
	for _, s := range a.spans.Ended() {
		if s.Name() == "request" {
			requests[s.SpanContext().SpanID()] = true
		}
	}
	var seen []string
	for _, s := range a.spans.Ended() {
		if s.Name() == "request" {
			continue
		}
		if !requests[s.Parent().SpanID()] || s.SpanKind() != trace.SpanKindClient {
			t.Errorf("%s is no child of a request's span, or no client: %v", s.Name(), s.SpanKind())
		}
		var attrs []string
		for _, x := range s.Attributes() {
			attrs = append(attrs, string(x.Key)+"="+x.Value.String())
		}
		seen = append(seen, s.Name()+": "+s.Status().Code.String()+" "+strings.Join(attrs, " "))
	}
	const of = " db.system.name=mariadb sojourn.manager=web sojourn.outcome="
	want := []string{
		"fence session: Unset db.operation.name=fence" + of + "ok",
		"create session: Unset db.operation.name=create" + of + "ok",
		"fence session: Unset db.operation.name=fence" + of + "ok",
		"load_near session: Unset db.operation.name=load_near" + of + "ok",
		"load_near session: Error db.operation.name=load_near" + of + "unknown error.type=unknown",
	}
	if strings.Join(seen, "\n") != strings.Join(want, "\n") {
		t.Errorf("spans:\n%s\nwant:\n%s", strings.Join(seen, "\n"), strings.Join(want, "\n"))
	}
}

// Nothing of a person, of a token or of an error's words is exported, whatever happens.
func TestNothingSecretIsExported(t *testing.T) {
	a := newApp(t, newCollector(t), otelsojourn.Options{System: "mariadb"})
	b := a.browser()
	b.PostForm("/put", map[string][]string{"v": {"a-value"}})
	b.PostForm("/login", nil)
	var id string
	for i, err := range a.List(t.Context(), owner) {
		if err != nil {
			t.Fatal(err)
		}
		id = i.ID
	}
	if len(id) != 24 {
		t.Fatalf("the id is %q", id)
	}
	a.store.Fail(fmt.Errorf("duplicate key (%s) of %s: a-value", id, owner))
	b.PostForm("/put", nil)
	a.store.Fail(nil)
	b.PostForm("/logout", nil)
	var all strings.Builder
	for name := range a.collect() {
		fmt.Fprintln(&all, name)
	}
	for _, s := range a.spans.Ended() {
		fmt.Fprintln(&all, s.Name(), s.Attributes(), s.Status(), s.Events())
	}
	for _, secret := range []string{id, owner, "a-value", "duplicate"} {
		if strings.Contains(all.String(), secret) {
			t.Errorf("%q is exported", secret)
		}
	}
	if !strings.Contains(all.String(), "unknown") {
		t.Error("the failure is not exported: nothing is tested")
	}
}

func TestManagersAreToldApart(t *testing.T) {
	c := newCollector(t)
	web, api := newApp(t, c, otelsojourn.Options{Manager: "web"}), newApp(t, c, otelsojourn.Options{Manager: "api"})
	web.browser().PostForm("/put", nil)
	web.browser().PostForm("/put", nil)
	api.browser().PostForm("/put", nil)
	const took = "sojourn.store.operation.duration{db.operation.name=create sojourn.manager=%s sojourn.outcome=ok}"
	c.want(map[string]float64{
		"sojourn.session.creations{sojourn.manager=web}": 2,
		"sojourn.session.creations{sojourn.manager=api}": 1,
		fmt.Sprintf(took, "web"):                         2,
		fmt.Sprintf(took, "api"):                         1,
	})
}
