package laws

import (
	"slices"
	"testing"

	"github.com/gosojourn/sojourn"
)

// RunSealed tells the stories that hold for sealed sessions too, with the owners' fences in what open
// returns. Those that need a store to look into, or one that two responses share, are left out:
// docs/sealed-sessions.md says what takes their place.
func RunSealed(t *testing.T, sealer sojourn.Sealer, open func(t *testing.T) sojourn.OwnerIndex) {
	told := 0
	for _, group := range [][]story{updates, endings, renewals, outages, responses, doors, owners, revocations, everyone} {
		for _, s := range group {
			if slices.Contains(onSeals, s.name) {
				told++
				t.Run(s.name, func(t *testing.T) { s.tell(t, sealedStore{Sealer: sealer, OwnerIndex: open(t)}) })
			}
		}
	}
	if told != len(onSeals) {
		t.Errorf("%d stories of %d were told: is one misnamed?", told, len(onSeals))
	}
}

// sealedStore stands where a story wants a store, for newSite to see.
type sealedStore struct {
	sojourn.Store // none
	sojourn.Sealer
	sojourn.OwnerIndex
}

var onSeals = []string{
	"P1 a slow write does not bring a logged-out session back",
	"P1 a slow logout does not end a newer login",
	"O35 logout is final, and so is what was put before it",
	"what is put after Logout goes into a new session",
	"Login and then RevokeAll in one request logs in",
	"Valid tells a long connection that its session has ended",
	"O23 login replaces the token, keeps the data, ends the old token",
	"P1 a slow request from before the login cannot write into it",
	"P20 a request under the superseded token reads nothing, writes nothing, sets no cookie",
	"two logins at once under one token: both browsers are logged in",
	"a login whose session was ended meanwhile begins another",
	"a login as another owner keeps no data",
	"P22 renewal keeps the absolute limit; a login starts a new one",
	"V7.2.4 logging in again replaces the token again",
	"Remember outlives the browser, and only when it says so",
	"a value that does not encode saves nothing and says so",
	"P3 Flush, FlushError, ReadFrom and WriteHeader send the cookie",
	"P4 1xx passes and commits nothing",
	"P6 a handler that panics saves nothing, and the panic passes on",
	"P10 the writer keeps its capabilities and gets no others",
	"C4 one cookie of a name, whatever the handler does",
	"O36 no-store stays beside the token, whatever the handler says after an early Commit",
	"G9 goroutines of one request may share its session",
	"two live sessions under one name: neither",
	"O8 a token is taken from the cookie alone",
	"a token of another purpose is unknown",
	"two managers in one request keep apart",
	"V7.4.3 a password change ends the others by their next request",
	"V7.4.2 a login in flight does not survive RevokeAll",
	"RevokeAll and then Login in one request logs in",
	"what is put after RevokeAll of one's own goes into a new session",
	"O25 V7.5.1 V7.5.2 V7.5.3 a stale login is challenged",
	"V7.4.5 RevokeEveryone ends owners' and visitors' sessions, and none that begins afterwards",
	"V7.4.5 an administrator ends one user's sessions, without one of his own",
	"N2 to be remembered is not to be authenticated",
	"a thief's copy gets nothing: of the token before login, of the token after logout",
}
