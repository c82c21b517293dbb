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

func TestARunIsAboutSomeKindsOfServer(t *testing.T) {
	t.Setenv("SOJOURN_ONLY", "sqlite,rediscluster")
	for name, c := range map[string]struct {
		want func(t *testing.T)
		runs bool
	}{
		"MySQL":                   {func(t *testing.T) { harness.MySQL(t) }, false},
		"a PostgreSQL of ours":    {func(t *testing.T) { harness.StartPostgres(t) }, false},
		"Redis":                   {func(t *testing.T) { harness.Redis(t) }, false},
		"a Redis of ours":         {func(t *testing.T) { harness.StartRedis(t) }, false},
		"SQLite, which is listed": {func(t *testing.T) { harness.SQLite(t) }, true},
	} {
		reached := false
		t.Run(name, func(t *testing.T) {
			c.want(t)
			reached = true
		})
		if reached != c.runs {
			t.Errorf("%s: ran: %v, want %v", name, reached, c.runs)
		}
	}
}
