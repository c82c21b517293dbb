package model

import "fmt"

// A Plan is a whole schedule.
type Plan struct {
	Setup    Setup
	Requests []Request
	Steps    []Step // used up, it goes on without faults until all is over
}

// A Setup is where the sessions are and how many an owner may have.
type Setup struct {
	Keeper      Keeper
	MaxPerOwner int
	Domain      bool        // the cookie is the domain's, not the host's
	Encrypted   [hosts]bool // whether that host keeps values encrypted: one alone is a deployment under way
}

// A Keeper is who keeps the sessions.
type Keeper uint8

const (
	InStore     Keeper = iota
	Sealed             // by the clients, with fences in the store
	SealedAlone        // by the clients, without anything shared
	Visitors           // in the store, those of visitors who are not logged in by their clients
)

func (k Keeper) String() string {
	return [...]string{"in the store", "sealed, with revocations", "sealed, without revocations",
		"in the store, visitors sealed"}[k]
}

const (
	browsers = 3
	hosts    = 2
)

// owners are few, so that they meet.
var owners = [...]string{"alice", "bob"}

// A Request is one visit of a browser to a host.
type Request struct {
	Browser, Host int
	Safe          bool // GET: loads at first use
	CrossSite     bool // another site has sent it
	Thief         int  // when not 0: shows that token of all that were ever sent, counted from the last
	OldSeal       bool // the Thief counts seals alone
	Beside        bool // shows the next browser's cookie too
	Deadline      bool // the application gives it a second
	Do            []Verb
}

// A Verb is one thing that a handler does.
type Verb struct {
	Kind VerbKind
	Arg  int
}

type VerbKind uint8

const (
	Look VerbKind = iota
	Count
	Login
	Commit
	AppendNote
	RevokeAll
	PopNotes
	Put
	Logout
	Renew
	PutOnce
	Take
	Delete
	RevokeOthers
	Revoke
	List
	Valid
	Remember
	FirstByte
	SlowCount // the function given to Update waits
	RevokeEveryone
	PutLarge // more than a seal takes
	verbKinds
)

var verbNames = [verbKinds]string{"look", "count", "login", "commit", "append a note", "revoke all of", "pop the notes", "put",
	"logout", "renew", "put once", "take once", "delete", "revoke others", "revoke a session of", "list", "valid", "remember", "first byte", "count slowly", "revoke everyone", "put much"}

func (v Verb) String() string {
	switch v.Kind {
	case Login, RevokeAll, List, Revoke:
		return verbNames[v.Kind] + " " + v.owner()
	case Remember:
		return fmt.Sprintf("remember %t", v.Arg%2 == 0)
	}
	return verbNames[v.Kind]
}

// sealed reports whether clients keep all sessions.
func (k Keeper) sealed() bool { return k == Sealed || k == SealedAlone }

func (v Verb) owner() string { return owners[v.Arg%len(owners)] }

// A Step is one decision of the schedule. Its zero value lets the first that waits go on.
type Step struct {
	Kind StepKind
	Pick int
	Fate Fate
}

type StepKind uint8

const (
	Release StepKind = iota // one that waits goes on
	Start                   // the next request begins
	Pass                    // time passes
	Leave                   // a client goes
	Land                    // a write that was given up takes effect after all
	stepKinds
)

// A Fate is what becomes of a call at the store's door.
type Fate uint8

const (
	Answered Fate = iota
	Held          // done, but the answer is on its way
	Failed        // not done, and an error that tells nothing
	Lost          // done, and an error that tells nothing
	Late          // an error that tells nothing; it may be done later
	Conflict      // not done: another try may do
	Refused       // not done: another try will not do
	fates
)

var fateNames = [fates]string{"answered", "done, the answer is on its way", "failed", "done, the answer is lost", "given up, may land later", "conflict", "refused"}

func (f Fate) String() string { return fateNames[f] }
