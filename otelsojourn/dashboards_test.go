package otelsojourn_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/otelsojourn"
)

// scrape is what a Prometheus server gets over HTTP, of instruments that have seen each operation with each outcome,
// and each event that has a series.
func scrape(t *testing.T) string {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	exporter, err := otelprometheus.New(otelprometheus.WithRegisterer(registry))
	if err != nil {
		t.Fatal(err)
	}
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(exporter))
	for _, system := range []string{"mysql", "mariadb", "postgresql", "sqlite"} {
		i, err := otelsojourn.New(otelsojourn.Options{Manager: "on " + system, System: system, SQL: someStats, MeterProvider: meters})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { i.Close() })
		i.CountLive(manager(t, memstore.New(), sojourn.Config{}))
		askEverything(i)
	}
	server := httptest.NewServer(promhttp.HandlerFor(registry, promhttp.HandlerOpts{ErrorHandling: promhttp.HTTPErrorOnError}))
	defer server.Close()
	res, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s, %v: %s", res.Status, err, text)
	}
	return string(text)
}

func askEverything(i *otelsojourn.Instruments) {
	for _, name := range []sojourn.OpName{
		sojourn.OpLoad, sojourn.OpLoadNear, sojourn.OpCreate, sojourn.OpUpdate, sojourn.OpTouch, sojourn.OpDelete, sojourn.OpList,
		sojourn.OpListAll, sojourn.OpCount, sojourn.OpFence, sojourn.OpRevoke, sojourn.OpSweep,
	} {
		for _, err := range []error{nil, sojourn.ErrNotFound, sojourn.ErrConflict, sojourn.ErrRefused, sojourn.ErrBusy, errors.ErrUnsupported, io.EOF} {
			_, end := i.Start(context.Background(), sojourn.Op{Name: name, Bytes: 100})
			end(err)
		}
	}
}

// A scraped metric has labels, and each label values.
type scraped map[string]map[string][]string

var (
	sampleLine = regexp.MustCompile(`(?m)^([a-zA-Z_:]\w*)\{(.*)\} \S+$`)
	labelPair  = regexp.MustCompile(`(\w+)="([^"]*)"`)
)

func parse(text string) scraped {
	all := scraped{}
	for _, line := range sampleLine.FindAllStringSubmatch(text, -1) {
		if all[line[1]] == nil {
			all[line[1]] = map[string][]string{}
		}
		for _, l := range labelPair.FindAllStringSubmatch(line[2], -1) {
			all[line[1]][l[1]] = append(all[line[1]][l[1]], l[2])
		}
	}
	return all
}

var (
	selector = regexp.MustCompile(`\b(sojourn_\w+)(?:\{([^}]*)\})?`)
	matcher  = regexp.MustCompile(`(\w+)(?:=~|!~|=|!=)"([^"]*)"`)
	grouping = regexp.MustCompile(`\b(?:by|without) \(([^)]*)\)`)
)

// wrong says what of an expression in PromQL the scrape does not have. The server that scrapes adds job and instance.
func (all scraped) wrong(expr string) (bad []string) {
	labels := map[string]bool{"job": true, "instance": true}
	for _, s := range selector.FindAllStringSubmatch(grouping.ReplaceAllString(expr, ""), -1) {
		metric, there := all[s[1]]
		if !there {
			bad = append(bad, "no metric "+s[1])
		}
		for label := range metric {
			labels[label] = true
		}
		for _, m := range matcher.FindAllStringSubmatch(s[2], -1) {
			for value := range strings.SplitSeq(m[2], "|") {
				if !strings.HasPrefix(value, "$") && !slices.Contains(metric[m[1]], value) {
					bad = append(bad, fmt.Sprintf("%s has no %s=%q", s[1], m[1], value))
				}
			}
		}
	}
	for _, g := range grouping.FindAllStringSubmatch(expr, -1) {
		for label := range strings.SplitSeq(g[1], ",") {
			if label = strings.TrimSpace(label); !labels[label] {
				bad = append(bad, "no label "+label)
			}
		}
	}
	return bad
}

var once struct {
	sync.Once
	all scraped
}

// whatIsScraped is read once for all tests.
func whatIsScraped(t *testing.T) scraped {
	t.Helper()
	once.Do(func() { once.all = parse(scrape(t)) })
	return once.all
}

// A judge of expressions that never says no would pass as well.
func TestWrongExpressionsAreFound(t *testing.T) {
	all := whatIsScraped(t)
	for expr, want := range map[string]int{
		`rate(sojourn_token_refusals_total{job=~"$job",sojourn_reason="token_unknown"}[5m])`:         0,
		`sum by (job, sojourn_reason) (rate(sojourn_token_refusals_total[5m]))`:                      0,
		`sum by (job, db_operation_name) (rate(sojourn_token_refusals_total[5m]))`:                   1,
		`rate(sojourn_token_refusals[5m])`:                                                           1,
		`rate(sojourn_token_refusals_total{sojourn_reason=~"token_unknown|guessed",reason="x"}[5m])`: 2,
		`sojourn_session_live / sojourn_sessions`:                                                    1,
	} {
		if bad := all.wrong(expr); len(bad) != want {
			t.Errorf("%s: %q, want %d objections", expr, bad, want)
		}
	}
}

// A dashboard is what is read of Grafana's format here.
type dashboard struct {
	UID, Title string
	Templating struct {
		List []struct{ Name, Definition string }
	}
	Panels []struct {
		ID          int
		Type, Title string
		GridPos     struct{ X, Y, W, H int }
		Targets     []struct{ RefID, Expr string }
	}
}

