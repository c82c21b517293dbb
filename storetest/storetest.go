// Package storetest checks that a store keeps the promises of [sojourn.Store]. It is for everybody who
// writes a store:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) sojourn.Store { return mystore.New(…) })
//	}
//
// Each subtest is named after its promise, so that
//
//	go test -run 'TestStore/05'
//
// runs the cases of promise 5. A failure quotes the promise. Run the tests with -race too: the race detector
// finds violations of promise 19 that no case can. docs/writing-a-store.md says more.
package storetest

import (
	"context"
	"fmt"
	"testing"

	"github.com/gosojourn/sojourn"
)

// Run holds stores to the promises, each in one subtest or several. It calls open once for each subtest. The
// stores may share their data with each other and with anybody, because ids and owners are random; but the cases of
// promises 23 and 24 end the sessions that a manager keeps there, and delete records without a fence. If open
// needs anything undone, it uses t.Cleanup.
//
// Run finds the optional interfaces by type assertion. It skips a case whose method is not there or returns
// [errors.ErrUnsupported], with a line that says so.
//
// Run never sleeps: for what has expired it sets an Expiry in the past. It skips what needs a medium that
// fails; RunFaults does that.
func Run(t *testing.T, open func(t *testing.T) sojourn.Store) {
	for _, c := range cases {
		t.Run(c.String(), func(t *testing.T) {
			c.run(newTester(t, c.promise, open(t), Medium{}))
		})
	}
}

// A Medium is what a store stands on, such as a database, under the control of its test. Each function may
// be nil; the cases that need it are then skipped.
type Medium struct {
	// Refuse makes the medium refuse writes for good, because it is read-only, full or without a right,
	// until undo is called.
	Refuse func() (undo func())

	// Stall makes every write wait, as a lock or a silent server does, until undo is called. Reads may go
	// on.
	Stall func() (undo func())

	// Idle waits, while the medium is stalled, until no call that was given up still holds a lock or a
	// connection of it. It returns an error if one still does when ctx ends.
	Idle func(ctx context.Context) error
}

// RunFaults holds stores to promises 20 and 21 on a medium that fails on command. It calls open once for
// each subtest. What Refuse and Stall do should disturb nobody else.
func RunFaults(t *testing.T, open func(t *testing.T) (sojourn.Store, Medium)) {
	for _, c := range cases {
		if c.promise == 20 || c.promise == 21 {
			t.Run(c.String(), func(t *testing.T) {
				store, medium := open(t)
				c.run(newTester(t, c.promise, store, medium))
			})
		}
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
	{1, "a_record_is_there_until_its_expiry", recordIsThereUntilItsExpiry},
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
	{11, "what_is_appended_goes_elsewhere", whatIsAppendedGoesElsewhere},
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
	{16, "a_fence_tells_its_age", fenceTellsItsAge},
	{16, "a_young_fence_outlives_a_sweep", youngFenceOutlivesASweep},
	{16, "revoking_deletes_all_but_keep", revokingDeletesAllButKeep},
	{16, "the_fence_rises_before_anything_is_deleted", fenceRisesBeforeAnythingIsDeleted},
	{16, "a_revocation_cut_short_leaves_a_fence", revocationCutShortLeavesAFence},
	{16, "revoking_leaves_what_has_become_anothers", revokingLeavesWhatHasBecomeAnothers},
	{16, "a_login_midway_of_a_revocation", loginMidwayOfARevocation},
	{16, "no_login_outlives_a_revocation", noLoginOutlivesARevocation},
	{17, "no_owner_is_an_error", noOwnerIsAnError},
	{18, "sweep_takes_what_has_expired", sweepTakesWhatHasExpired},
	{18, "sweep_heeds_its_limit", sweepHeedsItsLimit},
	{18, "sweep_counts_what_it_takes", sweepCountsWhatItTakes},
	{19, "everything_at_once", everythingAtOnce},
	{20, "what_does_not_fit_is_refused", whatDoesNotFitIsRefused},
	{20, "a_medium_that_refuses_is_quoted", mediumThatRefusesIsQuoted},
	{21, "a_done_context_ends_a_call_at_once", doneContextEndsACallAtOnce},
	{21, "a_listing_ends_with_its_context", listingEndsWithItsContext},
	{21, "a_stalled_call_ends_with_its_context", stalledCallEndsWithItsContext},
	{22, "everybody_is_listed_and_counted", everybodyIsListedAndCounted},
	{22, "the_body_of_a_listing_may_end_what_it_lists", bodyMayEndWhatItLists},
	{23, "the_fence_of_everybody_only_rises", everyoneFenceOnlyRises},
	{24, "what_is_below_a_fence_is_deleted", everyoneBelowIsDeleted},
}
