package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/otelsojourn"
)

// A night is an application under load, which writes its log and is scraped into a folder.
type night struct {
	t      *testing.T
	folder string
	url    string
	stop   chan struct{}

	mu      sync.Mutex
	answers []answer // what the clients saw
}

type answer struct {
	path       string
	begun, got time.Time
	status     int
}

var clicks = sojourn.NewKey[int]("clicks")

func beginNight(t *testing.T, folder, system string, store sojourn.Store) *night {
	n := &night{t: t, folder: folder, stop: make(chan struct{})}
	if err := os.MkdirAll(filepath.Join(folder, "scrapes"), 0o755); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(folder, "app.log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	registry := prometheus.NewRegistry()
	exporter, err := otelprometheus.New(otelprometheus.WithRegisterer(registry))
	if err != nil {
		t.Fatal(err)
	}
	seen, err := otelsojourn.New(otelsojourn.Options{Manager: "web", System: system, MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(exporter))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { seen.Close() })
	m, err := sojourn.New(store, sojourn.Config{
		Observer: seen, OnEvent: seen.OnEvent, StoreTimeout: time.Second,
		Logger: slog.New(slog.NewJSONHandler(log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	sessions := http.NewServeMux()
	sessions.HandleFunc("GET /about", func(http.ResponseWriter, *http.Request) {})
	sessions.HandleFunc("GET /cart", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, clicks.Get(r.Context())) })
	sessions.HandleFunc("POST /click", func(_ http.ResponseWriter, r *http.Request) {
		clicks.Update(r.Context(), func(n int) int { return n + 1 })
	})
	var people atomic.Int64
	sessions.HandleFunc("POST /login", func(_ http.ResponseWriter, r *http.Request) {
		_ = m.Login(r.Context(), fmt.Sprint("person ", people.Add(1))) // the middleware's commit says it again
	})
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.Handle("/", m.LoadAndSave(sessions))
	server := httptest.NewTLSServer(mux) // browsers keep the cookie on https
	t.Cleanup(server.Close)
	n.url = server.URL
	n.scrapeNowAndThen(server.Client())
	n.visit(server.Client().Transport)
	return n
}

// scrapeNowAndThen does what Prometheus does, more often.
func (n *night) scrapeNowAndThen(client *http.Client) {
	once := func() {
		begun := time.Now().UnixMilli()
		res, err := client.Get(n.url + "/metrics")
		if err != nil {
			n.t.Error(err)
			return
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err == nil {
			err = os.WriteFile(filepath.Join(n.folder, "scrapes", fmt.Sprintf("%d-%d.prom", begun, time.Now().UnixMilli()+1)), text, 0o644)
		}
		if err != nil {
			n.t.Error(err)
		}
	}
	once()
	n.background(func() {
		for done := false; !done; once() {
			select {
			case <-n.stop:
				done = true
			case <-time.After(200 * time.Millisecond):
			}
		}
	})
}

func (n *night) background(f func()) {
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	n.t.Cleanup(func() { <-done })
}

// visit has people come until the night is over: some read, some click, some log in, some want nothing of a session.
func (n *night) visit(transport http.RoundTripper) {
	for _, paths := range [][]string{{"/about"}, {"/cart"}, {"/cart"}, {"/click"}, {"/click", "/cart"}, {"/login"}} {
		client := &http.Client{Transport: transport, Timeout: 10 * time.Second}
		if paths[0] != "/login" { // somebody else each time
			client.Jar = newJar(n.t)
			n.ask(client, "/click") // which begins a session
		}
		n.background(func() {
			for i := 0; ; i++ {
				select {
				case <-n.stop:
					return
				case <-time.After(15 * time.Millisecond):
				}
				n.ask(client, paths[i%len(paths)])
			}
		})
	}
}

func (n *night) ask(client *http.Client, path string) {
	method := http.MethodGet
	if path == "/click" || path == "/login" {
		method = http.MethodPost
	}
	r, err := http.NewRequestWithContext(context.Background(), method, n.url+path, nil)
	if err != nil {
		n.t.Error(err)
		return
	}
	a := answer{path: path, begun: time.Now()}
	res, err := client.Do(r)
	if err != nil {
		n.t.Errorf("%s was not answered: %v", path, err)
		return
	}
	io.Copy(io.Discard, res.Body)
	res.Body.Close()
	a.got, a.status = time.Now(), res.StatusCode
	n.mu.Lock()
	defer n.mu.Unlock()
	n.answers = append(n.answers, a)
}

// refused are the answers that were no page.
func (n *night) refused() (all []answer) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, a := range n.answers {
		if a.status != http.StatusOK {
			all = append(all, a)
		}
	}
	return all
}
