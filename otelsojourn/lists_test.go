package otelsojourn_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/otelsojourn"
)

// Each event, reason and operation that the root module has in its text has a series of its own. Read from the text,
// because a new one is not met by any test here.
func TestEachEventAndOperationIsOnAList(t *testing.T) {
	var text strings.Builder
	files, err := filepath.Glob("../*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(src)
	}
	if text.Len() == 0 {
		t.Skip("this is the module alone, as the module cache has it")
	}
	find := func(expr string) [][]string { return regexp.MustCompile(expr).FindAllStringSubmatch(text.String(), -1) }

	c := newCollector(t)
	i := c.instruments(otelsojourn.Options{})
	names := map[string]sojourn.EventName{}
	for _, x := range find(`(Event\w+) +(?:EventName +)?= "(\w+)"`) {
		names[x[1]] = sojourn.EventName(x[2])
	}
	told := 0
	tell := func(ident, reason string) {
		told++
		i.OnEvent(t.Context(), sojourn.Event{Name: names[ident], Reason: reason})
		for series, n := range c.collect() {
			if strings.Contains(series, "_OTHER") && n > 0 {
				t.Fatalf("%s with reason %q is on no list: %s", ident, reason, series)
			}
		}
	}
	for _, x := range find(`Name: +(Event\w+),.*Reason: +"(\w+)"`) {
		tell(x[1], x[2])
	}
	for _, x := range find(`e\.Name, e\.Reason = (Event\w+), "(\w+)"`) {
		tell(x[1], x[2])
	}
	for _, x := range find(`leftBehind\("(\w+)"\)`) {
		tell("EventLeftBehind", x[1])
	}
	for _, x := range find(`\b(?:note\(|reason :?= )"(\w+)"`) {
		tell("EventMovedIn", x[1])
	}
	for _, x := range find(`\be\.Reason = "(\w+)"`) {
		tell("EventBypassed", x[1])
	}
	for _, x := range find(`\be\.Name = (Event\w+)\n`) {
		tell(x[1], "")
	}
	if len(names) < 15 || told < 40 {
		t.Errorf("found %d events and %d reasons: not all that there are", len(names), told)
	}

	ops := find(`Op\w+ +(?:OpName +)?= "(\w+)"`)
	for _, x := range ops {
		_, end := i.Start(t.Context(), sojourn.Op{Name: sojourn.OpName(x[1])})
		end(nil)
		c.want(map[string]float64{"sojourn.store.operation.duration{db.operation.name=" + x[1] + " sojourn.outcome=ok}": 1})
	}
	if len(ops) < 12 {
		t.Errorf("found %d operations: not all that there are", len(ops))
	}
}
