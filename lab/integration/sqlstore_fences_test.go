package integration

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosojourn/sojourn/lab/harness"
	"github.com/gosojourn/sojourn/sqlstore"
)

// fenceOf answers ann's fence.
func fenceOf(t testing.TB, s *sqlstore.Store) (uint64, time.Duration) {
	t.Helper()
	fence, age, err := s.Fence(t.Context(), "ann")
	if err != nil {
		t.Fatalf("Fence: %v", err)
	}
	return fence, age
}

func revoke(t testing.TB, s *sqlstore.Store) uint64 {
	t.Helper()
	fence, err := s.RevokeOwner(t.Context(), "ann", "")
	if err != nil {
		t.Fatalf("RevokeOwner: %v", err)
	}
	return fence
}

// A host whose clock is a quarter of a century off, as that of a bubble is, revokes: neither the number nor
// the age has anything to do with its clock.
func TestF40_FenceIsByTheDatabasesClock(t *testing.T) {
	besideEachOther(t, map[string]opener{
		"MySQL":    mysqlPlace([]string{"time_zone='%2B09:30'"}, mysqlTable),
		"Postgres": postgresPlace(postgresTable, "DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' SET timezone = ''America/New_York'''; END $$"),
	}, func(t *testing.T, p place) {
		here := p.store(t)
		migrate(t, here)
		if fence, age := fenceOf(t, here); fence != 0 || age != 0 {
			t.Errorf("before any revocation: %d, %v old", fence, age)
		}
		began := time.Now()
		var raised uint64
		synctest.Test(t, func(t *testing.T) {
			if time.Now().Year() > 2001 {
				t.Fatal("the clock is right: nothing is tested")
			}
			db := harness.Open(t, p.driver, p.dsn)
			defer db.Close() // its goroutine would outlive the bubble
			there := newStore(t, db, p.dialect, sqlstore.Options{})
			raised = revoke(t, there)
			if fence, age := fenceOf(t, there); fence != raised || age < 0 || age > time.Minute {
				t.Errorf("there: %d, %v old, want %d and no minute", fence, age, raised)
			}
		})
		if at := time.UnixMilli(int64(raised)); at.Before(began.Truncate(time.Millisecond)) || at.After(time.Now()) {
			t.Errorf("the fence says %v, it was raised between %v and now", at, began)
		}
		if fence, age := fenceOf(t, here); fence != raised || age < 0 || age > time.Since(began) {
			t.Errorf("here: %d, %v old, want %d and at most %v", fence, age, raised, time.Since(began))
		}
	})
}

// Whoever logs in right after a revocation is told how many microseconds ago that was.
func TestF41_FenceTellsMicroseconds(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		s := p.store(t)
		migrate(t, s)
		fine := 0
		for range 20 {
			began := time.Now()
			raised := revoke(t, s)
			fence, age := fenceOf(t, s)
			if fence != raised || age < 0 || age > time.Since(began) {
				t.Fatalf("%d, %v old; it was raised to %d at most %v ago", fence, age, raised, time.Since(began))
			}
			done := time.Now()
			if age%time.Millisecond != 0 {
				fine++
			}
			for time.Since(done) < 2*time.Millisecond {
			}
			if _, later := fenceOf(t, s); later < age+time.Millisecond || later > time.Since(began) {
				t.Fatalf("%v old, 2 ms after it was %v", later, age)
			}
		}
		if fine < 10 {
			t.Errorf("the age is a whole number of milliseconds in %d cases of 20", 20-fine)
		}
	})
}

// A clock that was put back makes the age negative, and the number rises nevertheless.
func TestF40_DatabasesClockPutBack(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		s := p.store(t)
		migrate(t, s)
		revoke(t, s)
		p.exec(t, "UPDATE sessions_owners SET raised = raised + 3600000000, fence = fence + 3600000 WHERE fence > 1")
		was, age := fenceOf(t, s)
		if age > -59*time.Minute || age < -time.Hour {
			t.Errorf("%v old, want an hour less than nothing", age)
		}
		if raised := revoke(t, s); raised != was+1 {
			t.Errorf("raised to %d from %d", raised, was)
		}
		if fence, age := fenceOf(t, s); fence != was+1 || age < 0 || age > time.Minute {
			t.Errorf("%d, %v old, want %d and a moment", fence, age, was+1)
		}
	})
}

