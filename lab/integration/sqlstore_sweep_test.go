package integration

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/gob"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/sqlstore"
)

// expired puts n dead sessions beside those that are there.
func expired(t *testing.T, s sojourn.Store, n int, ago time.Duration) {
	t.Helper()
	for range n {
		r := newRecord("")
		r.Expiry = time.Now().Add(-ago)
		create(t, s, r)
	}
}

func sweepAll(t *testing.T, s *sqlstore.Store, before time.Time) int {
	t.Helper()
	all := 0
	for {
		n, err := s.Sweep(t.Context(), before, 150)
		if err != nil {
			t.Fatal(err)
		}
		if n > 150 {
			t.Fatalf("Sweep deleted %d of at most 150", n)
		}
		if n == 0 {
			return all
		}
		all += n
	}
}

func TestSQLSweepUnderLoad(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		s := p.store(t)
		migrate(t, s)
		expired(t, s, 500, 30*time.Hour)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var wg sync.WaitGroup
		for range 4 {
			s, r := p.store(t), newRecord("ann")
			r.Expiry = time.Now().Add(-29 * time.Hour).Truncate(time.Millisecond)
			create(t, s, r)
			r.ID, r.Expiry = newRecord("").ID, time.Now().Add(time.Minute).Truncate(time.Millisecond)
			create(t, s, r)
			wg.Go(func() {
				for ctx.Err() == nil {
					was := r.Version
					r.Version = newVersion()
					if err := s.Update(t.Context(), r, was); err == sojourn.ErrConflict {
						r.Version = was // the database was busy
					} else if err != nil {
						t.Errorf("Update: %v", err)
						return
					}
				}
				holds(t, s, r)
			})
		}
		var swept sync.WaitGroup
		for range 2 {
			s := p.store(t)
			swept.Go(func() { sweepAll(t, s, time.Now()) })
		}
		swept.Wait()
		cancel()
		wg.Wait()
		if n := scan[int](t, p.open(t), "SELECT COUNT(*) FROM sessions"); n != 4 {
			t.Errorf("%d sessions are left, 4 live", n)
		}
	})
}

// A live session is never swept: not by a server that is in another time zone than the one that
// wrote it, nor when its column is wrong altogether.
func TestSQLSweepJudgesByTheHeader(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		s, db := p.store(t), p.open(t)
		live := create(t, s, newRecord(""))
		dead := newRecord("")
		dead.Expiry = time.Now().Add(-time.Hour)
		create(t, s, dead)
		mustExec(t, db, map[sqlstore.Dialect]string{
			sqlstore.MySQL:    "UPDATE sessions SET expiry = expiry - INTERVAL 14 HOUR",
			sqlstore.Postgres: "UPDATE sessions SET expiry = expiry - INTERVAL '14 hours'",
			sqlstore.SQLite:   "UPDATE sessions SET expiry = expiry - 14/24.0",
		}[p.dialect])
		if n := sweepAll(t, s, time.Now()); n != 1 {
			t.Errorf("%d sessions were swept, 1 is dead", n)
		}
		holds(t, s, live)
	})
}

func TestSQLSweepIsNotHeldUp(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		s, db := p.store(t), p.open(t)
		for range 160 { // more than a batch of rows whose column says long ago, and that are alive
			create(t, s, newRecord(""))
		}
		mustExec(t, db, map[sqlstore.Dialect]string{
			sqlstore.MySQL:    "UPDATE sessions SET expiry = '2001-01-01'",
			sqlstore.Postgres: "UPDATE sessions SET expiry = '2001-01-01'",
			sqlstore.SQLite:   "UPDATE sessions SET expiry = 2400000",
		}[p.dialect])
		insertScs(t, p, "scs-dead", time.Now().Add(-time.Hour))
		expired(t, s, 120, 30*time.Hour)
		if n := sweepAll(t, s, time.Now()); n != 120 {
			t.Errorf("%d sessions were swept, 120 are dead", n)
		}
	})
}

