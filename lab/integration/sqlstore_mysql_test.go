package integration

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/sqlstore"
)

// P23: a collation that ignores case finds the row of another id.
func TestSQLOtherCaseIsAnotherID(t *testing.T) {
	p := onMySQL(t, nil, mysqlTable, "ALTER TABLE sessions MODIFY token CHAR(43) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")
	s := p.store(t)
	migrate(t, s)
	r := newRecord("ann")
	r.ID = "AbCdEfGhIjKlMnOpQrStUvWx"
	create(t, s, r)
	for _, id := range []string{strings.ToLower(r.ID), strings.ToUpper(r.ID)} {
		if n := scan[int](t, p.open(t), "SELECT COUNT(*) FROM sessions WHERE token = ?", id); n != 1 {
			t.Fatalf("the collation finds %d rows: nothing is tested", n)
		}
		lacks(t, s, id)
		other := r
		other.ID, other.Version = id, r.Version+1
		if err := s.Create(t.Context(), other); err != sojourn.ErrConflict {
			t.Errorf("Create: %v, want ErrConflict", err)
		}
		if err := s.Update(t.Context(), other, r.Version); err != sojourn.ErrConflict {
			t.Errorf("Update: %v, want ErrConflict", err)
		}
		other.Version = r.Version
		if err := s.Touch(t.Context(), other); err != sojourn.ErrConflict {
			t.Errorf("Touch: %v, want ErrConflict", err)
		}
		for _, version := range []uint64{r.Version, 0} {
			if err := s.Delete(t.Context(), id, version); err != nil {
				t.Errorf("Delete at %d: %v, want nil", version, err)
			}
		}
		if _, err := s.RevokeOwner(t.Context(), "ANN", ""); err != nil {
			t.Error(err)
		}
	}
	holds(t, s, r)
}

// P23 and [seen]: 2039 became 'now' where the server is not strict.
func TestSQLExpiryPast2038IsAnError(t *testing.T) {
	for _, mode := range []string{"sql_mode='STRICT_TRANS_TABLES'", "sql_mode=''"} {
		s := onMySQL(t, []string{mode}, mysqlTable).store(t)
		end := time.Unix(1<<31-1, 0).Add(-2 * time.Hour)
		kept := newRecord("")
		kept.Expiry = end
		create(t, s, kept)
		holds(t, s, kept)

		late := newRecord("")
		for _, late.Expiry = range []time.Time{end.Add(time.Millisecond), end.AddDate(1, 0, 0), time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)} {
			err := s.Create(t.Context(), late)
			if err == nil || errors.Is(err, sojourn.ErrConflict) || !strings.Contains(err.Error(), "2038-01-19T01:14:07Z") {
				t.Errorf("%s: Create until %v: %v, want an error that names the end", mode, late.Expiry, err)
			}
			lacks(t, s, late.ID)
			changed := kept
			changed.Version, changed.Expiry = newVersion(), late.Expiry
			if err := s.Update(t.Context(), changed, kept.Version); err == nil || errors.Is(err, sojourn.ErrConflict) {
				t.Errorf("%s: Update until %v: %v, want an error", mode, late.Expiry, err)
			}
			changed.Version = kept.Version
			if err := s.Touch(t.Context(), changed); err == nil || errors.Is(err, sojourn.ErrConflict) {
				t.Errorf("%s: Touch until %v: %v, want an error", mode, late.Expiry, err)
			}
			holds(t, s, kept)
		}
	}
}

// scs stores 65,535 of 70,000 bytes where the server is not strict, and cannot read that again.
func TestSQLDataIsNeverTruncated(t *testing.T) {
	for _, mode := range []string{"sql_mode='STRICT_TRANS_TABLES'", "sql_mode=''"} {
		s := onMySQL(t, []string{mode}, mysqlTable).store(t)
		const fits = 1<<16 - 1 - 76 - 3
		r := newRecord("ann")
		r.Data = bytes.Repeat([]byte{0xff}, fits)
		create(t, s, r)
		holds(t, s, r)
		big := r
		big.Version, big.Data = newVersion(), make([]byte, fits+1)
		if err := s.Update(t.Context(), big, r.Version); !errors.Is(err, sojourn.ErrTooLarge) {
			t.Errorf("%s: Update of %d bytes: %v, want ErrTooLarge", mode, len(big.Data), err)
		}
		holds(t, s, r)
		big.ID, big.Data = newRecord("").ID, make([]byte, 70_000)
		if err := s.Create(t.Context(), big); !errors.Is(err, sojourn.ErrTooLarge) {
			t.Errorf("%s: Create of %d bytes: %v, want ErrTooLarge", mode, len(big.Data), err)
		}
		lacks(t, s, big.ID)
	}
}

