package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// The page has words of its own; what is between these lines is measured.
const (
	beginResults = "<!-- results: go run ./lab/bench -docs -->\n"
	endResults   = "<!-- end of results -->\n"
)

// document puts the results into performance.md and the charts beside it.
func (r *report) document(dir string) error {
	path := filepath.Join(dir, "performance.md")
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(text), beginResults)
	_, after, ok2 := strings.Cut(rest, endResults)
	if !ok || !ok2 {
		return fmt.Errorf("%s has no lines to put results between: %s…%s", path, beginResults, endResults)
	}
	if err := r.draw(filepath.Join(dir, "performance")); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(before+beginResults+r.tables()+endResults+after), 0o666)
}

func (r *report) tables() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s, %s on %s.", r.When.Format("2 January 2006"), r.Go, r.Machine)
	var names []string
	for name, version := range r.Versions {
		names = append(names, fmt.Sprintf("%s %s", strings.TrimPrefix(name, "github.com/"), version))
	}
	slices.Sort(names)
	fmt.Fprintf(&b, " %s.\n", strings.Join(names, ", "))
	for _, s := range r.Skipped {
		fmt.Fprintf(&b, "\nNot measured: %s.\n", s)
	}
	r.table(&b, "in process", "In process: how many times as fast as the peer", "| | times | demanded | | Sojourn | peer |\n|---|---|---|---|---|---|\n", func(x result) string {
		return fmt.Sprintf("%s | %s |", short(x.P50[0]), short(x.P50[1]))
	})
	r.table(&b, "end to end", "End to end: which part of the floor's requests, or how many times the peer's",
		"| | part | demanded | | requests a second | p50 | p99 | CPU |\n|---|---|---|---|---|---|---|---|\n", func(x result) string {
			return fmt.Sprintf("%.0f, %.0f | %s, %s | %s, %s | %s, %s |", x.PerSecond[0], x.PerSecond[1],
				short(x.P50[0]), short(x.P50[1]), short(x.P99[0]), short(x.P99[1]), short(x.CPU[0]), short(x.CPU[1]))
		})
	r.table(&b, "", "Everything else", "| | measured | demanded | | |\n|---|---|---|---|---|\n", func(x result) string { return x.Note + " |" })
	return b.String()
}

// table has the results of one unit, or all of units that have no table of their own.
func (r *report) table(b *strings.Builder, unit, title, head string, more func(result) string) {
	fmt.Fprintf(b, "\n### %s\n%s", title, head)
	for _, x := range r.Results {
		own := x.Unit
		if own != "in process" && own != "end to end" {
			own = ""
		}
		if own == unit {
			fmt.Fprintf(b, "| %s | %s | %s | %s | %s\n", strings.TrimPrefix(x.Name, "in process, "), x.measured(), x.demanded(), x.verdict(), more(x))
		}
	}
}

func short(d time.Duration) string {
	switch {
	case d < 10*time.Microsecond:
		return fmt.Sprintf("%.2f µs", float64(d)/1e3)
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.0f µs", float64(d)/1e3)
	}
	return fmt.Sprintf("%.0f ms", float64(d)/1e6)
}