// F65: more than a batch of expired rows that something else keeps in the table, by keys that are no ids, stand
// in nobody's way, and stay.
func TestF65_ForeignRowsDoNotStopTheSweep(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		s, db := p.store(t), p.open(t)
		for i := range 130 {
			insertScsIn(t, db, p.dialect, []string{"key of something else ", "a.b:", "clé", "'\"\\", "\u212aelvin"}[i%5]+fmt.Sprint(i), time.Now().Add(-400*time.Hour))
		}
		expired(t, s, 120, 30*time.Hour)
		if n := sweepAll(t, s, time.Now()); n != 120 {
			t.Errorf("%d sessions were swept, 120 are dead", n)
		}
		if n := scan[int](t, db, "SELECT COUNT(*) FROM sessions"); n != 130 {
			t.Errorf("%d rows are left of something else's 130", n)
		}
	})
}

// What somebody else has locked for hours, in a console that was left open say, stops no sweep: all else goes,
// without a wait, and those rows when they are free.
func TestSQLSweepPassesByWhatIsLocked(t *testing.T) {
	besideEachOther(t, map[string]opener{"MySQL": mysqlPlace(nil, mysqlTable), "Postgres": postgresPlace(postgresTable)}, func(t *testing.T, p place) {
		s, db := p.store(t), p.open(t)
		migrate(t, s)
		locked := newRecord("")
		locked.Expiry = time.Now().Add(-100 * time.Hour)
		create(t, s, locked)
		expired(t, s, 130, 30*time.Hour)
		also := newRecord("")
		also.Expiry = time.Now().Add(-29 * time.Hour)
		create(t, s, also)
		mustExec(t, db, "INSERT INTO sessions_owners (owner, fence, raised) VALUES ('old', 1, 1)")
		release := lockedBy(t, p, "BEGIN", "UPDATE sessions SET expiry = expiry WHERE token = '"+locked.ID+"'",
			"UPDATE sessions SET expiry = expiry WHERE token = '"+also.ID+"'", "UPDATE sessions_owners SET fence = fence + 1 WHERE fence = 1 AND raised = 1")
		defer release()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if n, err := s.Sweep(ctx, time.Now(), 1000); n != 130 || err != nil {
			t.Errorf("Sweep: %d, %v, want 130 that nobody has locked", n, err)
		}
		release()
		if n := sweepAll(t, s, time.Now()); n != 2 {
			t.Errorf("afterwards %d sessions were swept, want the 2 that were locked", n)
		}
	})
}

// insertScs stores a session as scs v2.9.0 does, with its codec and its statement.
func insertScs(t *testing.T, p place, token string, expiry time.Time) []byte {
	t.Helper()
	return insertScsIn(t, p.open(t), p.dialect, token, expiry)
}

func insertScsIn(t *testing.T, db *sql.DB, d sqlstore.Dialect, token string, expiry time.Time) []byte {
	t.Helper()
	var b bytes.Buffer
	err := gob.NewEncoder(&b).Encode(&struct {
		Deadline time.Time
		Values   map[string]any
	}{expiry, map[string]any{"userID": 1, "flash": "Hello"}})
	if err != nil {
		t.Fatal(err)
	}
	q := map[sqlstore.Dialect]string{
		sqlstore.MySQL:    "INSERT INTO sessions (token, data, expiry) VALUES (?, ?, ?)",
		sqlstore.Postgres: "INSERT INTO sessions (token, data, expiry) VALUES ($1, $2, $3)",
		sqlstore.SQLite:   "INSERT INTO sessions (token, data, expiry) VALUES ($1, $2, julianday($3))",
	}[d]
	var at any = expiry.UTC()
	if d == sqlstore.SQLite {
		at = expiry.UTC().Format("2006-01-02T15:04:05.999")
	}
	mustExec(t, db, q, token, b.Bytes(), at)
	return b.Bytes()
}

