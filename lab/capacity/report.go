package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// The load that is projected: 100,000 requests a second of 10^8 sessions. Nine of ten requests read, one writes; each
// session is begun by a login and lasts a day at most.
const (
	load     = 100_000
	sessions = 1e8
	writing  = .1
	logins   = sessions / 86_400
)

// names are the stores, as each table has a row for each.
func names() (all []string) {
	for _, s := range stores {
		all = append(all, s.name)
	}
	return all
}

// row is the first cell of a table's row.
func row(store, kind string) string { return store + ", " + kind }

func report(all []measured, n int) string {
	var b strings.Builder
	info, _ := debug.ReadBuildInfo()
	fmt.Fprintf(&b, "%d cores, %s, %s/%s;", runtime.NumCPU(), info.GoVersion, runtime.GOOS, runtime.GOARCH)
	fmt.Fprintf(&b, " %d sessions, and as many requests of each kind by %d callers at once.\n", n, callers)
	perRequest(&b, all)
	perSession(&b, all)
	projected(&b, all)
	return b.String()
}

func perRequest(b *strings.Builder, all []measured) {
	b.WriteString("\n### Of a request\n| | application, us | requests a second of one core | database, cores for 1,000 a second | questions | exchanges | bytes on the wire | bytes of log |\n|---|---|---|---|---|---|---|---|\n")
	for _, m := range all {
		for _, kind := range kinds {
			c := m.costs[kind]
			fmt.Fprintf(b, "| %s | %.1f | %.0f | %s | %.2f | %s | %s | %s |\n", row(m.store, kind), us(c.app), float64(time.Second)/float64(max(c.app, 1)),
				orNone("%.3f", c.server.Seconds()*1000), c.asked, orNone("%.2f", c.exchanges), orNone("%.0f", c.wire), orNone("%.0f", c.log))
		}
	}
}

func perSession(b *strings.Builder, all []measured) {
	b.WriteString("\n### Of a session\n| | bytes | GB of a million | sweeping 1,000 that have expired, ms of processor time | swept in a day by one process, millions |\n|---|---|---|---|---|\n")
	for _, m := range all {
		day := 0.
		if m.slowest > 0 {
			day = float64(24*time.Hour) / float64(m.slowest) / 1e6
		}
		fmt.Fprintf(b, "| %s | %.0f | %.2f | %s | %s |\n", m.store, m.bytes, m.bytes/1000, orNone("%.1f", us(m.swept)), orNone("%.0f", day))
	}
}

// projected multiplies: no more is meant.
func projected(b *strings.Builder, all []measured) {
	fmt.Fprintf(b, "\n### 10^8 sessions, %d requests a second\n| | application, cores | database, cores | GB kept | MB a second on the wire | MB a second of log |\n|---|---|---|---|---|---|\n", load)
	for _, m := range all {
		var t cost
		for kind, rate := range map[string]float64{"read": load * (1 - writing), "write": load * writing, "login": logins} {
			c := m.costs[kind]
			t.app += time.Duration(float64(c.app) * rate)
			t.server += time.Duration(float64(c.server) * rate)
			t.wire += c.wire * rate
			t.log += c.log * rate
		}
		kept := orNone("%.0f", m.bytes*sessions/1e9)
		if m.store == "sealed" {
			kept = "- (each client its own)"
		}
		fmt.Fprintf(b, "| %s | %.1f | %s | %s | %s | %s |\n", m.store, t.app.Seconds(), orNone("%.1f", t.server.Seconds()), kept, orNone("%.0f", t.wire/1e6), orNone("%.1f", t.log/1e6))
	}
}

func us(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }

// orNone leaves out what there is none of.
func orNone(format string, v float64) string {
	if v == 0 {
		return "-"
	}
	return fmt.Sprintf(format, v)
}
