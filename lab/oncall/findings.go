package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// Findings are what the log and the scrapes say.
type findings struct {
	outages []outage // by the log
	faults  int      // requests that met it, by the metrics
	since   [2]time.Time
	until   [2]time.Time   // by the metrics: the scrapes between which the first and the last failure lie
	store   string         // db.system.name of the questions that failed
	failed  map[string]int // questions without an answer, by operation
}

// An outage is one of a class of questions, as its last line tells it.
type outage struct {
	what         string // reads, writes, owners
	since, until time.Time
	failed       int
	over         bool
	cause        string   // the first line's error
	routes       []string // of the requests that its lines name
}

func read(folder string) (findings, error) {
	f := findings{failed: map[string]int{}}
	if err := f.readLog(filepath.Join(folder, "app.log")); err != nil {
		return f, err
	}
	return f, f.readScrapes(filepath.Join(folder, "scrapes"))
}

// readLog takes what docs/operations.md says of the lines of an outage.
func (f *findings) readLog(name string) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	open := map[string]*outage{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var l struct {
			Time, Since, Until              time.Time
			Event, Reason, Msg, What, Error string
			Method, Route                   string
			Failed                          int
		}
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return fmt.Errorf("%s: %w: %s", name, err, lines.Text())
		}
		if l.Event != "session_store_unavailable" {
			continue
		}
		o := open[l.What]
		if o == nil {
			o = &outage{what: l.What, since: l.Time, cause: l.Error, failed: 1}
			open[l.What] = o
		}
		if l.Failed > 0 {
			o.since, o.failed = l.Since, l.Failed
		}
		if o.until = l.Time; !l.Until.IsZero() {
			o.until, o.over = l.Until, true
			delete(open, l.What)
			f.outages = append(f.outages, *o)
			continue
		}
		if at := cmp.Or(l.Route, l.Method); at != "" && !slices.Contains(o.routes, at) {
			o.routes = append(o.routes, at)
		}
	}
	for _, o := range open {
		f.outages = append(f.outages, *o)
	}
	slices.SortFunc(f.outages, func(a, b outage) int { return a.since.Compare(b.since) })
	return nil
}

// readScrapes follows the counters from scrape to scrape.
func (f *findings) readScrapes(folder string) error {
	files, err := filepath.Glob(filepath.Join(folder, "*.prom"))
	if err != nil || len(files) < 2 {
		return fmt.Errorf("%s has %d scrapes, want two at least: %w", folder, len(files), err)
	}
	slices.Sort(files)
	var last time.Time
	var first, before map[string]float64
	for _, file := range files {
		var begun, got int64
		if _, err := fmt.Sscanf(filepath.Base(file), "%d-%d.prom", &begun, &got); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		now, err := samples(file)
		if err != nil {
			return err
		}
		if before == nil {
			first = now
		} else if now[faultSeries] > before[faultSeries] {
			if f.since[0].IsZero() {
				f.since = [2]time.Time{last, time.UnixMilli(got)}
			}
			f.until = [2]time.Time{last, time.UnixMilli(got)}
		}
		before, last = now, time.UnixMilli(begun)
	}
	f.faults = int(before[faultSeries] - first[faultSeries])
	for series, n := range before {
		name, labels, _ := strings.Cut(series, "|")
		p := strings.Split(labels, "|")
		if name == "questions" && (p[2] == "unknown" || p[2] == "busy") && n > first[series] {
			f.store = p[0]
			f.failed[p[1]] += int(n - first[series])
		}
	}
	return nil
}

const faultSeries = "faults" // in samples

// samples are the two metrics of a scrape that are looked at: faults without a reason, and questions by system,
// operation and outcome.
func samples(file string) (map[string]float64, error) {
	r, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	all := map[string]float64{}
	for _, m := range families["sojourn_faults_total"].GetMetric() {
		if label(m, "sojourn_event") == "session_store_unavailable" && label(m, "sojourn_reason") == "" {
			all[faultSeries] += m.GetCounter().GetValue()
		}
	}
	for _, m := range families["sojourn_store_operation_duration_seconds"].GetMetric() {
		all["questions|"+label(m, "db_system_name")+"|"+label(m, "db_operation_name")+"|"+label(m, "sojourn_outcome")] += float64(m.GetHistogram().GetSampleCount())
	}
	return all, nil
}

func label(m *dto.Metric, name string) string {
	for _, l := range m.GetLabel() {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}

// whom says who is hit when a class fails, as docs/operations.md does.
var whom = map[string]string{
	"reads":  "every page that uses the session",
	"writes": "forms, first visits and logins that could be read but not saved",
	"owners": "logins, lists and revocations",
}

func (f findings) String() string {
	var b strings.Builder
	const clock = "15:04:05.000"
	for _, o := range f.outages {
		end := "over at " + o.until.Format(clock)
		if !o.over {
			end = "last told at " + o.until.Format(clock) + ", not over"
		}
		fmt.Fprintf(&b, "%s failed since %s, %s: %d requests\n  hit: %s; such as %s\n  cause: %s\n", o.what, o.since.Format(clock), end, o.failed, whom[o.what], strings.Join(o.routes, ", "), o.cause)
	}
	fmt.Fprintf(&b, "by the metrics: %d requests answered 503, the first between %s and %s, the last between %s and %s; of %s without an answer:", f.faults,
		f.since[0].Format(clock), f.since[1].Format(clock), f.until[0].Format(clock), f.until[1].Format(clock), f.store)
	for _, op := range slices.Sorted(maps.Keys(f.failed)) {
		fmt.Fprintf(&b, " %d %s", f.failed[op], op)
	}
	b.WriteString("\n")
	return b.String()
}