// The table of fences that an earlier version has made gets the time of each, in place.
func TestF40_MigrateUpgradesTheFences(t *testing.T) {
	bytes := map[sqlstore.Dialect]string{sqlstore.MySQL: "VARBINARY(255)", sqlstore.Postgres: "BYTEA", sqlstore.SQLite: "BLOB"}
	everywhere(t, func(t *testing.T, p place) {
		s := p.store(t)
		migrate(t, s)
		raised := revoke(t, s)
		r := create(t, s, newRecord("ann"))
		p.exec(t, "CREATE TABLE old (owner "+bytes[p.dialect]+" PRIMARY KEY, fence BIGINT NOT NULL)",
			"INSERT INTO old SELECT owner, fence FROM sessions_owners", "DROP TABLE sessions_owners", "ALTER TABLE old RENAME TO sessions_owners")

		s = p.store(t)
		if _, _, err := s.Fence(t.Context(), "ann"); !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), "Migrate") {
			t.Errorf("Fence before: %v, want ErrUnsupported that says to call Migrate", err)
		}
		for range 2 {
			migrate(t, s)
		}
		if fence, age := fenceOf(t, s); fence != raised || age < 0 || age > time.Minute {
			t.Errorf("%d, %v old, want %d, and the age that the number tells", fence, age, raised)
		}
		if again := revoke(t, s); again <= raised {
			t.Errorf("raised to %d from %d", again, raised)
		}
		lacks(t, s, r.ID)
	})
}

// Sweep forgets the fences that are older than any session, and no other.
func TestSQLSweepForgetsOldFences(t *testing.T) {
	const day = 24 * 60 * 60 * 1000
	everywhere(t, func(t *testing.T, p place) {
		s := p.store(t)
		migrate(t, s)
		db, ctx := p.open(t), context.Background()
		ms := revoke(t, s)
		insert := map[sqlstore.Dialect]string{
			sqlstore.MySQL:    "INSERT INTO sessions_owners VALUES (?, ?, ?)",
			sqlstore.Postgres: "INSERT INTO sessions_owners VALUES ($1, $2, $3)",
			sqlstore.SQLite:   "INSERT INTO sessions_owners VALUES (?, ?, ?)",
		}[p.dialect]
		old := int64(ms) - 401*day
		for i := range 120 {
			mustExec(t, db, insert, []byte{1, byte(i)}, old, old*1000)
		}
		kept := map[string][2]int64{
			"young":                  {int64(ms) - 399*day, (int64(ms) - 399*day) * 1000},
			"raised since":           {old, (old + 5*day) * 1000},
			"by a clock of tomorrow": {int64(ms) + day, old * 1000},
		}
		for owner, at := range kept {
			mustExec(t, db, insert, []byte(owner), at[0], at[1])
		}
		mustExec(t, db, insert, []byte("of an earlier version"), old, 0)
		if n := sweepAll(t, s, time.Now()); n != 0 {
			t.Errorf("Sweep says %d, though no session was there", n)
		}
		if n := scan[int](t, db, "SELECT COUNT(*) FROM sessions_owners"); n != len(kept)+2 {
			t.Errorf("%d rows are left, want those of %d owners, ann's and the index's own", n, len(kept))
		}
		for owner, at := range kept {
			if fence, _, err := s.Fence(ctx, owner); err != nil || fence != uint64(at[0]) {
				t.Errorf("%s: %d, %v", owner, fence, err)
			}
		}
		if fence, age, err := s.Fence(ctx, "of an earlier version"); fence != 0 || age != 0 || err != nil {
			t.Errorf("forgotten: %d, %v old, %v", fence, age, err)
		}
		if err := p.store(t).Check(ctx); err != nil {
			t.Errorf("Check: %v", err)
		}
	})
}
