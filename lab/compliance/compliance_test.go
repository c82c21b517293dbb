package compliance_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// checks has the library's part of each row, by the id of the row.
var checks = func() map[string]check {
	all := map[string]check{}
	for _, some := range []map[string]check{cookieChecks, tokenChecks, sealedChecks, timeChecks, endChecks, eventChecks, boundChecks} {
		maps.Copy(all, some)
	}
	return all
}()

// inADatabase are the rows that a store's own work decides.
const inADatabase = "O2 O5 O6 O21 O23 O29 O35 O48 O49 V7.2.4 V7.4.1 V7.4.2 V7.4.3 V7.4.5 V7.5.2 N5"

// Each row holds in memory, and where a store's own work decides it, in a database too.
func TestCompliance(t *testing.T) {
	both := strings.Fields(inADatabase)
	for _, id := range slices.Sorted(maps.Keys(checks)) {
		t.Run(id, func(t *testing.T) {
			t.Run("memory", func(t *testing.T) { checks[id](t, inMemory) })
			if slices.Contains(both, id) {
				t.Run("SQLite", func(t *testing.T) { checks[id](t, onSQLite) })
			}
		})
	}
	for _, id := range both {
		if checks[id] == nil {
			t.Errorf("there is no row %s", id)
		}
	}
}
