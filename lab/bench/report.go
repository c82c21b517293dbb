package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
)

type options struct {
	quick, big, docs, json bool
	only                   *regexp.Regexp
	out, profile           string
}

// effort is what goes into one case: so many pairs of slices that take so long, or as many as take budget.
type effort struct {
	pairs        int
	span, budget time.Duration
}

func (o options) effort() effort {
	if o.quick {
		return effort{5, 50 * time.Millisecond, 400 * time.Millisecond}
	}
	return effort{12, 100 * time.Millisecond, 4 * time.Second}
}

// endToEnd has the cases that are wanted; in a hurry, those at 16 and 64 connections are not.
func (o options) endToEnd(m medium) []endToEnd {
	return slices.DeleteFunc(endToEndCases(m), func(c endToEnd) bool {
		return !o.only.MatchString(c.title()) || o.quick && (c.conns == 16 || c.conns == 64)
	})
}

// A report is a whole run.
type report struct {
	When     time.Time
	Command  string
	Go       string
	Machine  string
	Versions map[string]string
	Results  []result
	Skipped  []string
}

func (o options) measure() (*report, error) {
	r := &report{When: time.Now().UTC().Truncate(time.Second), Command: command(), Go: runtime.Version(), Machine: machine(), Versions: versions()}
	e := o.effort()
	total := 0
	for _, c := range inProcessCases() {
		if o.only.MatchString(c.title()) {
			total++
		}
	}
	media := []medium{inMemory, inSQLite, inMariaDB, inPostgres, inRedis, inCookies}
	for _, m := range media {
		total += len(o.endToEnd(m))
	}
	for _, s := range singles {
		if o.only.MatchString(s.name) {
			total++
		}
	}
	bar := progressbar.NewOptions(total, progressbar.OptionSetVisibility(isTerminal(os.Stderr)),
		progressbar.OptionSetWriter(os.Stderr), progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish())
	tell := func(x result) {
		r.Results = append(r.Results, x)
		bar.Clear()
		if !o.json {
			fmt.Println(x)
		}
	}
	for _, c := range inProcessCases() {
		if o.only.MatchString(c.title()) {
			bar.Describe(c.title())
			tell(c.measure(e.budget))
			bar.Add(1)
		}
	}
	for _, m := range media {
		cases := o.endToEnd(m)
		if len(cases) == 0 {
			continue
		}
		err := o.onMedium(m, func(addr string) error {
			for _, c := range cases {
				bar.Describe(c.title())
				if o.profile != "" {
					return c.profile(addr, o.profile)
				}
				x, err := c.measure(addr, e)
				if err != nil {
					return err
				}
				tell(x)
				for _, x := range c.more(x) {
					tell(x)
				}
				bar.Add(1)
			}
			return nil
		})
		if missing, ok := err.(*missingError); ok {
			r.Skipped = append(r.Skipped, missing.Error())
			o.skipped(missing)
		} else if err != nil {
			return nil, err
		}
	}
	for _, s := range singles {
		if !o.only.MatchString(s.name) {
			continue
		}
		bar.Describe(s.name)
		all, err := s.measure(o)
		if missing, ok := err.(*missingError); ok {
			r.Skipped = append(r.Skipped, missing.Error())
			o.skipped(missing)
			continue
		} else if err != nil {
			return nil, err
		}
		for _, x := range all {
			tell(x)
		}
		bar.Add(1)
	}
	bar.Finish()
	return r, nil
}

type missingError struct{ error }

func (o options) skipped(m *missingError) {
	if !o.json {
		fmt.Println("skipped:", m)
	}
}

// onMedium runs f with an application whose sessions are there.
func (o options) onMedium(m medium, f func(addr string) error) error {
	p, err := find(m)
	if err != nil {
		return &missingError{err}
	}
	defer p.remove()
	addr, stop, err := startApp(app{Medium: m, DSN: p.dsn})
	if err != nil {
		return err
	}
	defer stop()
	return f(addr)
}

func (r result) verdict() string {
	switch {
	case r.AtLeast > 0 && r.Ratio.Median < r.AtLeast, r.AtMost > 0 && r.Value > r.AtMost:
		return "NOT reached"
	case r.AtLeast > 0 || r.AtMost > 0:
		return "reached"
	}
	return ""
}

// measured is the figure itself, and demanded what it has to be.
func (r result) measured() string {
	if r.Measure != "" {
		return fmt.Sprintf("%s %s", strconv.FormatFloat(r.Value, 'f', digits(r.Value), 64), r.Measure)
	}
	return fmt.Sprintf("%.2f (%.2f to %.2f)", r.Ratio.Median, r.Ratio.Low, r.Ratio.High)
}

func digits(v float64) int {
	switch {
	case v == math.Trunc(v) || v >= 100:
		return 0
	case v >= 10:
		return 1
	}
	return 2
}

func (r result) demanded() string {
	switch {
	case r.AtLeast > 0:
		return fmt.Sprintf("at least %g", r.AtLeast)
	case r.AtMost > 0:
		return fmt.Sprintf("at most %g", r.AtMost)
	}
	return ""
}

func (r result) String() string {
	line := fmt.Sprintf("%-72s %s", r.Name, r.measured())
	if d := r.demanded(); d != "" {
		line = fmt.Sprintf("%-98s %s: %s", line, d, r.verdict())
	}
	if r.Note != "" {
		line += "; " + r.Note
	}
	return line
}

func command() string {
	return strings.Join(append([]string{"go run ./lab/bench"}, os.Args[1:]...), " ")
}

// write has a copy for programs in dir, and on standard output if that is wanted.
func (r *report) write(o options) error {
	if err := os.MkdirAll(o.out, 0o777); err != nil {
		return err
	}
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	b = append(b, '\n')
	if o.json {
		os.Stdout.Write(b)
	}
	return os.WriteFile(filepath.Join(o.out, "results.json"), b, 0o666)
}

// machine says what the numbers were measured on, and nothing that tells which one it is.
func machine() string {
	model := runtime.GOARCH
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%d cores, %s, %s", runtime.NumCPU(), model, runtime.GOOS)
}

// versions are those of the peers and of the servers.
func versions() map[string]string {
	all := make(map[string]string)
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			switch d.Path {
			case "github.com/alexedwards/scs/v2", "github.com/gorilla/sessions", "github.com/go-sql-driver/mysql", "github.com/jackc/pgx/v5", "modernc.org/sqlite", "github.com/redis/rueidis":
				all[d.Path] = d.Version
			}
		}
	}
	for name, args := range map[string][]string{"MariaDB": {"mariadbd", "--version"}, "PostgreSQL": {"psql", "--version"}, "Redis": {"redis-server", "--version"}} {
		if out, err := exec.Command(args[0], args[1:]...).Output(); err == nil {
			all[name] = regexp.MustCompile(`\d+\.\d+(\.\d+)?`).FindString(string(out))
		}
	}
	return all
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
