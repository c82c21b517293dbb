package sojourn

import (
	"context"
	"iter"
	"time"
)

// A Record is one session as a store keeps it.
type Record struct {
	ID      string    // 24 characters of base64url
	Owner   string    // "" while anonymous; at most 255 bytes of UTF-8
	Expiry  time.Time // from then on the record is not there; kept to the millisecond or finer
	Seen    time.Time // last use; kept to the millisecond or finer
	Fence   uint64    // everybody's fence as of the beginning or the login, plus the owner's as of the login
	Version uint64    // 48 bits drawn by the manager at random for each attempt, never 0; a store only compares it
	Data    []byte    // opaque; neither side changes it once it is handed over
}

// A Store keeps records. It knows nothing of tokens, cookies or HTTP.
//
// A write has one of five outcomes, told apart by its error: applied (nil); a conflict (ErrConflict:
// nothing was applied, and another try may succeed); refused (an error that wraps ErrRefused or
// ErrTooLarge: nothing was applied, and the same call would fail again); not begun (an error that wraps
// ErrBusy: the context ended before anything was sent, and nothing will be applied); unknown (any other
// error: it may have been applied, or may yet be).
//
// What every store promises, by number; package storetest has a case for each and quotes it:
//
//  1. Load returns what the last successful Create, Update or Touch left: every field, Data byte for
//     byte, times to the millisecond.
//  2. An id that is unknown or malformed is ErrNotFound, whatever bytes it is made of. Every other
//     error means that the store could not answer.
//  3. Ids are compared byte by byte: another case, a trailing space, a prefix is another id.
//  4. Create never overwrites: an id that is taken is ErrConflict and the record there stays.
//  5. Update replaces the whole record if one is there at that version. If it is gone or at another
//     version, that is ErrConflict and nothing changes. Update never creates.
//  6. Of any number of Updates racing from one version, in any number of processes, one succeeds and
//     the others are ErrConflict. Losing a race, a deadlock or a lock timeout in which nothing was
//     applied is a conflict, never an outage.
//  7. Touch sets Expiry and Seen, and nothing else, if the record is there at r.Version;
//     otherwise it is ErrConflict. The version stays.
//  8. Delete removes the record at that version, or at any version if it is 0. If it is gone already
//     that is nil; if it is at another version that is ErrConflict and it stays.
//  9. From its Expiry on, by the clock of the caller's process, a record is not there: Load is
//     ErrNotFound, Update and Touch are ErrConflict, ListOwner passes over it, Delete is nil. Nothing
//     revives it.
//  10. A reader sees one whole record, as one write left it, never a mixture.
//  11. The store neither changes nor lends out memory: Data handed in may be kept, Data handed out
//     stays as it is when the record changes, and what is appended to it goes elsewhere.
//  12. A context that is done yields the outcome or an error that is neither ErrNotFound nor
//     ErrConflict. After such an error from a write, it has been applied whole or not at all.
//  13. Data of 60,000 bytes fits. What does not fit, and a time out of range, is an error before
//     anything is written (ErrTooLarge for Data); nothing is ever truncated.
//  14. Owners are compared byte by byte, and any UTF-8 of at most 255 bytes comes back as it was.
//  15. ListOwner yields the live records of that owner, and no other, in no given order. It holds
//     no connection and no lock while the body runs, which may call the store, even on a pool of
//     one connection; it stops when the body stops. An error comes last, with a zero Record. A
//     record that is there all the while is yielded once.
//  16. Fence is 0, of age 0, for an owner who was never revoked. RevokeOwner raises it to a larger number,
//     at least the milliseconds since 1970 by the store's own clock, commits that, and only then
//     deletes the owner's records but the one with id keep. It returns the new fence, also with an
//     error; 0 if it may not have been raised. Other owners are left alone. Fence answers also how long ago that was, by the store's own clock, to the
//     microsecond where it can; negative if that clock has been put back since. No clock of the
//     caller counts. Fences older than 400 days may be forgotten, by Sweep.
//  17. An owner of "" is an error for ListOwner, Fence and RevokeOwner, never an empty answer.
//  18. Sweep deletes at most limit records whose Expiry is before the given time, and none other; it
//     may leave young ones for a later call, and answers how many it deleted. Calling it until
//     it answers 0 takes away all that expired a day before.
//  19. All methods may be called at once from many goroutines.
//  20. What the medium refuses for good (it is read-only, or full; a right is missing; a value is out of
//     its range) is an error that wraps ErrRefused and the medium's own words, at once. Nothing
//     was applied. A passing state (a lost race, a lock, a restart) is not refused.
//  21. A call is over when its context is, whatever it was waiting for: a connection, a lock, a reply. What
//     it gave up does not go on holding a lock or a connection of the medium.
//  22. ListAll yields the live records of everybody, with and without owner, as ListOwner does those
//     of one; but one that the medium moves meanwhile may come twice. Count is how many records are
//     kept, about: some that have expired may be among them, none that lives is left out.
//  23. EveryoneFence is 0, of age 0, until the first RaiseEveryone. RaiseEveryone raises it to a larger
//     multiple of EveryoneStep, at least EveryoneStep times the hours since 1970 by the store's own
//     clock, commits that, and answers it. EveryoneFence answers it with its age, as Fence does, or what was so at
//     most EveryoneLease ago, by no clock but that of the caller's process. No owner's fence moves.
//  24. DeleteBelow deletes every record whose Fence is lower than the given one, and none other, with
//     and without owner. It yields how many it has deleted, batch by batch, and holds no connection and no lock
//     while the body runs. It stops when the body stops. An error comes last. What is written meanwhile may be left.
//
// One call is one exchange where the medium allows it.
type Store interface {
	Load(ctx context.Context, id string) (Record, error)         // ErrNotFound
	Create(ctx context.Context, r Record) error                  // ErrConflict: id taken
	Update(ctx context.Context, r Record, version uint64) error  // ErrConflict: gone, or not at version
	Touch(ctx context.Context, r Record) error                   // ErrConflict: gone, or not at r.Version
	Delete(ctx context.Context, id string, version uint64) error // nil if gone; ErrConflict if at another version
}