func readDashboard(t *testing.T) (d dashboard) {
	t.Helper()
	text, err := os.ReadFile("dashboards/grafana.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestTheDashboardShowsWhatIsScraped(t *testing.T) {
	all, d := whatIsScraped(t), readDashboard(t)
	shown, ids, taken := map[string]bool{}, map[int]bool{}, map[[2]int]string{}
	for _, p := range d.Panels {
		if ids[p.ID] {
			t.Errorf("two panels have id %d", p.ID)
		}
		ids[p.ID] = true
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other, is := taken[[2]int{x, y}]; is || x >= 24 {
					t.Fatalf("%q lies on %q, or beside the page", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("%q shows nothing", p.Title)
		}
		for _, q := range p.Targets {
			for _, bad := range all.wrong(q.Expr) {
				t.Errorf("%q: %s: %s", p.Title, bad, q.Expr)
			}
			for _, s := range selector.FindAllStringSubmatch(grouping.ReplaceAllString(q.Expr, ""), -1) {
				shown[family(s[1])] = true
			}
		}
	}
	for metric := range all {
		if strings.HasPrefix(metric, "sojourn_") && !shown[family(metric)] {
			t.Errorf("%s is on no panel", metric)
		}
	}
	for _, v := range d.Templating.List {
		if m := selector.FindStringSubmatch(v.Definition); v.Definition != "" && (m == nil || all[m[1]] == nil) {
			t.Errorf("variable %s is of no metric: %s", v.Name, v.Definition)
		}
	}
}

// family is a histogram's name, of one of its series.
func family(metric string) string {
	for _, end := range []string{"_bucket", "_count", "_sum"} {
		metric = strings.TrimSuffix(metric, end)
	}
	return metric
}

var expression = regexp.MustCompile(`(?m)^ +expr: (?:\|\n((?: {10,}.*\n)+)|(.+))`)

func TestTheAlertsAreOnWhatIsScraped(t *testing.T) {
	all := whatIsScraped(t)
	text, err := os.ReadFile("dashboards/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	rules := bytes.Count(text, []byte("- alert: "))
	exprs := expression.FindAllStringSubmatch(string(text), -1)
	if rules < 10 || len(exprs) != rules {
		t.Errorf("read %d expressions of %d rules", len(exprs), rules)
	}
	for _, e := range exprs {
		for _, bad := range all.wrong(e[1] + e[2]) {
			t.Errorf("%s: %s", bad, e[1]+e[2])
		}
	}
}

// The page has each metric, and none that there is not.
func TestThePageHasEachMetric(t *testing.T) {
	page, err := os.ReadFile("../docs/observability.md")
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("this is the module alone, as the module cache has it")
	} else if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, m := range regexp.MustCompile("`(sojourn_\\w+)").FindAllStringSubmatch(string(page), -1) {
		named[m[1]] = true
	}
	there := map[string]bool{}
	for metric, labels := range whatIsScraped(t) {
		if !strings.HasPrefix(metric, "sojourn_") {
			continue
		}
		if there[family(metric)] = true; !named[family(metric)] {
			t.Errorf("the page has nothing of %s", family(metric))
		}
		for label := range labels {
			there[label] = true
		}
	}
	for name := range named {
		if !there[family(name)] {
			t.Errorf("the page has %s, which there is not", name)
		}
	}
	for _, a := range alerts(t) {
		if !strings.Contains(string(page), a) {
			t.Errorf("the page does not say what %s means", a)
		}
	}
}

func alerts(t *testing.T) (names []string) {
	t.Helper()
	text, err := os.ReadFile("dashboards/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`- alert: (\w+)`).FindAllStringSubmatch(string(text), -1) {
		names = append(names, m[1])
	}
	return names
}

// promtool is Prometheus's own checker. SOJOURN_REQUIRE makes its absence a failure.
func promtool(t *testing.T, stdin string, args ...string) {
	t.Helper()
	tool, err := exec.LookPath("promtool")
	if err != nil {
		tell := t.Skipf
		if slices.Contains(strings.Split(os.Getenv("SOJOURN_REQUIRE"), ","), "promtool") {
			tell = t.Fatalf
		}
		tell("no promtool in PATH, so the files are not checked by Prometheus: apt-get install prometheus")
	}
	c := exec.Command(tool, args...)
	c.Stdin = strings.NewReader(stdin)
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func TestPromtoolOnTheAlerts(t *testing.T) {
	promtool(t, "", "check", "rules", "--lint-fatal", "dashboards/alerts.yml")
	promtool(t, "", "test", "rules", "dashboards/alerts_test.yml")
}

// Each alert has been seen to fire, and each to be silent.
func TestEachAlertIsTried(t *testing.T) {
	text, err := os.ReadFile("dashboards/alerts_test.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range alerts(t) {
		if !strings.Contains(string(text), `alertname="`+a+`"`) {
			t.Errorf("no test has %s fire", a)
		}
	}
}

func TestPromtoolOnTheScrape(t *testing.T) {
	promtool(t, scrape(t), "check", "metrics")
}

// The dashboard's expressions, as rules, with what Grafana would put in.
func TestPromtoolOnTheDashboard(t *testing.T) {
	var rules strings.Builder
	rules.WriteString("groups:\n  - name: dashboard\n    rules:\n")
	fill := strings.NewReplacer("$__rate_interval", "1m", "$job", ".*", "$manager", ".*")
	for _, p := range readDashboard(t).Panels {
		for _, q := range p.Targets {
			expr, err := json.Marshal(fill.Replace(q.Expr)) // YAML takes a string of JSON
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&rules, "      - record: panel:%d:%s\n        expr: %s\n", p.ID, strings.ToLower(q.RefID), expr)
		}
	}
	file := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(file, []byte(rules.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "", "check", "rules", file)
}
