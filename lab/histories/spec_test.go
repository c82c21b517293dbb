package histories

import (
	"testing"
	"time"
)

// op is one of a history that is written by hand, from call to return in seconds.
func op(client, process int, call, ret float64, d Deed, a Answer) Op {
	if a.Outcome == "" {
		a.Outcome = Done
	}
	return Op{Client: client, Process: process, Deed: d, Answer: a, Call: int64(call * 1e9), Return: int64(ret * 1e9)}
}

func token(o Op, shown, sent string) Op {
	o.Shown, o.Sent = shown, sent
	return o
}

// What the referee says of histories that tell what a law promises, and of their neighbours that break it.
func TestTheRefereeKnowsTheLaws(t *testing.T) {
	add, look, ask := Deed{Do: "add"}, Deed{Do: "count", Safe: true}, Deed{Do: "count"}
	says := func(s string) Answer { return Answer{Text: s} }
	ann, nobody := Answer{Owner: "ann"}, Answer{}
	login, who := Deed{Do: "login", Whom: "ann"}, Deed{Do: "who", Safe: true}
	const a1, a2, b1 = "aaaaaaaaaaaaaaaaaaaaaaaa1111111111111111111111111111111111111111", "aaaaaaaaaaaaaaaaaaaaaaaa2222222222222222222222222222222222222222", "bbbbbbbbbbbbbbbbbbbbbbbb1111111111111111111111111111111111111111"
	revoke := Deed{Do: "revoke", Whom: "ann"}
	begun := token(op(0, 0, 0, 1, login, ann), "", a1)
	visitor := token(op(0, 0, 0, 1, Deed{Do: "mark", Value: "k"}, Answer{Mark: "k"}), "", a1)
	for _, c := range []struct {
		what string
		spec *Spec
		near time.Duration
		ops  []Op
		want bool
	}{
		{"each add counts", &Counter, 0, []Op{op(0, 0, 0, 2, add, nobody), op(1, 0, 1, 3, add, nobody), op(0, 0, 4, 5, ask, says("2"))}, true},
		{"an add is lost", &Counter, 0, []Op{op(0, 0, 0, 2, add, nobody), op(1, 0, 1, 3, add, nobody), op(0, 0, 4, 5, ask, says("1"))}, false},
		{"an unknown one lands late", &Counter, 0, []Op{op(0, 0, 0, 1, add, Answer{Outcome: Unknown}), op(0, 0, 2, 3, ask, says("0")), op(0, 0, 4, 5, ask, says("1"))}, true},
		{"an unknown one counts twice", &Counter, 0, []Op{op(0, 0, 0, 1, add, Answer{Outcome: Unknown}), op(0, 0, 2, 3, ask, says("2"))}, false},
		{"one without effect has one", &Counter, 0, []Op{op(0, 0, 0, 1, add, Answer{Outcome: None}), op(0, 0, 2, 3, ask, says("1"))}, false},
		{"a session ended that nobody ended", &Counter, 0, []Op{op(0, 0, 0, 1, add, Answer{Outcome: Ended})}, false},

		{"a copy is 1.9 s old", &Counter, 2 * time.Second, []Op{op(0, 0, 0, 1, add, nobody), op(1, 1, 2.9, 3, look, says("0"))}, true},
		{"a copy is 2.1 s old", &Counter, 2 * time.Second, []Op{op(0, 0, 0, 1, add, nobody), op(1, 1, 3.1, 3.2, look, says("0"))}, false},
		{"an unsafe request is answered from a copy", &Counter, 2 * time.Second, []Op{op(0, 0, 0, 1, add, nobody), op(1, 1, 1.5, 2, ask, says("0"))}, false},
		{"a process believes a copy of what it has changed", &Counter, 2 * time.Second, []Op{op(0, 1, 0, 1, add, nobody), op(1, 1, 1.5, 2, look, says("0"))}, false},
		{"there are no copies", &Counter, 0, []Op{op(0, 0, 0, 1, add, nobody), op(1, 1, 1.5, 2, look, says("0"))}, false},

		{"a message is taken twice", &Flashes, 0, []Op{op(0, 0, 0, 1, Deed{Do: "append", Value: "m"}, nobody), op(0, 0, 2, 4, Deed{Do: "take"}, says("m")), op(1, 0, 2, 4, Deed{Do: "take"}, says("m"))}, false},
		{"a message is taken once", &Flashes, 0, []Op{op(0, 0, 0, 1, Deed{Do: "append", Value: "m"}, nobody), op(0, 0, 2, 4, Deed{Do: "take"}, says("m")), op(1, 0, 2, 4, Deed{Do: "take"}, nobody)}, true},
		{"both keys are put at once", &Register, 0, []Op{op(0, 0, 0, 3, Deed{Do: "both", Value: "v"}, nobody), op(1, 0, 1, 2, Deed{Do: "read"}, says("v,"))}, false},

		{"the new token is good", &Logins, 0, []Op{begun, token(op(0, 0, 2, 3, who, ann), a1, "")}, true},
		{"a login did not log in", &Logins, 0, []Op{begun, token(op(0, 0, 2, 3, who, nobody), a1, "")}, false},
		{"the old token is good", &Logins, 0, []Op{begun, token(op(0, 0, 2, 3, login, ann), a1, a2), token(op(0, 0, 4, 5, who, ann), a1, "")}, false},
		{"a logout ends it", &Logins, 0, []Op{begun, token(op(0, 0, 2, 3, Deed{Do: "logout"}, nobody), a1, ""), token(op(0, 0, 4, 5, who, nobody), a1, "")}, true},
		{"it comes back after a logout", &Logins, 0, []Op{begun, token(op(0, 0, 2, 4, Deed{Do: "logout"}, nobody), a1, ""), token(op(1, 0, 3, 6, Deed{Do: "mark", Value: "k"}, ann), a1, ""), token(op(1, 0, 7, 8, who, Answer{Owner: "ann", Mark: "k"}), a1, "")}, false},
		{"a copy says yes after a logout", &Logins, 2 * time.Second, []Op{begun, token(op(0, 0, 2, 3, Deed{Do: "logout"}, nobody), a1, ""), token(op(1, 1, 4, 5, who, ann), a1, "")}, true},
		{"a copy says no before a login", &Logins, 2 * time.Second, []Op{begun, token(op(1, 1, 2, 2.5, who, nobody), a1, "")}, false},
		{"a revocation passes one by", &Logins, 0, []Op{begun, op(1, 0, 2, 3, Deed{Do: "revoke", Whom: "ann"}, nobody), token(op(0, 0, 4, 5, who, ann), a1, "")}, false},
		{"others end, one's own stays", &Logins, 0, []Op{begun, token(op(1, 0, 0, 1, login, ann), "", b1), token(op(1, 0, 2, 3, Deed{Do: "others"}, ann), b1, ""), token(op(1, 0, 4, 5, who, ann), b1, ""), token(op(0, 0, 4, 5, who, nobody), a1, "")}, true},
		{"a login leaves its session for no reason", &Logins, 0, []Op{visitor, token(op(0, 0, 2, 4, login, ann), a1, b1)}, false},
		{"a login leaves its session beside a revocation that nobody knows of", &Logins, 0, []Op{visitor, op(1, 0, 1.4, 1.5, revoke, Answer{Outcome: Unknown}), token(op(0, 0, 2, 4, login, ann), a1, b1)}, true},
		{"a login leaves its session beside a revocation of somebody else", &Logins, 0, []Op{visitor, op(1, 0, 3, 5, Deed{Do: "revoke", Whom: "bob"}, nobody), token(op(0, 0, 2, 4, login, ann), a1, b1)}, false},
		{"a login leaves its session, which goes on", &Logins, 0, []Op{visitor, op(1, 0, 3, 5, revoke, nobody), token(op(0, 0, 2, 4, login, ann), a1, b1), token(op(0, 0, 6, 7, who, Answer{Mark: "k"}), a1, "")}, false},
		{"a login is refused for no reason", &Logins, 0, []Op{op(0, 0, 0, 1, login, Answer{Outcome: Revoked})}, false},
		{"a login is refused beside a revocation", &Logins, 0, []Op{op(0, 0, 0, 2, login, Answer{Outcome: Revoked}), op(1, 0, 1, 3, Deed{Do: "revoke", Whom: "ann"}, nobody)}, true},
	} {
		if v := c.spec.Judge(c.ops, c.near); v.Refused() == c.want {
			t.Errorf("%s: %s:\n%s", c.what, v, Print(c.ops))
		}
	}
}
