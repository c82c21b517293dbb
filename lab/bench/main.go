// Bench measures Sojourn beside its peers and beside floors, interleaved in one run: the bare handler, one
// raw prepared lookup by key, a lookup and an update.
//
//	go run ./lab/bench             everything, about ten minutes
//	go run ./lab/bench -quick      in less than two
//	go run ./lab/bench -only Redis cases whose names match
//	go run ./lab/bench -docs       writes docs/performance.md and its charts, too
//
// A line says how many times as fast, or which part of a floor, the median of all pairs is, between its
// quartiles, and what is promised.
package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	var o options
	serve := flag.String("app", "", "serve as the application of a case (for bench itself)")
	only := flag.String("only", "", "cases whose names match this `expression`")
	flag.BoolVar(&o.quick, "quick", false, "measure each for a short time")
	flag.BoolVar(&o.big, "big", false, "grow to 10^7 sessions")
	flag.BoolVar(&o.docs, "docs", false, "write docs/performance.md and its charts")
	flag.StringVar(&o.profile, "profile", "", "write a profile of the application in the first end-to-end case to this `file`, instead of measuring")
	flag.BoolVar(&o.json, "json", false, "print what results.json has instead of lines")
	flag.StringVar(&o.out, "out", "lab/out/bench", "`folder` for results.json")
	flag.Parse()
	if *serve != "" {
		return serveApp(*serve)
	}
	var err error
	if o.only, err = regexp.Compile(*only); err != nil {
		return fmt.Errorf("-only: %w", err)
	}
	r, err := o.measure()
	if err != nil {
		return err
	}
	if err := r.write(o); err != nil {
		return err
	}
	if o.docs {
		return r.document("docs")
	}
	return nil
}
