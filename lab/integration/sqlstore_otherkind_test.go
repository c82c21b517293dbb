package integration

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gosojourn/sojourn/sqlstore"
)

// Whoever opens one kind of database and tells New another is told which it is: what each of them says of the
// statements of another (no such table: information_schema.COLUMNS) does not tell.
func TestTheOtherKindOfDatabaseIsNamed(t *testing.T) {
	for _, open := range []opener{
		func(t testing.TB) place { return onMySQL(t, nil) },
		func(t testing.TB) place { return onPostgres(t) },
		func(t testing.TB) place { return onSQLite(t, usual) },
	} {
		p := open(t)
		for _, told := range []sqlstore.Dialect{sqlstore.MySQL, sqlstore.Postgres, sqlstore.SQLite} {
			if told == p.dialect {
				continue
			}
			t.Run(fmt.Sprintf("%s for %s", told, p.dialect), func(t *testing.T) {
				s := newStore(t, p.open(t), told, sqlstore.Options{})
				_, err := s.MigrationSQL(t.Context())
				for what, err := range map[string]error{"Check": s.Check(t.Context()), "Migrate": s.Migrate(t.Context()), "MigrationSQL": err} {
					want := fmt.Sprintf("the database is %s, and New was told %s", p.dialect, told)
					if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "give New sqlstore."+p.dialect.String()) {
						t.Errorf("%s: %v, want %q", what, err, want)
					}
				}
			})
		}
	}
}
