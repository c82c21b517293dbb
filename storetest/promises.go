package storetest

// promises are those in the comment of sojourn.Store, by number and word for word: a test here reads
// both. The first is the comment of sojourn.Checker.
var promises = [...]string{
	0:  `A Checker says whether the store is fit for use: schema, types, clock, settings. The error names everything that is wrong and what to do.`,
	1:  `Load returns what the last successful Create, Update or Touch left: every field, Data byte for byte, times to the millisecond.`,
	2:  `An id that is unknown or malformed is ErrNotFound, whatever bytes it is made of. Every other error means that the store could not answer.`,
	3:  `Ids are compared byte by byte: another case, a trailing space, a prefix is another id.`,
	4:  `Create never overwrites: an id that is taken is ErrConflict and the record there stays.`,
	5:  `Update replaces the whole record if one is there at that version. If it is gone or at another version, that is ErrConflict and nothing changes. Update never creates.`,
	6:  `Of any number of Updates racing from one version, in any number of processes, one succeeds and the others are ErrConflict. Losing a race, a deadlock or a lock timeout in which nothing was applied is a conflict, never an outage.`,
	7:  `Touch sets Expiry and Seen, and nothing else, if the record is there at r.Version; otherwise it is ErrConflict. The version stays.`,
	8:  `Delete removes the record at that version, or at any version if it is 0. If it is gone already that is nil; if it is at another version that is ErrConflict and it stays.`,
	9:  `From its Expiry on, by the clock of the caller's process, a record is not there: Load is ErrNotFound, Update and Touch are ErrConflict, ListOwner passes over it, Delete is nil. Nothing revives it.`,
	10: `A reader sees one whole record, as one write left it, never a mixture.`,
	11: `The store neither changes nor lends out memory: Data handed in may be kept, Data handed out stays as it is when the record changes, and what is appended to it goes elsewhere.`,
	12: `A context that is done yields the outcome or an error that is neither ErrNotFound nor ErrConflict. After such an error from a write, it has been applied whole or not at all.`,
	13: `Data of 60,000 bytes fits. What does not fit, and a time out of range, is an error before anything is written (ErrTooLarge for Data); nothing is ever truncated.`,
	14: `Owners are compared byte by byte, and any UTF-8 of at most 255 bytes comes back as it was.`,
	15: `ListOwner yields the live records of that owner, and no other, in no given order. It holds no connection and no lock while the body runs, which may call the store, even on a pool of one connection; it stops when the body stops. An error comes last, with a zero Record. A record that is there all the while is yielded once.`,
	16: `Fence is 0, of age 0, for an owner who was never revoked. RevokeOwner raises it to a larger number, at least the milliseconds since 1970 by the store's own clock, commits that, and only then deletes the owner's records but the one with id keep. It returns the new fence, also with an error; 0 if it may not have been raised. Other owners are left alone. Fence answers also how long ago that was, by the store's own clock, to the microsecond where it can; negative if that clock has been put back since. No clock of the caller counts. Fences older than 400 days may be forgotten, by Sweep.`,
	17: `An owner of "" is an error for ListOwner, Fence and RevokeOwner, never an empty answer.`,
	18: `Sweep deletes at most limit records whose Expiry is before the given time, and none other; it may leave young ones for a later call, and answers how many it deleted. Calling it until it answers 0 takes away all that expired a day before.`,
	19: `All methods may be called at once from many goroutines.`,
	20: `What the medium refuses for good (it is read-only, or full; a right is missing; a value is out of its range) is an error that wraps ErrRefused and the medium's own words, at once. Nothing was applied. A passing state (a lost race, a lock, a restart) is not refused.`,
	21: `A call is over when its context is, whatever it was waiting for: a connection, a lock, a reply. What it gave up does not go on holding a lock or a connection of the medium.`,
	22: `ListAll yields the live records of everybody, with and without owner, as ListOwner does those of one; but one that the medium moves meanwhile may come twice. Count is how many records are kept, about: some that have expired may be among them, none that lives is left out.`,
	23: `EveryoneFence is 0, of age 0, until the first RaiseEveryone. RaiseEveryone raises it to a larger multiple of EveryoneStep, at least EveryoneStep times the hours since 1970 by the store's own clock, commits that, and answers it. EveryoneFence answers it with its age, as Fence does, or what was so at most EveryoneLease ago, by no clock but that of the caller's process. No owner's fence moves.`,
	24: `DeleteBelow deletes every record whose Fence is lower than the given one, and none other, with and without owner. It yields how many it has deleted, batch by batch, and holds no connection and no lock while the body runs. It stops when the body stops. An error comes last. What is written meanwhile may be left.`,
}
