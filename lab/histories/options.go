package histories

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Options are the flags of a test that makes histories.
type Options struct {
	Soak time.Duration
	Seed uint64
	HTML string
}

// Flags declares them: to be called before the flags are parsed.
func Flags() *Options {
	o := new(Options)
	flag.DurationVar(&o.Soak, "soak", 0, "how long each store is run on, the specifications in turn; 0: a few histories")
	flag.Uint64Var(&o.Seed, "seed", 0, "of the first history; 0: another one each time")
	flag.StringVar(&o.HTML, "html", "", "the folder in which to leave a wrong history, as a page")
	return o
}

// First is the seed of the first history.
func (o *Options) First() uint64 {
	if o.Seed == 0 {
		return rand.Uint64()
	}
	return o.Seed
}

// Test makes histories of every specification, with trouble, on what open answers. It fails at one that no order
// explains, and at one that the referee could not decide.
func (o *Options) Test(t *testing.T, open func(t *testing.T, first uint64) *Stage) {
	for i := range Specs {
		spec := &Specs[i]
		t.Run(spec.Name, func(t *testing.T) {
			first := o.First()
			r := Runs{Spec: spec, Stage: open(t, first), Seed: first, Number: 8, For: o.Soak / time.Duration(len(Specs)), AtOnce: 3}
			rep, err := r.Run(t.Context(), true)
			t.Logf("seed %d: %d histories, %d deeds, %d of them with an unknown outcome", first, rep.Histories, rep.Deeds, rep.Unknown)
			if err != nil {
				t.Fatal(err)
			}
			if w := rep.Wrong; w != nil {
				t.Errorf("seed %d: %s:\n%s%s", w.Seed, w.Verdict, Print(w.Verdict.Ops()), o.page(t, w))
			}
		})
	}
}

// page draws w, if a folder is given, and says where.
func (o *Options) page(t *testing.T, w *Wrong) string {
	if o.HTML == "" {
		return ""
	}
	name := filepath.Join(o.HTML, strings.NewReplacer("/", "-", " ", "_").Replace(t.Name())+fmt.Sprintf("-%d.html", w.Seed))
	err := os.MkdirAll(o.HTML, 0o777)
	if err == nil {
		err = w.Verdict.Draw(name)
	}
	if err != nil {
		t.Error(err)
	}
	return "drawn in " + name
}