func TestSQLWiderColumnHoldsMore(t *testing.T) {
	s := onMySQL(t, nil, mysqlTable, "ALTER TABLE sessions MODIFY data MEDIUMBLOB NOT NULL").store(t)
	r := newRecord("")
	r.Data = make([]byte, 1<<20)
	if err := s.Create(t.Context(), r); !errors.Is(err, sojourn.ErrTooLarge) {
		t.Fatalf("before Check: %v, want ErrTooLarge", err)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	create(t, s, r)
	holds(t, s, r)
	r.Data = make([]byte, 1<<24)
	if err := s.Update(t.Context(), r, r.Version); !errors.Is(err, sojourn.ErrTooLarge) {
		t.Errorf("16 MiB: %v, want ErrTooLarge", err)
	}
}

// [seen]: with an expiry ON UPDATE CURRENT_TIMESTAMP one UPDATE expired the whole table.
func TestSQLOnUpdateCurrentTimestampDoesNotExpire(t *testing.T) {
	p := onMySQL(t, nil,
		"CREATE TABLE sessions (token CHAR(43) PRIMARY KEY, data BLOB NOT NULL, expiry TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6))",
		"CREATE INDEX sessions_expiry_idx ON sessions (expiry)")
	db := p.open(t)
	unmigrated := newStore(t, db, sqlstore.MySQL, sqlstore.Options{})
	r := create(t, unmigrated, newRecord("ann"))
	var rows []sojourn.Record
	for range 5 {
		rows = append(rows, create(t, unmigrated, newRecord("bob")))
	}
	column := func() time.Duration {
		return time.Duration(scan[float64](t, db, "SELECT UNIX_TIMESTAMP(expiry) - UNIX_TIMESTAMP() FROM sessions WHERE token = ?", r.ID)) * time.Second
	}
	atLeast := func(what string) {
		t.Helper()
		if d := column(); d < 2*time.Hour+50*time.Minute {
			t.Errorf("after %s column expiry is %v ahead", what, d)
		}
	}
	atLeast("Create")
	migrate(t, unmigrated) // which enters ann's session into the index
	atLeast("Migrate")
	s := newStore(t, db, sqlstore.MySQL, sqlstore.Options{})
	if len(owned(t, s, "bob")) != 5 || !owned(t, s, "ann")[r.ID] {
		t.Error("Migrate did not enter what was there")
	}
	was := r.Version
	r.Version = newVersion()
	if err := s.Update(t.Context(), r, was); err != nil {
		t.Fatal(err)
	}
	atLeast("Update")
	r.Seen = r.Seen.Add(time.Second)
	if err := s.Touch(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	atLeast("Touch")
	for _, r := range append(rows, r) {
		holds(t, s, r)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Errorf("Check: %v, want nil: such a table works", err)
	}
}

// Of a driver that counts the rows that were changed, not found, a Touch with the values that are
// there already gets 0.
func TestSQLTouchWithTheSameValuesIsNoConflict(t *testing.T) {
	for _, found := range []string{"false", "true"} {
		s := onMySQL(t, []string{"clientFoundRows=" + found}, mysqlTable).store(t)
		r := create(t, s, newRecord("ann"))
		for range 2 {
			if err := s.Touch(t.Context(), r); err != nil {
				t.Fatalf("clientFoundRows=%s: Touch: %v", found, err)
			}
			if err := s.Update(t.Context(), r, r.Version); err != nil {
				t.Fatalf("clientFoundRows=%s: Update: %v", found, err)
			}
		}
		holds(t, s, r)
		for _, other := range []func(*sojourn.Record){
			func(r *sojourn.Record) { r.Version++ },
			func(r *sojourn.Record) { r.ID = newRecord("").ID },
		} {
			r := r
			other(&r)
			if err := s.Touch(t.Context(), r); err != sojourn.ErrConflict {
				t.Errorf("clientFoundRows=%s: Touch: %v, want ErrConflict", found, err)
			}
			if err := s.Update(t.Context(), r, r.Version); err != sojourn.ErrConflict {
				t.Errorf("clientFoundRows=%s: Update: %v, want ErrConflict", found, err)
			}
		}
	}
}

// [seen]: binary bytes compared over a connection of another character set: 30,000 false conflicts.
// And where the connection's character set is not the client's, the server converts parameters.
func TestSQLBytesSurviveAnyCharset(t *testing.T) {
	for _, params := range [][]string{
		{"charset=gbk"},
		{"charset=latin1"},
		{"charset=gbk", "interpolateParams=true"},
		{"charset=sjis", "sql_mode=''"},
		{"charset=utf8mb4", "collation_connection=latin1_swedish_ci"},
		{"charset=utf8mb4", "collation_connection=utf8mb3_general_ci", "sql_mode=''"},
		{"charset=gbk", "interpolateParams=true", "sql_mode='NO_BACKSLASH_ESCAPES,ANSI_QUOTES,PAD_CHAR_TO_FULL_LENGTH'"},
	} {
		for _, noPrepare := range []bool{false, true} {
			p := onMySQL(t, params, mysqlTable)
			s := newStore(t, p.open(t), sqlstore.MySQL, sqlstore.Options{NoPrepare: noPrepare})
			migrate(t, s)
			owner := "a\x00\xbf'\\ß世界 "
			r := newRecord(owner)
			r.Data = nil
			for i := range 1 << 16 { // every pair of bytes begins somewhere
				if i%2 == 0 && len(r.Data) < 60_000 {
					r.Data = append(r.Data, byte(i>>8), byte(i/2))
				}
			}
			r.Data = append(r.Data, "\xbf' OR 1=1 -- \xbf\\"...)
			create(t, s, r)
			holds(t, s, r)
			for range 3 {
				was := r.Version
				r.Version, r.Seen = newVersion(), r.Seen.Add(time.Second)
				if err := s.Update(t.Context(), r, was); err != nil {
					t.Fatalf("%v, NoPrepare %v: Update: %v", params, noPrepare, err)
				}
				r.Seen = r.Seen.Add(time.Second)
				if err := s.Touch(t.Context(), r); err != nil {
					t.Fatalf("%v, NoPrepare %v: Touch: %v", params, noPrepare, err)
				}
				holds(t, s, r)
			}
			if !owned(t, s, owner)[r.ID] {
				t.Errorf("%v, NoPrepare %v: the owner index does not have the session", params, noPrepare)
			}
			if _, err := s.RevokeOwner(t.Context(), owner, ""); err != nil {
				t.Errorf("%v, NoPrepare %v: RevokeOwner: %v", params, noPrepare, err)
			}
			lacks(t, s, r.ID)
		}
	}
}

// One call is one exchange: the server counts the statements that it gets.
func TestSQLOneExchangeACall(t *testing.T) {
	p := onMySQL(t, nil, mysqlTable)
	for _, migrated := range []bool{false, true} {
		db := p.open(t)
		db.SetMaxOpenConns(1)
		s := newStore(t, db, p.dialect, sqlstore.Options{})
		if migrated {
			migrate(t, s)
		}
		questions := func() int {
			t.Helper()
			var name string
			var n int
			if err := db.QueryRow("SHOW SESSION STATUS LIKE 'Questions'").Scan(&name, &n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		ctx := t.Context()
		round := func() map[string]error {
			r, next := newRecord(""), newRecord("")
			next.ID = r.ID
			count := map[string]error{"Create": s.Create(ctx, r)}
			_, count["Load"] = s.Load(ctx, r.ID)
			count["Update"] = s.Update(ctx, next, r.Version)
			next.Seen = next.Seen.Add(time.Second)
			count["Touch"] = s.Touch(ctx, next)
			count["Delete"] = s.Delete(ctx, r.ID, next.Version)
			return count
		}
		round() // prepares
		before := questions()
		calls := round()
		for name, err := range calls {
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if n := questions() - before - 1; n != len(calls) {
			t.Errorf("migrated %v: %d calls are %d exchanges", migrated, len(calls), n)
		}
	}
}
