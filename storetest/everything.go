package storetest

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/gosojourn/sojourn"
)

// Every method, on few records, from many goroutines: no outage, and nothing that no write wrote.
func everythingAtOnce(t *tester) {
	const records, steps = 4, 30
	var ids [records]string
	for i := range ids {
		ids[i] = newID()
		t.create(image(ids[i], newVersion()))
	}
	index, indexed := t.store.(sojourn.OwnerIndex)
	sweeper, sweeps := t.store.(sojourn.Sweeper)
	checker, checks := t.store.(sojourn.Checker)
	local, knowsWhere := t.store.(sojourn.Local)
	if knowsWhere {
		local.Local()
	}
	t.together(racers, func(racer int) {
		rnd := rand.New(rand.NewPCG(uint64(racer), 0))
		seen := map[string]sojourn.Record{}
		for range steps {
			id := ids[rnd.IntN(records)]
			r := seen[id]
			switch choice := rnd.IntN(21); {
			case choice < 5:
				var err error
				r, err = t.store.Load(t.ctx, id)
				t.want(err, "Load", nil, sojourn.ErrNotFound)
				if err == nil {
					t.isImage(r, "Load returned")
					seen[id] = r
				}
			case choice < 8:
				t.want(t.store.Create(t.ctx, image(id, newVersion())), "Create", nil, sojourn.ErrConflict)
			case choice < 12:
				next := image(id, newVersion())
				err := t.store.Update(t.ctx, next, r.Version)
				t.want(err, "Update", nil, sojourn.ErrConflict)
			case choice < 14 && r.Version != 0:
				t.want(t.store.Touch(t.ctx, r), "Touch", nil, sojourn.ErrConflict)
			case choice == 14:
				t.want(t.store.Delete(t.ctx, id, r.Version), "Delete", nil, sojourn.ErrConflict)
			case choice < 17 && indexed:
				found, err := t.list(t.ctx, index, imageOwner(id))
				t.supported(err, "ListOwner")
				for _, r := range found {
					t.isImage(r, "ListOwner yielded")
				}
			case choice == 17 && indexed:
				_, _, err := index.Fence(t.ctx, imageOwner(id))
				t.supported(err, "Fence")
			case choice == 18 && indexed:
				_, err := index.RevokeOwner(t.ctx, imageOwner(id), ids[0])
				t.supported(err, "RevokeOwner")
			case choice == 19 && sweeps:
				_, err := sweeper.Sweep(t.ctx, time.Now(), 10)
				t.supported(err, "Sweep")
			case choice == 20 && checks:
				t.supported(checker.Check(t.ctx), "Check")
			}
		}
	})
}

func (t *tester) isImage(r sojourn.Record, what string) {
	t.Helper()
	if diff := differs(r, image(r.ID, r.Version)); diff != "" {
		t.broken("%s, for version %#x, %s", what, r.Version, diff)
	}
}

func (t *tester) supported(err error, what string) {
	t.Helper()
	t.want(err, what, nil, errors.ErrUnsupported)
}
