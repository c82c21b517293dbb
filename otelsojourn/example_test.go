package otelsojourn_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/otelsojourn"
	"github.com/gosojourn/sojourn/sqlstore"
)

// A page for Prometheus to scrape, beside the application.
func Example() {
	registry := prometheus.NewRegistry()
	exporter, err := otelprometheus.New(otelprometheus.WithRegisterer(registry))
	if err != nil {
		log.Fatal(err)
	}
	seen, err := otelsojourn.New(otelsojourn.Options{
		Manager:       "web",
		MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(exporter)),
	})
	if err != nil {
		log.Fatal(err)
	}
	defer seen.Close()
	sessions, err := sojourn.New(memstore.New(), sojourn.Config{Observer: seen, OnEvent: seen.OnEvent})
	if err != nil {
		log.Fatal(err)
	}
	seen.CountLive(sessions)

	name := sojourn.NewKey[string]("name")
	hello := sessions.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name.Put(r.Context(), "Ada")
	}))
	metrics := promhttp.HandlerFor(registry, promhttp.HandlerOpts{}) // http.Handle("GET /metrics", metrics), on a port of its own

	hello.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "https://example.com/", nil))
	page := httptest.NewRecorder()
	metrics.ServeHTTP(page, httptest.NewRequest("GET", "/metrics", nil))
	for line := range strings.Lines(page.Body.String()) {
		if strings.HasPrefix(line, "sojourn_session_live") || strings.HasPrefix(line, "sojourn_session_creations_total") {
			metric, _, _ := strings.Cut(line, "{")
			fmt.Println(metric, line[strings.LastIndex(line, " ")+1:len(line)-1])
		}
	}
	// Output:
	// sojourn_session_creations_total 1
	// sojourn_session_live 1
}

// Sessions in PostgreSQL, with what sqlstore says of exchanges and of the pool. The providers are the global ones.
func ExampleOptions() {
	var db *sql.DB // github.com/jackc/pgx/v5/stdlib
	store, err := sqlstore.New(db, sqlstore.Postgres, sqlstore.Options{})
	if err != nil {
		log.Print(err)
		return
	}
	seen, err := otelsojourn.New(otelsojourn.Options{Manager: "web", System: "postgresql", SQL: store.Stats})
	if err != nil {
		log.Fatal(err)
	}
	sessions, err := sojourn.New(store, sojourn.Config{Observer: seen, OnEvent: seen.OnEvent})
	if err != nil {
		log.Fatal(err)
	}
	seen.CountLive(sessions)
}

// An OnEvent of your own calls that of the instruments.
func ExampleInstruments_OnEvent() {
	seen, err := otelsojourn.New(otelsojourn.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer seen.Close()
	sessions, err := sojourn.New(memstore.New(), sojourn.Config{
		Observer: seen,
		OnEvent: func(ctx context.Context, e sojourn.Event) {
			seen.OnEvent(ctx, e)
			if e.Name == sojourn.EventLogin {
				fmt.Println(e.Owner, "has logged in")
			}
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	login := sessions.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sessions.Login(r.Context(), "ada")
	}))
	login.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "https://example.com/login", nil))
	// Output:
	// ada has logged in
}
