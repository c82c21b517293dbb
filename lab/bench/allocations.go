package main

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/gosojourn/sojourn/lab/peers"
)

// measureAllocations is of the same requests as in process, with a value that exists already.
func measureAllocations(options) (all []result, err error) {
	ours, peer := memory(0)
	write := func(x peers.Library, w http.ResponseWriter, r *http.Request, i int) {
		x.Put(w, r, peers.KeyName(0), people[i%len(people)])
	}
	for _, c := range []struct {
		name   string
		atMost float64
		task   task
	}{
		{"untouched", 3, task{"GET", 0, untouched, false}},
		{"read 2", 5, task{"GET", 0, read(2), false}},
		{"write 1", 6, task{"POST", 0, write, false}},
	} {
		for _, c.task.values = range []int{5, 20} {
			of := func(x peers.Library) float64 {
				loop := c.task.loop(x)
				return testing.AllocsPerRun(200, func() { loop(1) })
			}
			all = append(all, result{
				Name:  fmt.Sprintf("allocations in process, %s of %d values", c.name, c.task.values),
				Value: of(ours()), AtMost: c.atMost, Measure: "objects", Note: fmt.Sprintf("scs %.0f", of(peer())), Unit: "allocations",
			})
		}
	}
	return all, nil
}
