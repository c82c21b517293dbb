package harness_test

import (
	"testing"

	"github.com/gosojourn/sojourn/lab/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

func TestEachKindGivesADatabaseOfItsOwn(t *testing.T) {
	for _, kind := range []struct {
		driver string
		dsn    func(t testing.TB) string
	}{
		{"mysql", func(t testing.TB) string { return harness.MySQL(t, "parseTime=true", "loc=UTC") }},
		{"pgx", harness.Postgres},
		{"sqlite", harness.SQLite},
	} {
		t.Run(kind.driver, func(t *testing.T) {
			one := harness.Open(t, kind.driver, kind.dsn(t))
			two := harness.Open(t, kind.driver, kind.dsn(t))
			if _, err := one.Exec("CREATE TABLE visits (n INTEGER)"); err != nil {
				t.Fatal(err)
			}
			if _, err := two.Exec("INSERT INTO visits VALUES (1)"); err == nil {
				t.Error("the second database has the table of the first")
			}
		})
	}
}
