package integration

import (
	"strings"
	"testing"
)

// The first call of a program that has not called Migrate says so.
func TestSQLMissingTableSaysMigrate(t *testing.T) {
	for name, p := range map[string]place{
		"MariaDB": onMySQL(t, nil), "PostgreSQL": onPostgres(t), "SQLite": onSQLite(t, usual),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := p.store(t).Load(t.Context(), strings.Repeat("A", 24))
			if err == nil || !strings.HasPrefix(err.Error(), "sqlstore: load: table ") || !strings.Contains(err.Error(), "Migrate once") {
				t.Errorf("Load: %v", err)
			}
		})
	}
}
