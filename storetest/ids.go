package storetest

import (
	"fmt"
	"strings"

	"github.com/gosojourn/sojourn"
)

func unknownIDsAreNotFound(t *tester) {
	for _, id := range []string{
		newID(),
		strings.Repeat("A", 24),
		strings.Repeat("_", 24), // all of it matches anything where LIKE is used
		strings.Repeat("-", 24),
	} {
		r := newRecord("")
		r.ID = id
		t.gone(id, "for an unknown id")
		t.want(t.store.Update(t.ctx, r, r.Version), "Update of an unknown id", sojourn.ErrConflict)
		t.want(t.store.Touch(t.ctx, r), "Touch of an unknown id", sojourn.ErrConflict)
		t.want(t.store.Delete(t.ctx, id, r.Version), "Delete of an unknown id", nil)
		t.want(t.store.Delete(t.ctx, id, 0), "Delete of an unknown id at any version", nil)
		t.gone(id, "after all that for an unknown id")
	}
}

// For writes either of the two answers will do: neither is an outage.
func malformedIDsAreNotFound(t *tester) {
	there := t.create(newRecord(""))
	for _, id := range []string{
		"",
		"x",
		newID()[:23],
		newID() + "A",
		newID() + newID()[:19], // as long as scs's tokens
		newID()[:23] + "=",
		newID()[:23] + "+",
		newID()[:23] + "/",
		newID()[:23] + "\n",
		newID() + "\n",
		strings.Repeat("\x00", 24),
		newID()[:12] + "\x00" + newID()[:11],
		strings.Repeat("'", 24),
		"' OR '1'='1' OR token = '",
		`' OR 1=1; -- ___________`,
		`"` + newID()[:22] + `"`,
		"`" + newID()[:22] + "`",
		strings.Repeat("%", 24),
		strings.Repeat(`\`, 24),
		newID()[:23] + `\`,
		strings.Repeat("?", 24),
		"$1$1$1$1$1$1$1$1$1$1$1$1",
		strings.Repeat("\xff", 24),
		newID()[:22] + "\xbf\x27", // a quote in GBK
		strings.Repeat("é", 12),
		strings.Repeat("é", 24),
		strings.Repeat("A", 10_000),
		"../../../../../etc/passw",
		"{" + newID()[:22] + "}",
	} {
		_, err := t.store.Load(t.ctx, id)
		t.want(err, "Load of "+quote(id), sojourn.ErrNotFound)
		r := newRecord("")
		r.ID = id
		t.want(t.store.Update(t.ctx, r, r.Version), "Update of "+quote(id), sojourn.ErrConflict, sojourn.ErrNotFound)
		t.want(t.store.Touch(t.ctx, r), "Touch of "+quote(id), sojourn.ErrConflict, sojourn.ErrNotFound)
		t.want(t.store.Delete(t.ctx, id, r.Version), "Delete of "+quote(id), nil, sojourn.ErrNotFound)
		t.want(t.store.Delete(t.ctx, id, 0), "Delete at any version of "+quote(id), nil, sojourn.ErrNotFound)
	}
	t.sees(there, "after calls with malformed ids")
}

// Each of these names another record than id does. A store may refuse to create what it could not tell
// apart, or what is no id; it may not confuse the two.
func idsAreComparedByteByByte(t *tester) {
	id := newID()
	for _, other := range []string{
		swapCase(id),
		strings.ToLower(id),
		strings.ToUpper(id),
		id + " ",
		" " + id,
		id + "\x00",
		id + "\t",
		id + "\n",
		id + "A",
		id[:23],
		id[:23] + "%",
		id[:23] + "?",
		id[:23] + "=",
		id[:12],
		id + id,
		strings.Map(func(c rune) rune { return c + 0xfee0 }, id), // full width
		id[:23] + "\u0301",
	} {
		there := newRecord("")
		there.ID = id
		t.must(t.store.Create(t.ctx, there), "Create of an id")
		_, err := t.store.Load(t.ctx, other)
		t.want(err, "with "+quote(id)+" there, Load of "+quote(other), sojourn.ErrNotFound)
		r := newRecord("")
		r.ID, r.Version = other, there.Version
		changed := r
		changed.Version = newVersion()
		t.want(t.store.Update(t.ctx, changed, r.Version), "with "+quote(id)+" there, Update of "+quote(other), sojourn.ErrConflict, sojourn.ErrNotFound)
		t.want(t.store.Touch(t.ctx, r), "with "+quote(id)+" there, Touch of "+quote(other), sojourn.ErrConflict, sojourn.ErrNotFound)
		t.want(t.store.Delete(t.ctx, other, r.Version), "with "+quote(id)+" there, Delete of "+quote(other), nil, sojourn.ErrNotFound)
		t.want(t.store.Delete(t.ctx, other, 0), "with "+quote(id)+" there, Delete at any version of "+quote(other), nil, sojourn.ErrNotFound)
		t.sees(there, "after calls for "+quote(other))

		if err := t.store.Create(t.ctx, changed); err == nil {
			t.sees(changed, "after Create of "+quote(other)+" beside "+quote(id))
			t.want(t.store.Delete(t.ctx, other, 0), "Delete of "+quote(other), nil)
		} else {
			_, err := t.store.Load(t.ctx, other)
			t.want(err, "after a refused Create of "+quote(other)+", Load", sojourn.ErrNotFound)
		}
		t.sees(there, "after Create of "+quote(other))
		t.must(t.store.Delete(t.ctx, id, there.Version), "Delete of an id")
	}
}

func quote(id string) string { return fmt.Sprintf("id %.60q", id) }
