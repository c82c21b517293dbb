package laws

import (
	"testing"

	"github.com/gosojourn/sojourn"
)

// RunAnonymous tells every story with visitors' sessions sealed until they log in, but for those that notInSeals names.
func RunAnonymous(t *testing.T, sealer sojourn.Sealer, open func(t *testing.T) sojourn.Store) {
	left := runAnonymous(t, anonymous{Sealer: sealer}, open, func(name string) bool { return notInSeals[name] != "" })
	if left != len(notInSeals) {
		t.Errorf("%d stories of %d were left out: is one misnamed?", left, len(notInSeals))
	}
}

// RunOlder tells every story of sessions that were in the store before Config.Anonymous was set.
func RunOlder(t *testing.T, sealer sojourn.Sealer, open func(t *testing.T) sojourn.Store) {
	runAnonymous(t, anonymous{Sealer: sealer, older: true}, open, func(string) bool { return false })
}

func runAnonymous(t *testing.T, as anonymous, open func(t *testing.T) sojourn.Store, not func(name string) bool) (left int) {
	for _, group := range [][]story{updates, endings, renewals, outages, responses, doors, owners, revocations, everyone} {
		for _, s := range group {
			if not(s.name) {
				left++
				continue
			}
			t.Run(s.name, func(t *testing.T) {
				store, as := open(t), as
				as.Store = store
				as.OwnerIndex, _ = store.(sojourn.OwnerIndex)
				as.Lister, _ = store.(sojourn.Lister)
				as.EveryoneRevoker, _ = store.(sojourn.EveryoneRevoker)
				s.tell(t, as)
			})
		}
	}
	return left
}

// anonymous stands where a story wants a store, for newSite to see.
type anonymous struct {
	sojourn.Sealer
	sojourn.Store
	sojourn.OwnerIndex
	sojourn.Lister
	sojourn.EveryoneRevoker
	older bool // sessions begin without the sealer
}

const (
	lastWins = "of two responses to one visitor at once the last one wins, whole"
	inHeader = "a seal goes out with the header, or not at all"
	noRecord = "the story looks at the record, and a visitor has none"
)

// notInSeals are the stories that do not hold of a session which its visitor keeps, with the reason. RunOlder tells them of
// sessions that the store keeps.
var notInSeals = map[string]string{
	"P2 two requests put different keys and both stay":                                                   lastWins,
	"P2 two hundred keys at once all stay":                                                               lastWins,
	"P2 two hundred increments at once count two hundred":                                                lastWins,
	"P2 two processes count two hundred together":                                                        lastWins,
	"one key is last-writer-wins":                                                                        lastWins,
	"a replayed Pop leaves what came meanwhile":                                                          lastWins,
	"appends at once all stay":                                                                           lastWins,
	"an Update function that panics takes nobody else with it":                                           lastWins,
	"P5 a change after the first byte is saved, or said to be too late":                                  inHeader,
	"P7 a client that leaves cancels no save":                                                            inHeader,
	"P7 when the client is gone data is saved, and a login is not performed, nor half of its change set": inHeader,
	"P19 hijacking with a token to send fails, with none it saves first":                                 inHeader,
	"P9 a damaged record is absent, one of a newer version is an outage":                                 noRecord,
	"P9 P17 a value that does not fit its key is absent, and the others stay":                            noRecord,
	"a session that has lost its row to RevokeEveryone is not written back":                              noRecord + "; it is sealed with the fence of before, and is a stranger's with the next request",
}
