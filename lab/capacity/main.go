// Command capacity measures what docs/scaling.md projects from: the processor time, the exchanges and the bytes of a
// request and of a session, on each store.
//
//	go run ./lab/capacity          10,000 sessions and as many requests of each kind
//	go run ./lab/capacity -quick   a fifth of it
//	go run ./lab/capacity -docs    and writes the tables of docs/scaling.md
//	go run ./lab/capacity -visitors   what visitors and crawlers cost the store, counted; with -docs too
//
// It measures processor time, not time: of this process by getrusage, of the server by /proc. So it may run on a
// machine that others use. The servers are private ones of the tests' harness, with 16 MB of buffers and fsync. What
// net/http takes is not in it: requests go through the middleware without a network.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "capacity:", err)
		os.Exit(1)
	}
}

func run() error {
	quick := flag.Bool("quick", false, "a fifth of the sessions and requests")
	only := flag.String("only", "", "the `store` to measure")
	write := flag.Bool("docs", false, "write the tables of docs/scaling.md")
	crowds := flag.Bool("visitors", false, "count what visitors who are not logged in cost the store, and measure nothing")
	flag.Parse()
	if *crowds {
		text, err := reportVisitors()
		fmt.Print(text)
		if err == nil && *write {
			err = document("docs/scaling.md", countBegins, text)
		}
		return err
	}
	n := 10_000
	if *quick {
		n = 2_000
	}
	var all []measured
	for _, s := range stores {
		if *only != "" && *only != s.name {
			continue
		}
		m, err := measure(s, n)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		all = append(all, m)
		fmt.Fprintf(os.Stderr, "%s is measured\n", s.name)
	}
	text := report(all, n)
	fmt.Print(text)
	if *write {
		return document("docs/scaling.md", begins, text)
	}
	return nil
}

const (
	begins      = "<!-- measured: go run ./lab/capacity -docs -->\n"
	countBegins = "<!-- counted: go run ./lab/capacity -visitors -docs -->\n"
	ends        = "<!-- end of measured -->\n"
)

// document puts text between the marks of the page.
func document(page, begins, text string) error {
	old, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(old), begins)
	_, after, found2 := strings.Cut(rest, ends)
	if !found || !found2 {
		return fmt.Errorf("%s has no marks for what is measured", page)
	}
	return os.WriteFile(page, slices.Concat([]byte(before), []byte(begins), []byte(text), []byte(ends), []byte(after)), 0o644)
}
