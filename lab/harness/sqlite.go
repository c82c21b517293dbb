package harness

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver named "sqlite"
)

// SQLite returns the path of a database file that is not there yet, gone at the end of the test.
func SQLite(t testing.TB) string {
	t.Helper()
	wanted(t, "sqlite")
	return filepath.Join(t.TempDir(), "sojourn.db")
}

// Open opens and pings a database until the end of the test. The drivers are "mysql", "pgx" and
// "sqlite".
func Open(t testing.TB, driver, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatalf("harness: %s %s: %v", driver, dsn, err)
	}
	t.Cleanup(func() { db.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := db.PingContext(ctx); err != nil {
		t.Fatalf("harness: %s %s: %v", driver, dsn, err)
	}
	if driver == "sqlite" { // of others the server was asked
		if err := know(ctx, driver, db); err != nil {
			t.Fatalf("harness: %s %s: %v", driver, dsn, err)
		}
	}
	return db
}
