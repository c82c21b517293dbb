package histories

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

// Values of one session are one object: each change set takes effect whole, at its compare-and-swap, and each
// read sees one whole record (laws 1 and 6, promise 10). So these histories are linearizable, without
// exceptions but the age of a copy. Nobody logs out in them, so nothing may be said to have ended.

// Counter: each "add" that was acknowledged counts once, one of unknown outcome at most once.
var Counter = Spec{Name: "counter", Jars: 1, Begin: true, parts: oneObject,
	Next: func(rng *rand.Rand, _ *Client, _ int) Deed {
		if rng.IntN(3) == 0 {
			return Deed{Do: "count", Safe: rng.IntN(2) == 0}
		}
		return Deed{Do: "add"}
	},
	model: valuesModel("0", func(state string, o Op) (bool, string) {
		if o.Do == "count" {
			return o.Text == state, state
		}
		n, _ := strconv.Atoi(state)
		return true, strconv.Itoa(n + 1)
	}),
}

// Flashes: each message that was appended is taken by exactly one "take", in the order of the appends; each
// "take" gets all there are.
var Flashes = Spec{Name: "flash messages", Jars: 1, Begin: true, parts: oneObject,
	Next: func(rng *rand.Rand, c *Client, i int) Deed {
		switch rng.IntN(5) {
		case 0:
			return Deed{Do: "peek", Safe: rng.IntN(2) == 0}
		case 1, 2:
			return Deed{Do: "take"}
		}
		return Deed{Do: "append", Value: fmt.Sprintf("m%d.%d", c.ID, i)}
	},
	model: valuesModel("", func(state string, o Op) (bool, string) {
		switch {
		case o.Do == "append":
			last := state[strings.LastIndex(state, ",")+1:]
			return !o.seen || last == o.behind, strings.TrimPrefix(state+","+o.Value, ",")
		case o.Do == "peek":
			return o.Text == state, state
		}
		return o.Text == state || o.Outcome == Unknown, ""
	}),
}

// Register: two keys, put one by one or both at once. The last put of a key stays, a put of both is never
// seen by halves, and a put of one takes nothing from the other.
var Register = Spec{Name: "register", Jars: 1, Begin: true, parts: oneObject,
	Next: func(rng *rand.Rand, c *Client, i int) Deed {
		do := []string{"read", "read", "first", "second", "both"}[rng.IntN(5)]
		if do == "read" {
			return Deed{Do: do, Safe: rng.IntN(2) == 0}
		}
		return Deed{Do: do, Value: fmt.Sprintf("v%d.%d", c.ID, i)}
	},
	model: valuesModel(",", func(state string, o Op) (bool, string) {
		a, b, _ := strings.Cut(state, ",")
		switch o.Do {
		case "read":
			return o.Text == state, state
		case "first":
			a = o.Value
		case "second":
			b = o.Value
		case "both":
			a, b = o.Value, o.Value
		}
		return true, a + "," + b
	}),
}

func valuesModel(begin string, step func(state string, o Op) (bool, string)) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return begin },
		Step: func(state, input, _ any) (bool, any) {
			o := input.(Op)
			if o.Outcome == Ended {
				return false, state
			}
			return step(state.(string), o)
		},
		DescribeOperation: func(input, _ any) string { return input.(Op).String() },
		DescribeState:     func(state any) string { return fmt.Sprintf("%q", state) },
	}
}

func oneObject(ops []Op, near time.Duration) [][]porcupine.Operation {
	behind := neighbours(ops)
	var all []porcupine.Operation
	for _, o := range ops {
		o.behind, o.seen = behind[o.Value], o.Do == "append" && seen(behind, o.Value)
		if !visible(o) {
			continue
		}
		p := operation(o, o, nil)
		if o.Safe && near > 0 {
			p.Call = aged(o, ops, near)
		}
		all = append(all, p)
	}
	return [][]porcupine.Operation{all}
}

// neighbours says of each message that somebody has seen what it stood behind, "" for nothing. It was appended when that
// was the last one, because a list goes only as a whole. This excludes nothing that the answers do not: without it the
// referee would try every order of the appends before it comes to the answer.
func neighbours(ops []Op) map[string]string {
	behind := map[string]string{}
	for _, o := range ops {
		if o.Do != "take" && o.Do != "peek" || o.Outcome != Done || o.Text == "" {
			continue
		}
		last := ""
		for m := range strings.SplitSeq(o.Text, ",") {
			behind[m], last = last, m
		}
	}
	return behind
}

func seen(behind map[string]string, message string) bool {
	_, ok := behind[message]
	return ok
}
