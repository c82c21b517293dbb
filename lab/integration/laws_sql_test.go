package integration

import (
	"testing"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/lab/laws"
	"github.com/gosojourn/sojourn/sealed"
)

// patient is a SQLite DSN for hundreds of writers at once: without immediate, a transaction that
// reads and then writes would fail as soon as another writes.
const patient = "_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_txlock=immediate"

// asApplications have it: tables by Migrate, and times parsed by the driver.
var asApplications = []struct {
	name string
	at   opener
}{
	{"SQLite", func(t testing.TB) place { return onSQLite(t, patient) }},
	{"MariaDB", func(t testing.TB) place { return onMySQL(t, []string{"parseTime=true"}) }},
	{"PostgreSQL", func(t testing.TB) place { return onPostgres(t) }},
}

func TestLawsOnSQLite(t *testing.T)     { lawsOn(t, asApplications[0].at) }
func TestLawsOnMariaDB(t *testing.T)    { lawsOn(t, asApplications[1].at) }
func TestLawsOnPostgreSQL(t *testing.T) { lawsOn(t, asApplications[2].at) }

func TestLawsOnSQLiteAnonymous(t *testing.T)     { anonymousLawsOn(t, asApplications[0].at) }
func TestLawsOnMariaDBAnonymous(t *testing.T)    { anonymousLawsOn(t, asApplications[1].at) }
func TestLawsOnPostgreSQLAnonymous(t *testing.T) { anonymousLawsOn(t, asApplications[2].at) }

// anonymousLawsOn has visitors' sessions sealed until they log in, and a database of its own: in one where
// everybody's sessions were revoked, a story's wrapper that does not know of that begins none.
func anonymousLawsOn(t *testing.T, at opener) {
	t.Parallel()
	store := at(t).store(t)
	migrate(t, store)
	ring, err := sealed.New([]string{sealed.GenerateKey()}, sealed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	laws.RunAnonymous(t, ring, func(*testing.T) sojourn.Store { return store })
}

// lawsOn tells every story on one database: sessions have to get along with those of others.
func lawsOn(t *testing.T, at opener) {
	t.Parallel()
	p := at(t)
	store := p.store(t)
	migrate(t, store)
	laws.Run(t, func(*testing.T) sojourn.Store { return store })
	ring, err := sealed.New([]string{sealed.GenerateKey()}, sealed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Run("sealed, revocations here", func(t *testing.T) {
		laws.RunSealed(t, ring, func(*testing.T) sojourn.OwnerIndex { return store })
	})
}
