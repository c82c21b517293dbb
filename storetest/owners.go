package storetest

import (
	"strings"

	"github.com/gosojourn/sojourn"
)

// similarOwners are owners that somebody could take for one another. tag makes them this test's own.
func similarOwners(tag string) []string {
	return []string{
		tag + "ada",
		tag + "Ada",
		tag + "ADA",
		swapCase(tag + "ada"),
		tag + "ada ",
		tag + "ada  ",
		" " + tag + "ada",
		tag + "ada\t",
		tag + "ada\n",
		tag + "ada\r\n",
		tag + "ada\x00",
		tag + "ada\x00\x00",
		tag + "ada\x00lovelace",
		"\x00" + tag + "ada",
		tag + "ad",
		tag + "ada:1",
		tag + "{ada}",
		tag + "[ada]*",
		tag + "\u00e5da",  // one letter
		tag + "a\u030ada", // a letter and a ring
		tag + "\u00e1d\u00e1",
		tag + "ada\u200b", // with a space of no width
		tag + "\u0430da",  // the first a is Cyrillic
		tag + "ad\u0430",  // the last one
		tag + "\uff41da",  // full width
		tag + "ß",
		tag + "ss",
		tag + "ﬁ",
		tag + "fi",
		tag + "İ",
		tag + "ı",
		tag + "i",
		tag + "I",
		tag + "%",
		tag + "_",
		tag + "a%",
		tag + "*",
		tag + "'",
		tag + "''",
		tag + `"`,
		tag + `\`,
		tag + `\\`,
		tag + `\'`,
		tag + "`",
		tag + "' OR 1=1 -- ",
		tag + "'; DROP TABLE sessions; --",
		tag + "$1 ?1 :a @b",
		tag + "🦊",
		tag + "🦊\u200d🦊",
		tag + "\U0010ffff\ufffe",
		tag + "\ufffd",
		tag + "\u202eada",
		tag + strings.Repeat("x", 253-len(tag)),
		tag + strings.Repeat("x", 254-len(tag)),
		tag + strings.Repeat("x", 255-len(tag)),
		tag + strings.Repeat("x", 254-len(tag)) + "y",
		tag + strings.Repeat("€", (255-len(tag))/3),
		tag + strings.Repeat("🦊", (255-len(tag))/4),
		strings.Repeat("\x00", 255-len(tag)) + tag,
		tag + strings.Repeat("'", 255-len(tag)),
	}
}

func ownersComeBackAsTheyWere(t *tester) {
	created := map[string]sojourn.Record{}
	r := t.create(newRecord(""))
	for _, owner := range similarOwners(newOwner()) {
		created[owner] = newRecord(owner)
		t.must(t.store.Create(t.ctx, created[owner]), "Create with an owner of valid UTF-8")
		next := nextRecord(r.ID, owner)
		t.must(t.store.Update(t.ctx, next, r.Version), "Update to an owner of valid UTF-8")
		r = next
		t.sees(r, "after Update to another owner")
	}
	for _, r := range created {
		t.sees(r, "after Create")
	}
}

func ownersAreComparedByteByByte(t *tester) {
	index := t.ownerIndex("ListOwner")
	owners := similarOwners(newOwner())
	records := make([]sojourn.Record, len(owners))
	for i, owner := range owners {
		records[i] = t.create(newRecord(owner))
	}
	for i, owner := range owners {
		t.lists(index, owner, "with similar owners about", records[i])
	}
	index = t.ownerIndex("ListOwner", "Fence", "RevokeOwner")
	for i, owner := range owners {
		if i%2 == 0 {
			_, err := index.RevokeOwner(t.ctx, owner, "")
			t.must(err, "RevokeOwner")
		}
	}
	for i, owner := range owners {
		if i%2 == 0 {
			t.lists(index, owner, "after RevokeOwner")
			continue
		}
		t.lists(index, owner, "after RevokeOwner of similar owners", records[i])
		if fence := t.fence(index, owner); fence != 0 {
			t.broken("after RevokeOwner of similar owners, Fence(%.80q) is %d, want 0", owner, fence)
		}
	}
}
