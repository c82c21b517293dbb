package sojourn

import (
	"testing"
	"time"
)

// What a save tells those that it took along is not what its own request goes on to change: one that read it
// late would be given whatever session that request is in by then, logged in or ended.
func TestSharedOutcomeIsNobodysSession(t *testing.T) {
	k := &storeKeeper{m: new(Manager)}
	k.m.cfg.IdleTimeout, k.m.cfg.Lifetime = time.Hour, time.Hour
	var one, two session
	now := time.Now()
	one.m, two.m = k.m, k.m
	one.base.ID, one.base.Seen, one.base.Expiry = "id", now, now.Add(time.Hour)
	two.base = one.base
	head, other := &turn{k: k, id: "id"}, new(save)
	head.own.begin(&one, nil, nil, false)
	other.begin(&two, nil, nil, false)
	if _, done := k.await(nil, "id", &head.own); done != nil {
		t.Fatal("the first is not the head")
	}
	k.saves.Enter("id", &other.turn)

	head.run(nil) // nobody knows more than it has loaded, and there is nothing to change

	n, _ := k.saves.Wait("id", &other.turn, nil)
	if n.done == nil || n.done.err != nil || n.done.base == nil {
		t.Fatalf("the other was told %+v", n)
	}
	one.base = stored{} // as at a Logout
	if n.done.base.ID != "id" {
		t.Error("the other was handed the session of the request that took it along")
	}
}
