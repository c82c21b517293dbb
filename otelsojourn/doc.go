// Package otelsojourn reports what a session manager does to OpenTelemetry: metrics of sessions, tokens, faults and
// the store, and spans of the store's operations beneath the request's own.
//
// [New] makes the [Instruments] of one manager. They are its [sojourn.Config.Observer], and their OnEvent is its
// [sojourn.Config.OnEvent]; an OnEvent of your own calls theirs. Set your providers first: a counter begins at 0 when
// New is called, so that an alert sees it become 1.
//
// No id, owner, token, value or error text goes into a metric or a span. Attributes come from fixed lists; what is on
// none is "_OTHER". A manager has about 50 series at rest, and at most 91 histograms of operations with 15 buckets each.
//
// docs/observability.md has each metric, what it means and when to worry. Folder dashboards has a dashboard for
// Grafana and alert rules for Prometheus.
//
// What it does not do: it exports nothing, that is your SDK's part; it makes no spans of requests, for that is
// otelhttp; it does not time the statements that a store sends, for that is an instrumented driver, whose spans then
// hang beneath these.
package otelsojourn
