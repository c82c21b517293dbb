package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// A matrix is the tests, built once for all engines.
type matrix struct {
	dir   string
	rooms map[string]string // where each suite's files are: its tests read them from there
}

// suites are the packages of tests that an engine has to pass, by the name of their program.
var suites = map[string]string{
	"integration": "github.com/gosojourn/sojourn/lab/integration",
	"histories":   "github.com/gosojourn/sojourn/lab/histories/onstores",
	"faults":      "github.com/gosojourn/sojourn/lab/faults",
	"snippetbox":  "github.com/gosojourn/sojourn/snippetbox",
}

func build() (*matrix, error) {
	dir, err := os.MkdirTemp("", "sojourn-matrix-")
	if err != nil {
		return nil, err
	}
	m := &matrix{dir, map[string]string{}}
	for name, path := range suites {
		room, err := exec.Command("go", "list", "-f", "{{.Dir}}", path).Output()
		if err != nil {
			m.remove()
			return nil, fmt.Errorf("go list %s: %w", path, err)
		}
		m.rooms[name] = strings.TrimSpace(string(room))
		cmd := exec.Command("go", "test", "-c", "-o", m.program(name), path)
		cmd.Stderr = os.Stderr
		if err := cmd.Run(); err != nil {
			m.remove()
			return nil, fmt.Errorf("%s: %w", cmd, err)
		}
	}
	return m, nil
}

func (m *matrix) program(name string) string { return filepath.Join(m.dir, name+".test") }

func (m *matrix) remove() { os.RemoveAll(m.dir) }

// atOnce is how many engines are tested side by side: their tests wait more than they compute.
const atOnce = 2

// run answers one line, and before it what failed.
func (m *matrix) run(e engine, cache, version string) (text string, good bool) {
	began := time.Now()
	var all outcome
	address, stop, err := served(e)
	if err == nil {
		defer stop()
		environment := append(os.Environ(), e.environment(cache), e.address+"="+address, "SOJOURN_REQUIRE="+e.need, "SOJOURN_ONLY="+e.need)
		all.add(m.test("integration", environment, ".", e.skip))
		all.add(m.test("histories", environment, "TestStores", ""))
		// A server that brings its own libc does not start with what steps clocks, which is made for this machine's.
		all.add(m.test("faults", environment, e.faults, "^TestFaults/.*clock"))
		all.add(m.test("snippetbox", environment, e.site, e.notSite))
		err = all.err
	}
	verdict := "pass"
	switch {
	case err != nil:
		verdict = "FAIL: " + err.Error()
	case all.passed == 0: // or the names of tests have changed
		verdict = "FAIL: no test ran"
	}
	return fmt.Sprintf("%s%-12s %-16s %s: %d passed, %d failed in %v\n", all.said, e.name, version, verdict,
		all.passed, all.failed, time.Since(began).Round(time.Second)), verdict == "pass"
}

// test runs a program of tests. How many of a thing are tried, which is no law, is what -test.short says: the
// gate has tried more of them on other versions, with the race detector.
func (m *matrix) test(name string, environment []string, run, skip string) outcome {
	cmd := exec.Command(m.program(name), "-test.v", "-test.short", "-test.timeout=10m", "-test.run="+run, "-test.skip="+skip)
	cmd.Env = environment
	cmd.Dir = m.rooms[name]
	out, err := cmd.CombinedOutput()
	o := count(out)
	if err != nil {
		o.said, o.err = string(out), fmt.Errorf("%s: %w", name, err)
	}
	return o
}

// An outcome counts tests, and not their parts.
type outcome struct {
	passed, failed int
	said           string // by tests of which one failed
	err            error
}

func (o *outcome) add(p outcome) {
	o.passed, o.failed, o.said = o.passed+p.passed, o.failed+p.failed, o.said+p.said
	if o.err == nil {
		o.err = p.err
	}
}

func count(out []byte) (o outcome) {
	for line := range bytes.Lines(out) {
		switch s := string(line); {
		case strings.HasPrefix(s, "--- PASS: "):
			o.passed++
		case strings.HasPrefix(s, "--- FAIL: "):
			o.failed++
		}
	}
	return o
}