// scs and this library share a table: neither sees, ends or sweeps what is the other's.
func TestSQLSharesTheTableWithScs(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		s, db := p.store(t), p.open(t)
		migrate(t, s)
		live := create(t, s, newRecord("ann"))
		const scsToken = "0bWpC9sVdcVDyyXqBfKi6m8GMRGzyV5ZbwGKIXUwXyY"
		// One as scs has it, and one that happens to have a key of our length.
		data := insertScs(t, p, scsToken, time.Now().Add(time.Hour))
		odd := newRecord("").ID
		insertScs(t, p, odd, time.Now().Add(time.Hour))
		insertScs(t, p, "dead-since-an-hour-000000000000000000000000", time.Now().Add(-time.Hour))
		insertScs(t, p, "dead-since-days-000000000000000000000000000", time.Now().Add(-60*time.Hour))

		ours := newRecord("ann")
		for _, ours.ID = range []string{scsToken, odd} {
			lacks(t, s, ours.ID)
			if err := s.Update(t.Context(), ours, 1); err != sojourn.ErrConflict {
				t.Errorf("Update: %v, want ErrConflict", err)
			}
			if err := s.Touch(t.Context(), ours); err != sojourn.ErrConflict {
				t.Errorf("Touch: %v, want ErrConflict", err)
			}
			for _, version := range []uint64{0, 1} {
				if err := s.Delete(t.Context(), ours.ID, version); err != nil {
					t.Errorf("Delete: %v, want nil", err)
				}
			}
		}
		if err := s.Create(t.Context(), ours); err != sojourn.ErrConflict {
			t.Errorf("Create: %v, want ErrConflict", err)
		}
		if _, err := s.RevokeOwner(t.Context(), "ann", live.ID); err != nil {
			t.Fatal(err)
		}
		if n := sweepAll(t, s, time.Now()); n != 1 {
			t.Errorf("%d rows were swept, want 1: what scs has left lying for days", n)
		}
		mark := map[bool]string{true: "$1", false: "?"}[p.dialect == sqlstore.Postgres]
		if got := scan[[]byte](t, db, "SELECT data FROM sessions WHERE token = "+mark, scsToken); !bytes.Equal(got, data) {
			t.Error("the row of scs is not what it was")
		}
		mustExec(t, db, map[sqlstore.Dialect]string{ // scs's own sweeper
			sqlstore.MySQL:    "DELETE FROM sessions WHERE expiry < UTC_TIMESTAMP(6)",
			sqlstore.Postgres: "DELETE FROM sessions WHERE expiry < current_timestamp",
			sqlstore.SQLite:   "DELETE FROM sessions WHERE expiry < julianday('now')",
		}[p.dialect])
		holds(t, s, live)
		if n := scan[int](t, db, "SELECT COUNT(*) FROM sessions"); n != 3 {
			t.Errorf("%d rows are left, want 3", n)
		}
	})
}

// A row in a format of the future is neither 'no such session', nor written over, nor lost.
func TestSQLUnknownFormatIsNoAnswer(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		s, db := p.store(t), p.open(t)
		migrate(t, s)
		r := create(t, s, newRecord("ann"))
		mustExec(t, db, map[sqlstore.Dialect]string{
			sqlstore.MySQL:    "UPDATE sessions SET data = INSERT(data, 9, 1, '2'), expiry = expiry",
			sqlstore.Postgres: "UPDATE sessions SET data = overlay(data PLACING '2'::bytea FROM 9)",
			sqlstore.SQLite:   "UPDATE sessions SET data = CAST(substr(data, 1, 8) || '2' || substr(data, 10) AS BLOB)",
		}[p.dialect])
		could := func(what string, err error) {
			t.Helper()
			if err == nil || err == sojourn.ErrNotFound || err == sojourn.ErrConflict {
				t.Errorf("%s: %v, want an error that says it cannot be told", what, err)
			}
		}
		_, err := s.Load(t.Context(), r.ID)
		could("Load", err)
		for _, err = range s.ListOwner(t.Context(), "ann") {
		}
		could("ListOwner", err)
		could("Delete at a version", s.Delete(t.Context(), r.ID, r.Version))
		if err := s.Update(t.Context(), r, r.Version); err == nil {
			t.Error("Update: nil")
		}
		if _, err := s.RevokeOwner(t.Context(), "ann", ""); err != nil {
			t.Error(err)
		}
		lacks(t, s, r.ID)
	})
}

// F65: what lies before the point that a sweep has come to is not forgotten: it is met before the sweep says that
// there is nothing left.
func TestF65_ASweepLeavesNothingBehindIt(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		s := p.store(t)
		expired(t, s, 200, 30*time.Hour)
		if n, err := s.Sweep(t.Context(), time.Now(), 200); n != 200 || err != nil {
			t.Fatalf("Sweep: %d, %v, want 200", n, err)
		}
		expired(t, s, 5, 90*time.Hour) // by a host whose clock is behind
		if n := sweepAll(t, s, time.Now()); n != 5 {
			t.Errorf("%d sessions were swept, 5 are dead", n)
		}
	})
}
