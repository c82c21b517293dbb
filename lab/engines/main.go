// Command engines runs the integration tests on servers in versions that Debian stable does not have yet.
// It unpacks them, as packages of Debian's suite sid, into a folder: nothing is installed.
//
//	go run ./engines -list             what there is, and what of it is unpacked
//	go run ./engines fetch [NAME …]    unpack
//	go run ./engines test [NAME …]     unpack, and run the tests on each
//	go run ./engines serve NAME        start one, and say its address, until the input ends
//
// The folder is what SOJOURN_ENGINES says, or sojourn-engines in the user's cache. An engine that cannot be
// had on a day is one line and no failure; a test that fails is one.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

func main() {
	list := flag.Bool("list", false, "say what there is")
	flag.Parse()
	dir, err := cache()
	if err != nil {
		fatal(err)
	}
	var names []string
	if flag.NArg() > 0 {
		names = flag.Args()[1:]
	}
	chosen, err := choose(names)
	if err != nil {
		fatal(err)
	}
	switch what := flag.Arg(0); {
	case what == "serve" && len(names) == 1:
		if err := serve(chosen[0], dir); err != nil {
			fatal(err)
		}
	case *list:
		for _, e := range engines {
			fmt.Printf("%-12s %-24s %s\n", e.name, e.packages[0], orElse(e.version(dir), "not unpacked"))
		}
	case what == "fetch" || what == "test":
		if !work(chosen, dir, what == "test") {
			os.Exit(1)
		}
	default:
		fatal(fmt.Errorf("%q: -list, fetch, test or serve NAME", what))
	}
}

func choose(names []string) ([]engine, error) {
	if len(names) == 0 {
		return engines, nil
	}
	var chosen []engine
	for _, name := range names {
		i := slices.IndexFunc(engines, func(e engine) bool { return strings.EqualFold(e.name, name) })
		if i < 0 {
			return nil, fmt.Errorf("no engine is named %q: see -list", name)
		}
		chosen = append(chosen, engines[i])
	}
	return chosen, nil
}

// work reports whether nothing failed that was tried.
func work(chosen []engine, dir string, test bool) bool {
	versions := obtain(chosen, dir)
	if !test {
		for _, e := range chosen {
			if v := versions[e.name]; v != "" {
				fmt.Printf("%-12s %s in %s\n", e.name, v, e.dir(dir))
			}
		}
		return true
	}
	m, err := build()
	if err != nil {
		fatal(err)
	}
	defer m.remove()
	var failed atomic.Bool
	var all sync.WaitGroup
	places := make(chan struct{}, atOnce)
	for _, e := range chosen {
		if versions[e.name] == "" {
			continue
		}
		places <- struct{}{}
		all.Go(func() {
			text, good := m.run(e, dir, versions[e.name])
			fmt.Print(text)
			if !good {
				failed.Store(true)
			}
			<-places
		})
	}
	all.Wait()
	return !failed.Load()
}

// obtain sees to it that these are unpacked, and answers their versions. One that cannot be had is a line.
func obtain(chosen []engine, dir string) map[string]string {
	versions := map[string]string{}
	apts, asked := sync.OnceValues(newApt), false
	for _, e := range chosen {
		version, err := fetch(e, dir, func() (*apt, error) { asked = true; return apts() })
		if err != nil {
			fmt.Printf("%-12s skipped: it cannot be had: %v\n", e.name, err)
			continue
		}
		versions[e.name] = version
	}
	if asked {
		if a, err := apts(); err == nil {
			a.remove()
		}
	}
	return versions
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func fatal(err error) {
	fmt.Fprintln(os.Stderr, "engines:", err)
	os.Exit(2)
}
