package histories

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"
)

// A Spec is what clients ask, and what the answers may be.
type Spec struct {
	Name string
	// Next is what a client asks.
	Next func(rng *rand.Rand, c *Client, i int) Deed
	// Jars is how many browsers the clients share.
	Jars int
	// Begin has one browser begin its session before the history does.
	Begin bool
	// parts are histories that have to hold each by itself: one for each thing about which the laws
	// promise an order.
	parts func(ops []Op, near time.Duration) [][]porcupine.Operation
	model porcupine.Model
}

// Specs are all of them.
var Specs = []Spec{Counter, Flashes, Register, Logins}

// A Verdict is what the referee says of a history.
type Verdict struct {
	Result porcupine.CheckResult
	spec   *Spec
	part   []porcupine.Operation // that is refused, or was not decided
}

// patience is how long the referee may think about one part. None of the usual size takes a thousandth of it.
const patience = time.Minute

// Judge asks the referee whether any order explains ops. near is how old a copy may be that a safe request is
// answered from; 0: there are none.
func (s *Spec) Judge(ops []Op, near time.Duration) Verdict {
	for _, part := range s.parts(ops, near) {
		if r := porcupine.CheckOperationsTimeout(s.model, part, patience); r != porcupine.Ok {
			return Verdict{r, s, part}
		}
	}
	return Verdict{Result: porcupine.Ok}
}

// Refused says that no order explains it.
func (v Verdict) Refused() bool { return v.Result == porcupine.Illegal }

// String says what was found.
func (v Verdict) String() string {
	switch v.Result {
	case porcupine.Ok:
		return "an order explains this history"
	case porcupine.Illegal:
		return "no order explains this history"
	}
	return fmt.Sprintf("within %v no order was found that explains this history, and none excluded", patience)
}

// Draw writes the refused part as a page that shows how far each attempt to order it came.
func (v Verdict) Draw(path string) error {
	_, info := porcupine.CheckOperationsVerbose(v.spec.model, v.part, patience)
	return porcupine.VisualizePath(v.spec.model, info, path)
}

// operation is o for the referee, from its call to its return. What is unknown may take effect at any later
// time, and as what is put in order last has no effect on anybody, that is also how it has none at all.
func operation(o Op, input, output any) porcupine.Operation {
	p := porcupine.Operation{ClientId: o.Client, Input: input, Call: o.Call, Output: output, Return: o.Return}
	if o.Outcome == Unknown {
		p.Return = math.MaxInt64
	}
	return p
}

// aged lets a read from a copy be as old as one may be: its interval begins that much earlier, but not before
// the last write that its own process had answered by then, because no process believes a copy of what it
// has changed itself. (redisstore.Options.Near, sojourn.Near.)
func aged(o Op, ops []Op, near time.Duration) int64 {
	from := o.Call - int64(near)
	for _, w := range ops {
		if w.Process == o.Process && w.Return < o.Call && writes(w) {
			from = max(from, w.Return+1) // the referee counts both ends to an interval
		}
	}
	return min(from, o.Call)
}

func writes(o Op) bool {
	switch o.Do {
	case "count", "peek", "read", "who", "revoke", "others":
		return false // who revokes does not know whose records go
	}
	return o.Outcome == Done
}

// visible leaves out what had no effect and told nothing.
func visible(o Op) bool {
	reads := false
	switch o.Do {
	case "count", "peek", "read", "who":
		reads = true
	}
	return o.Outcome != None && (!reads || o.Outcome == Done)
}

// whole are those of ops that concern the refused part.
func (v Verdict) whole(ops []Op) []Op {
	part := map[int64]bool{}
	for _, o := range v.Ops() {
		part[o.Call] = true
	}
	return slices.DeleteFunc(slices.Clone(ops), func(o Op) bool { return !part[o.Call] })
}

// Ops are those of the refused part.
func (v Verdict) Ops() (ops []Op) {
	for _, p := range v.part {
		switch i := p.Input.(type) {
		case Op:
			ops = append(ops, i)
		case step:
			o := i.Op
			if i.do != o.Do {
				o.Do += " (" + i.do + ")"
			}
			ops = append(ops, o)
		}
	}
	return ops
}
