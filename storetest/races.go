package storetest

import (
	"errors"
	"strconv"
	"sync/atomic"

	"github.com/gosojourn/sojourn"
)

const (
	racers = 16
	rounds = 4
)

func oneOfManyCreatesWins(t *tester) {
	for range rounds {
		id := newID()
		t.oneWins("Create of the same id", func(int) (sojourn.Record, error) {
			r := nextRecord(id, "")
			return r, t.store.Create(t.ctx, r)
		})
	}
}

func oneOfManyUpdatesWins(t *tester) {
	for range rounds {
		r := t.create(newRecord(""))
		t.oneWins("Update from the same version", func(i int) (sojourn.Record, error) {
			next := nextRecord(r.ID, []string{"", "image-" + r.ID}[i%2])
			return next, t.store.Update(t.ctx, next, r.Version)
		})
	}
}

// oneWins runs writes at once and complains unless one succeeded, the others are ErrConflict, and what
// the one wrote is there.
func (t *tester) oneWins(what string, write func(i int) (sojourn.Record, error)) {
	t.Helper()
	wrote, errs := make([]sojourn.Record, racers), make([]error, racers)
	t.together(racers, func(i int) { wrote[i], errs[i] = write(i) })
	winners := 0
	var winner sojourn.Record
	for i, err := range errs {
		switch {
		case err == nil:
			winners++
			winner = wrote[i]
		case !errors.Is(err, sojourn.ErrConflict):
			t.broken("of %d calls at once of %s one returned %s, want nil or ErrConflict", racers, what, say(err))
		}
	}
	if winners != 1 {
		t.broken("of %d calls at once of %s %d succeeded, want 1", racers, what, winners)
		return
	}
	t.sees(winner, "after many calls at once of "+what)
}

// Counters in a few records, counted up by many at once: locks are waited for, and perhaps deadlocked
// on, and what was counted must come out.
func contentionIsNoOutage(t *tester) {
	const records, steps = 3, 6
	var ids [records]string
	var counted [records]atomic.Uint64
	for i := range ids {
		r := newRecord("")
		r.Data = []byte("0")
		ids[i] = t.create(r).ID
	}
	t.together(racers, func(racer int) {
		for step := range steps {
			i := (racer + step) % records
			r, err := t.store.Load(t.ctx, ids[i])
			if err != nil {
				t.broken("Load of a contended record returned %s, want the record", say(err))
				return
			}
			next := r
			next.Version = newVersion()
			n, _ := strconv.ParseUint(string(r.Data), 10, 64)
			next.Data = strconv.AppendUint(nil, n+1, 10)
			switch err := t.store.Update(t.ctx, next, r.Version); {
			case err == nil:
				counted[i].Add(1)
			case !errors.Is(err, sojourn.ErrConflict):
				t.broken("Update of a contended record returned %s, want nil or ErrConflict", say(err))
			}
		}
	})
	for i, id := range ids {
		r, err := t.store.Load(t.ctx, id)
		t.must(err, "Load")
		if n := strconv.FormatUint(counted[i].Load(), 10); string(r.Data) != n {
			t.broken("%s Updates returned nil, but the record counted %.20q", n, r.Data)
		}
	}
}

// Whichever comes first, the times in the end are those of the Update.
func touchGivesWayToAnUpdate(t *tester) {
	for range 2 * rounds {
		r := t.create(newRecord(""))
		next := nextRecord(r.ID, "")
		was, becomes := r, touched(r)
		var updated error
		t.together(5, func(i int) {
			if i == 0 {
				updated = t.store.Update(t.ctx, next, r.Version)
			} else {
				t.want(t.store.Touch(t.ctx, becomes), "Touch during an Update", nil, sojourn.ErrConflict)
			}
		})
		switch {
		case updated == nil:
			t.sees(next, "after an Update during Touches")
		case errors.Is(updated, sojourn.ErrConflict): // a lock that it did not get: nothing was applied
			got, err := t.store.Load(t.ctx, r.ID)
			t.must(err, "Load after a refused Update during Touches")
			if differs(got, was) != "" && differs(got, becomes) != "" {
				t.broken("after a refused Update during Touches, Load returned %s", differs(got, becomes))
			}
		default:
			t.broken("Update during Touches returned %s, want nil", say(updated))
		}
	}
}

func deleteOrUpdateWins(t *tester) {
	for range 2 * rounds {
		r := t.create(newRecord(""))
		next := nextRecord(r.ID, "")
		var updated, deleted error
		t.together(2, func(i int) {
			if i == 0 {
				updated = t.store.Update(t.ctx, next, r.Version)
			} else {
				deleted = t.store.Delete(t.ctx, r.ID, r.Version)
			}
		})
		switch {
		case updated == nil && errors.Is(deleted, sojourn.ErrConflict):
			t.sees(next, "after an Update that came before the Delete")
		case deleted == nil && errors.Is(updated, sojourn.ErrConflict):
			t.gone(r.ID, "after a Delete that came before the Update")
		default:
			t.broken("of Update and Delete from the same version at once, Update returned %s and Delete %s, want nil from one and ErrConflict from the other",
				say(updated), say(deleted))
		}
	}
}

// Records that speak for themselves, written by some and read by others.
func readerSeesOneWholeRecord(t *tester) {
	const steps = 12
	id := newID()
	t.create(image(id, newVersion()))
	index, indexed := t.store.(sojourn.OwnerIndex)
	t.together(racers, func(i int) {
		for range steps {
			r, err := t.store.Load(t.ctx, id)
			if err != nil {
				t.broken("Load during Updates returned %s, want the record", say(err))
				return
			}
			if diff := differs(r, image(id, r.Version)); diff != "" {
				t.broken("Load during Updates returned, for version %#x, %s", r.Version, diff)
				return
			}
			switch {
			case i%3 == 0:
				err := t.store.Update(t.ctx, image(id, newVersion()), r.Version)
				t.want(err, "Update", nil, sojourn.ErrConflict)
			case i%3 == 1 && indexed:
				found, err := t.list(t.ctx, index, imageOwner(id))
				if errors.Is(err, errors.ErrUnsupported) {
					continue
				}
				t.want(err, "the end of ListOwner", nil)
				for _, r := range found {
					if diff := differs(r, image(id, r.Version)); diff != "" {
						t.broken("ListOwner during Updates yielded, for version %#x, %s", r.Version, diff)
						return
					}
				}
			}
		}
	})
}
