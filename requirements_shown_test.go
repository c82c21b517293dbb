package sojourn_test

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/gosojourn/sojourn"
)

// shown says what shows each requirement: a file, and the name of a test or a law in it. What is left to the application is
// shown by the reference application. lab/compliance has a case of its own for each that is called met, and docs/compliance.md
// prints both.
var shown = map[string][2]string{
	"O1": {"config_test.go", "O1 the name tells"}, "O2": {"lab/laws/outages.go", "O2 an id that is taken"}, "O3": {"config_test.go", "O3 64 characters"},
	"O4": {"config_test.go", "O4 the cookie holds no value"}, "O5": {"sealed_test.go", "TestSealedAltered"}, "O6": {"lab/laws/endings.go", "O6 the id alone"},
	"O8": {"lab/laws/doors.go", "O8 a token is taken"}, "O9": {"config_test.go", "O9 plain http"}, "O12": {"config_test.go", "O12 Secure"},
	"O13": {"config_test.go", "O13 HttpOnly"}, "O14": {"config_test.go", "O14 SameSite"}, "O15": {"config_test.go", "O15"}, "O16": {"config_test.go", "O16 Path"},
	"O18": {"config_test.go", "O18 gone"}, "O19": {"sealed_test.go", "TestSealedAltered"}, "O20": {"config_test.go", "O20 the token"},
	"O21": {"lab/laws/endings.go", "O21 a token that was never"}, "O22": {"lab/laws/doors.go", "O22 a token of the wrong"},
	"O23": {"lab/laws/renewals.go", "O23 login replaces"}, "O26": {"sealed_test.go", "TestSealedChunks"}, "O27": {"lab/laws/doors.go", "P16 a stale cookie"},
	"O29": {"lab/laws/endings.go", "O29 N5 logout erases"}, "O30": {"time_test.go", "TestIdleLimit"}, "O31": {"sealed_test.go", "TestSealedAltered"},
	"O32": {"time_test.go", "TestAbsoluteLimit"}, "O35": {"lab/laws/endings.go", "O35 logout is final"}, "O36": {"config_test.go", "O36 not cached"},
	"O40": {"lab/laws/owners.go", "O40 the status page"}, "O42": {"events_test.go", "TestEvents"}, "O44": {"events_test.go", "TestEvents"},
	"O45": {"events_test.go", "TestEvents"}, "O47": {"events_test.go", "TestEvents"}, "O48": {"lab/laws/owners.go", "O48 a login past"},
	"O49": {"lab/laws/owners.go", "O49 an owner sees"}, "O50": {"lab/laws/doors.go", "V16 what a client says of itself"},
	"O28": {"time_test.go", "TestAbsoluteLimit"},

	"V3.3.1": {"config_test.go", "V3.3 "}, "V3.3.2": {"config_test.go", "V3.3 "}, "V3.3.3": {"config_test.go", "V3.3 "}, "V3.3.4": {"config_test.go", "V3.3 "},
	"V3.3.5": {"lab/browser/cookies_test.go", "TestCookiesOf4096Bytes"}, "V7.1.1": {"inforce_test.go", "TestPolicyAsText"}, "V7.1.2": {"inforce_test.go", "TestPolicyAsText"},
	"V7.2.1": {"lab/laws/endings.go", "O6 the id alone"}, "V7.2.2": {"config_test.go", "O3 64 characters"}, "V7.2.3": {"config_test.go", "O3 64 characters"},
	"V7.2.4": {"lab/laws/renewals.go", "V7.2.4"}, "V7.3.1": {"time_test.go", "TestIdleLimit"}, "V7.3.2": {"time_test.go", "TestAbsoluteLimit"},
	"V7.4.1": {"lab/laws/endings.go", "V7.4.1"}, "V7.4.2": {"lab/laws/revocations.go", "V7.4.2"}, "V7.4.3": {"lab/laws/owners.go", "V7.4.3"},
	"V7.5.2": {"lab/laws/owners.go", "V7.5.2"}, "V9": {"sealed_test.go", "TestSealedElsewhere"}, "V11": {"sealed_test.go", "TestSealedRotation"},
	"V16": {"lab/laws/outages.go", "a store that is down never means"},

	"N2": {"lab/laws/owners.go", "N2 to be remembered"}, "N5": {"lab/laws/endings.go", "O29 N5"}, "N12": {"time_test.go", "TestCookieLifeFollowsTheSession"},
	"N15": {"lab/laws/renewals.go", "N15 activity"}, "N17": {"inforce_test.go", "TestPresets"},

	"C1": {"config_test.go", "testMistakes"}, "C2": {"config_test.go", "O3 64 characters"}, "C3": {"internal/carrier/outgoing_test.go", "TestSetCookieLines"},
	"C4": {"lab/laws/responses.go", "C4 one cookie"}, "C6": {"time_test.go", "TestAbsoluteLimit"}, "C8": {"lab/browser/cookies_test.go", "TestCookiesOf4096Bytes"},
	"C9": {"sealed_test.go", "TestSealedChunks"}, "C10": {"config_test.go", "C10"}, "C15": {"lab/laws/responses.go", "P4 1xx passes"}, "L1": {"config_test.go", "L1"},

	"O25": {"snippetbox/account_test.go", "TestOnlyAFreshLoginEndsSessions"}, "O37": {"snippetbox/account_test.go", "O37 private pages"},
	"O38": {"snippetbox/account_test.go", "O38 logging out"}, "O41": {"throttle/throttle_test.go", "TestGuessing"}, "O43": {"client_test.go", "TestClientChallenge"},
	"O46": {"snippetbox/admin_test.go", "TestAdministrator"}, "O51": {"client_test.go", "TestSameClient"},
	"O52": {"lab/laws/owners.go", "O25 V7.5.1"}, "V7.4.4": {"lab/browser/endings_test.go", "TestLogOutIsOnEveryPage"},
	"V7.4.5": {"lab/laws/everyone.go", "V7.4.5 RevokeEveryone"}, "V7.5.1": {"snippetbox/account_test.go", "TestOnlyAFreshLoginEndsSessions"},
	"V7.5.3": {"lab/laws/owners.go", "O25 V7.5.1"}, "N9": {"snippetbox/handlers_test.go", "TestFormOfAnotherSiteIsRefused"},
	"O34": {"dbsc/sessions_test.go", "TestAStolenPairDies"}, "O53": {"lab/browser/bound_test.go", "TestBoundCookiesDieElsewhere"},
	"D1": {"dbsc/proof_test.go", "TestD1ProofsAreTakenApart"}, "D2": {"dbsc/rules_test.go", "TestRule3OldNewAndStaleChallenges"},
	"D3": {"dbsc/rules_test.go", "TestRule3AStoreThatIsDownEndsNothing"}, "D4": {"dbsc/rules_test.go", "TestRule5AttributesAreThoseOfTheCookie"},
	"D5": {"dbsc/rules_test.go", "TestRule7TheHandlersAreForTheBrowserAlone"},
}

// What is called met is shown by a test that is there.
func TestWhatIsMetIsShown(t *testing.T) {
	if _, err := os.Stat("lab"); errors.Is(err, fs.ErrNotExist) {
		t.Skip("this is the root module alone, as the module cache has it")
	}
	for _, m := range managersOfEachKind(t) {
		for _, r := range m.Policy().Requirements {
			by, ok := shown[r.ID]
			if !ok {
				if r.Standing == sojourn.Met {
					t.Errorf("%s is called met, and nothing is named that shows it", r.ID)
				}
				continue
			}
			text, err := os.ReadFile(by[0])
			if err != nil {
				t.Error(err)
			} else if !strings.Contains(string(text), by[1]) {
				t.Errorf("%s: %s has no %q", r.ID, by[0], by[1])
			}
		}
	}
}
