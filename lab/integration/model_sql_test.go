package integration

import (
	"testing"

	"github.com/gosojourn/sojourn/lab/model"
)

// modelVerbs is how much is done on each store.
const modelVerbs = 3000

func TestModelOnSQLite(t *testing.T)     { modelOn(t, asApplications[0].at) }
func TestModelOnMariaDB(t *testing.T)    { modelOn(t, asApplications[1].at) }
func TestModelOnPostgreSQL(t *testing.T) { modelOn(t, asApplications[2].at) }

// modelOn has two processes of their own on one database.
func modelOn(t *testing.T, at opener) {
	t.Parallel()
	p := at(t)
	a, b := p.store(t), p.store(t)
	migrate(t, a)
	model.RunReal(t, modelVerbs, [2]model.Store{a, b})
}
