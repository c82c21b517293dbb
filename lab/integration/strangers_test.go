package integration

import (
	"testing"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/lab/strangers"
)

// What strangers found wrong in the first version, on each medium.

func TestStrangersOnSQLite(t *testing.T)     { strangersOn(t, asApplications[0].at(t)) }
func TestStrangersOnMariaDB(t *testing.T)    { strangersOn(t, asApplications[1].at(t)) }
func TestStrangersOnPostgreSQL(t *testing.T) { strangersOn(t, asApplications[2].at(t)) }

// strangersOn tells every story on one database: sessions have to get along with those of others.
func strangersOn(t *testing.T, p place) {
	store := p.store(t)
	migrate(t, store)
	strangers.Run(t, func(*testing.T) sojourn.Store { return store })
}

func TestStrangersOnRedis(t *testing.T) {
	for _, p := range redisPlaces {
		t.Run(p.name, func(t *testing.T) {
			c, o := p.open(t) // one after the other: some stories measure time
			store := redisStore(t, c, o)
			strangers.Run(t, func(*testing.T) sojourn.Store { return store })
		})
	}
}
