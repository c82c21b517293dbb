// Package storetest checks that a store keeps what [sojourn.Store] promises. It is for everybody who
// writes one:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) sojourn.Store { return mystore.New(…) })
//	}
//
// Each subtest is named after the promise it holds the store to, so that
//
//	go test -run 'TestStore/05'
//
// runs what promise 5 says, and a failure quotes it. Run it with -race too: of promise 19 the race
// detector sees more than any case can.
package storetest

import (
	"fmt"
	"testing"

	"github.com/gosojourn/sojourn"
)

// Run holds stores to the promises, one subtest each or several. It calls open once per subtest; the
// stores may share their data, with each other and with anybody, because ids and owners are random.
// What open needs undone it leaves to t.Cleanup.
//
// The optional interfaces are found by assertion. A case whose method is not there, or answers
// errors.ErrUnsupported, is skipped with a line that says so.
//
// Nothing here sleeps: what has expired was given an Expiry in the past.
func Run(t *testing.T, open func(t *testing.T) sojourn.Store) {
	for _, c := range cases {
		t.Run(c.String(), func(t *testing.T) {
			c.run(newTester(t, c.promise, open(t)))
		})
	}
}

// A testCase holds a store to one promise, or a side of it. Promise 0 is what Checker says.
type testCase struct {
	promise int
	name    string
	run     func(t *tester)
}

func (c testCase) String() string { return fmt.Sprintf("%02d_%s", c.promise, c.name) }

var cases = []testCase{
	{0, "a_fit_store_says_so", fitStoreSaysSo},
	{1, "load_returns_what_was_written", loadReturnsWhatWasWritten},
	{2, "unknown_ids_are_not_found", unknownIDsAreNotFound},
	{2, "malformed_ids_are_not_found", malformedIDsAreNotFound},
	{3, "ids_are_compared_byte_by_byte", idsAreComparedByteByByte},
	{4, "create_never_overwrites", createNeverOverwrites},
	{4, "one_of_many_creates_wins", oneOfManyCreatesWins},
	{5, "update_is_compare_and_swap", updateIsCompareAndSwap},
	{5, "update_never_creates", updateNeverCreates},
	{6, "one_of_many_updates_wins", oneOfManyUpdatesWins},
	{6, "contention_is_no_outage", contentionIsNoOutage},
	{7, "touch_sets_expiry_and_seen", touchSetsExpiryAndSeen},
	{7, "touch_needs_the_version", touchNeedsTheVersion},
	{7, "touch_gives_way_to_an_update", touchGivesWayToAnUpdate},
	{8, "delete_needs_the_version", deleteNeedsTheVersion},
	{8, "delete_or_update_wins", deleteOrUpdateWins},
	{9, "expired_is_not_there", expiredIsNotThere},
	{9, "expired_is_not_listed", expiredIsNotListed},
	{10, "a_reader_sees_one_whole_record", readerSeesOneWholeRecord},
	{11, "memory_is_neither_changed_nor_lent", memoryIsNeitherChangedNorLent},
	{12, "a_done_context_is_no_answer", doneContextIsNoAnswer},
	{12, "a_write_cut_short_is_whole_or_not_at_all", writeCutShortIsWholeOrNotAtAll},
	{13, "large_data_fits_or_is_refused", largeDataFitsOrIsRefused},
	{13, "times_fit_or_are_refused", timesFitOrAreRefused},
	{14, "owners_come_back_as_they_were", ownersComeBackAsTheyWere},
	{14, "owners_are_compared_byte_by_byte", ownersAreComparedByteByByte},
	{15, "list_yields_the_records_of_one_owner", listYieldsTheRecordsOfOneOwner},
	{15, "a_record_is_listed_under_its_present_owner", recordIsListedUnderItsPresentOwner},
	{15, "the_body_may_call_the_store", bodyMayCallTheStore},
	{15, "list_stops_when_the_body_stops", listStopsWhenTheBodyStops},
	{15, "an_error_comes_last", errorComesLast},
	{15, "a_long_list_yields_each_record_once", longListYieldsEachRecordOnce},
	{16, "a_fence_rises_with_each_revocation", fenceRisesWithEachRevocation},
	{16, "revoking_deletes_all_but_keep", revokingDeletesAllButKeep},
	{16, "the_fence_rises_before_anything_is_deleted", fenceRisesBeforeAnythingIsDeleted},
	{16, "no_login_outlives_a_revocation", noLoginOutlivesARevocation},
	{17, "no_owner_is_an_error", noOwnerIsAnError},
	{18, "sweep_takes_what_has_expired", sweepTakesWhatHasExpired},
	{18, "sweep_heeds_its_limit", sweepHeedsItsLimit},
	{19, "everything_at_once", everythingAtOnce},
}
