// Faultsbeside runs the faults that users of session libraries run into against each of them, with the same
// code, and prints how often each happens.
//
//	go run ./lab/faultsbeside
package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/gosojourn/sojourn/lab/peers"
)

func main() {
	dir, err := os.MkdirTemp("", "sojourn-faults-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "faultsbeside:", err)
		os.Exit(1)
	}
	defer os.RemoveAll(dir)
	table(os.Stdout, run(dir))
}

const idle = 20 * time.Minute

// columns are made anew for each fault.
var columns = []struct {
	name string
	open func(dir string) contender
}{
	{"scs", func(string) contender {
		m := &peers.Medium{}
		return contender{peers.SCSWatched(m, idle), m}
	}},
	{"gorilla, files", func(dir string) contender { return contender{peers.GorillaFiles(dir), nil} }},
	{"Sojourn", func(string) contender {
		m := &peers.Medium{}
		return contender{peers.SojournWatched(m, idle), m}
	}},
}

// run counts every fault in every column.
func run(dir string) (counts [][]int) {
	for _, f := range faults {
		var row []int
		for _, c := range columns {
			row = append(row, f.count(c.open(dir), f.of))
		}
		counts = append(counts, row)
	}
	return counts
}

func table(w io.Writer, counts [][]int) {
	fmt.Fprint(w, "| |")
	for _, c := range columns {
		fmt.Fprintf(w, " %s |", c.name)
	}
	fmt.Fprint(w, "\n|---|---|---|---|\n")
	for i, f := range faults {
		fmt.Fprintf(w, "| %s |", f.what)
		for _, n := range counts[i] {
			switch {
			case n == none:
				fmt.Fprint(w, " left to you |")
			case f.of == 0:
				fmt.Fprintf(w, " %d |", n)
			default:
				fmt.Fprintf(w, " %d of %d |", n, f.of)
			}
		}
		fmt.Fprintln(w)
	}
}