// The interfaces below are optional. A method may return [errors.ErrUnsupported], wrapped with what to do about
// it, so that a store that wraps another store can have them all.

// An OwnerIndex finds and ends the sessions of one owner. Its cost grows with the sessions of that
// owner, not with those of the store.
type OwnerIndex interface {
	ListOwner(ctx context.Context, owner string) iter.Seq2[Record, error]
	Fence(ctx context.Context, owner string) (fence uint64, age time.Duration, err error)
	RevokeOwner(ctx context.Context, owner, keep string) (uint64, error)
}

// An EveryoneRevoker ends the sessions of everybody: those with an owner and those without. The manager takes a record
// whose Fence is lower than EveryoneFence for one that is not there, asks at each load, and stamps what begins.
type EveryoneRevoker interface {
	EveryoneFence(ctx context.Context) (fence uint64, age time.Duration, err error)
	RaiseEveryone(ctx context.Context) (fence uint64, err error)
	DeleteBelow(ctx context.Context, fence uint64) iter.Seq2[int, error]
}

// A Sweeper deletes expired records. It never decides what is expired for a reader: a record is dead from its
// Expiry on, whether or not it has been swept.
type Sweeper interface {
	Sweep(ctx context.Context, before time.Time, limit int) (deleted int, err error)
}

// A Lister yields the records of everybody, for administrators. Its cost grows with the store.
type Lister interface {
	ListAll(ctx context.Context) iter.Seq2[Record, error]
	Count(ctx context.Context) (int, error)
}

// A Checker says whether the store is fit for use: schema, types, clock, settings. The error names
// everything that is wrong and what to do.
type Checker interface {
	Check(ctx context.Context) error
}

// A Local store answers from the memory of this process and waits for nothing. Config.StoreTimeout does not
// apply to it.
type Local interface {
	Local() bool
}

// A Near store keeps copies of records in this process. A copy is used only to say that a session is there, and
// only for a safe method (RFC 9110, 9.2.1) that loads at first use. For anything else the store itself is
// asked, also by Valid, RequireFresh, StatusHandler and RevokeOthers. Each save compares versions there.
type Near interface {
	// LoadNear is Load, but may return a copy. copied says that it has.
	LoadNear(ctx context.Context, id string) (r Record, copied bool, err error)
}
