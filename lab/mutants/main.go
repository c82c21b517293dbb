// Command mutants breaks the root module on purpose, one line at a time in a copy, and looks which test
// notices. It prints a line for each, and exits with 1 if one survives:
//
//	go run ./lab/mutants [-v] [name...]
//
// A name is a part of what a mutant says it does; without one, all are tried.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
)

func main() {
	verbose := flag.Bool("v", false, "print what the tests say")
	flag.Parse()
	root, err := os.Getwd()
	if err == nil {
		err = isRoot(root)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(2)
	}
	survived, err := try(root, chosen(flag.Args()), *verbose)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(2)
	case survived > 0:
		fmt.Fprintf(os.Stderr, "mutants: %d survived\n", survived)
		os.Exit(1)
	}
}

// chosen are the mutants that one of names is a part of; all of them without names.
func chosen(names []string) (some []mutant) {
	for _, m := range mutants {
		for _, n := range names {
			if strings.Contains(m.does, n) {
				some = append(some, m)
				break
			}
		}
	}
	if len(names) == 0 {
		return mutants
	}
	return some
}

// try applies each to a fresh copy and answers how many survived.
func try(root string, some []mutant, verbose bool) (survived int, err error) {
	c, err := copyOf(root)
	if err != nil {
		return 0, err
	}
	defer c.remove()
	// What fails without a change would be said to have noticed every one.
	if failed, out, err := c.test("TestF|TestH"); err != nil || failed != "" {
		return 0, fmt.Errorf("without any change, %s fails (%v):\n%s", failed, err, out)
	}
	for _, m := range some {
		caught, out, err := c.tryOne(m)
		if err != nil { // the others may be right
			survived++
			fmt.Printf("%-62s CANNOT BE TRIED: %v\n", m.does, err)
			continue
		}
		if verbose {
			fmt.Print(out)
		}
		if caught == "" {
			survived++
			fmt.Printf("%-62s SURVIVED\n", m.does)
		} else {
			fmt.Printf("%-62s caught by %s\n", m.does, caught)
		}
	}
	return survived, nil
}
