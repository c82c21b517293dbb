package main

import (
	"os"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// Grafana's own types read the dashboard: each field is one that it knows, of the right type. What they call required
// and the file leaves out has a default in Grafana, which fills it in when the dashboard is opened.
func TestGrafanaReadsTheDashboard(t *testing.T) {
	plugins.RegisterDefaultPlugins()
	text, err := os.ReadFile("../../otelsojourn/dashboards/grafana.json")
	if err != nil {
		t.Fatal(err)
	}
	if d := objections(t, text); len(d) > 0 {
		t.Errorf("Grafana's types object:\n%s", strings.Join(d, "\n"))
	}
	// A reader that objects to nothing would pass as well.
	for was, is := range map[string]string{`"gridPos"`: `"gridPosition"`, `"id": 1,`: `"id": "one",`, `"schemaVersion"`: `"schema"`} {
		broken := strings.Replace(string(text), was, is, 1)
		if broken == string(text) {
			t.Fatalf("the dashboard has no %s", was)
		}
		if len(objections(t, []byte(broken))) == 0 {
			t.Errorf("%s in place of %s is taken", is, was)
		}
	}
}

func objections(t *testing.T, text []byte) (all []string) {
	t.Helper()
	//lint:ignore SA1019 the file is of the first format, which every version of Grafana imports
	var d dashboard.Dashboard
	if err := d.UnmarshalJSONStrict(text); err != nil {
		for line := range strings.SplitSeq(err.Error(), "\n") {
			if !strings.HasSuffix(line, ": required field is missing from input") {
				all = append(all, line)
			}
		}
	}
	if err := d.Validate(); err != nil {
		all = append(all, err.Error())
	}
	return all
}
