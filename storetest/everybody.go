package storetest

import (
	"time"

	"github.com/gosojourn/sojourn"
)

// lister answers a store that lists everybody, or skips.
func (t *tester) lister() sojourn.Lister {
	t.Helper()
	l, ok := t.store.(sojourn.Lister)
	if !ok {
		t.Skipf("the store is no sojourn.Lister")
	}
	_, err := l.Count(t.ctx)
	t.skipUnsupported("Count", err)
	return l
}

// everybodyIsListedAndCounted makes more records than fit into any page. Others may be in the same store.
func everybodyIsListedAndCounted(t *tester) {
	l := t.lister()
	want := map[string]sojourn.Record{}
	for i := range 300 {
		owner := ""
		if i%2 == 0 {
			owner = newOwner()
		}
		r := t.create(newRecord(owner))
		want[r.ID] = r
	}
	expired := newRecord(newOwner())
	expired.Expiry = time.Now().Add(-time.Minute)
	if err := t.store.Create(t.ctx, expired); err != nil {
		t.broken("Create of a record that has expired returned %s", say(err))
	}
	if n, err := l.Count(t.ctx); err != nil || n < len(want) {
		t.broken("with at least %d records that live, Count returned %d, %s", len(want), n, say(err))
	}
	for r, err := range l.ListAll(t.ctx) {
		if err != nil {
			t.broken("ListAll ended with %s", say(err))
			return
		}
		if r.ID == expired.ID {
			t.broken("ListAll yielded a record that has expired")
		}
		if w, ours := want[r.ID]; ours {
			if diff := differs(r, w); diff != "" {
				t.broken("ListAll yielded %s", diff)
			}
			delete(want, r.ID)
		}
	}
	if len(want) > 0 {
		t.broken("ListAll passed over %d of 300 live records", len(want))
	}
}

// bodyMayEndWhatItLists deletes each of its own, and stops.
func bodyMayEndWhatItLists(t *tester) {
	l := t.lister()
	mine := map[string]bool{}
	for range 5 {
		mine[t.create(newRecord(newOwner())).ID] = true
	}
	t.within(2*t.patience, "a ListAll whose body deletes", func() {
		for r, err := range l.ListAll(t.ctx) {
			if err != nil {
				t.broken("ListAll ended with %s", say(err))
				return
			}
			if !mine[r.ID] {
				continue
			}
			if err := t.store.Delete(t.ctx, r.ID, r.Version); err != nil {
				t.broken("in the body of ListAll, Delete returned %s", say(err))
			}
			if delete(mine, r.ID); len(mine) == 2 {
				return
			}
		}
		t.broken("ListAll passed over a live record")
	})
}
