package queue

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

type entry = Entry[int, string]

func newEntry(v int) *entry { return &entry{Value: v, Ends: time.Now().Add(time.Second)} }

// line enters n entries behind a head, and answers both.
func line(t *testing.T, q *Queue[int, string], n int) (head *entry, behind []*entry) {
	t.Helper()
	head = newEntry(0)
	if !q.Enter("id", head) {
		t.Fatal("the first is not the head")
	}
	for i := range n {
		e := newEntry(i + 1)
		if q.Enter("id", e) {
			t.Fatal("two heads")
		}
		behind = append(behind, e)
	}
	return head, behind
}

var never = make(chan struct{})

func over() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

func TestOtherIdsHaveQueuesOfTheirOwn(t *testing.T) {
	var q Queue[int, string]
	if !q.Enter("a", newEntry(1)) || !q.Enter("b", newEntry(2)) {
		t.Error("one waits for another session")
	}
}

func TestTheHeadIsHandedOnInOrder(t *testing.T) {
	var q Queue[int, string]
	head, behind := line(t, &q, 3)
	for _, e := range behind {
		q.Leave("id", head, "known")
		if m, turn := q.Wait("id", e, never); turn != Head || m != "known" {
			t.Fatalf("entry %d: %v, %q", e.Value, turn, m)
		}
		head = e
	}
	q.Leave("id", head, "")
	if n := q.Len(); n != 0 {
		t.Errorf("%d are left", n)
	}
	if !q.Enter("id", newEntry(9)) {
		t.Error("the line is empty, and its first is not the head")
	}
}

func TestTakeOnlyWhatCanShare(t *testing.T) {
	var q Queue[int, string]
	head, behind := line(t, &q, 3)
	behind[1].Alone = true
	if e := q.Take("id", head); e != behind[0] {
		t.Fatalf("took %v", e)
	}
	if e := q.Take("id", head); e != nil {
		t.Errorf("took entry %d, which writes alone", e.Value)
	}
	sooner := newEntry(0)
	sooner.Ends = head.Ends.Add(-time.Millisecond)
	q.Enter("other", newEntry(1))
	q.Enter("other", sooner)
	if e := q.Take("other", q.shard("other").heads["other"]); e != nil {
		t.Error("took one whose time is over before the head's")
	}
}

func TestWhoIsTakenIsTold(t *testing.T) {
	var q Queue[int, string]
	head, behind := line(t, &q, 2)
	q.Take("id", head)
	q.Tell("id", behind[0], "first")
	q.Tell("id", behind[0], "second") // what was not read is replaced
	if m, turn := q.Wait("id", behind[0], over()); turn != Told || m != "second" {
		t.Errorf("%v, %q; what was said counts, even if time is over", turn, m)
	}
	q.Leave("id", head, "")
	if _, turn := q.Wait("id", behind[1], never); turn != Head {
		t.Errorf("the one behind: %v", turn)
	}
}

// Entries that were taken and returned stand before the others, in their order, and write alone. What
// they were told before is void.
func TestReturn(t *testing.T) {
	var q Queue[int, string]
	head, behind := line(t, &q, 4)
	a, b := q.Take("id", head), q.Take("id", head)
	q.Tell("id", a, "apply")
	q.Return("id", head, a, b)
	if q.Take("id", head) != nil {
		t.Error("took one that is to write alone")
	}
	for _, e := range []*entry{a, b, behind[2], behind[3]} {
		q.Leave("id", head, "now")
		if m, turn := q.Wait("id", e, never); turn != Head || m != "now" {
			t.Fatalf("entry %d: %v, %q", e.Value, turn, m)
		}
		head = e
	}
}

func TestWhoseTimeIsOverLeaves(t *testing.T) {
	for gone := range 3 {
		var q Queue[int, string]
		head, behind := line(t, &q, 3)
		if _, turn := q.Wait("id", behind[gone], over()); turn != Over {
			t.Fatalf("entry %d: %v", gone, turn)
		}
		for i, e := range behind {
			if i == gone {
				continue
			}
			q.Leave("id", head, "")
			if _, turn := q.Wait("id", e, never); turn != Head {
				t.Fatalf("without %d, entry %d: %v", gone, i, turn)
			}
			head = e
		}
		q.Leave("id", head, "")
		if n := q.Len(); n != 0 {
			t.Errorf("%d are left", n)
		}
	}
}

func TestWhoLeavesAWriteIsNotReturned(t *testing.T) {
	var q Queue[int, string]
	head, behind := line(t, &q, 1)
	q.Take("id", head)
	if _, turn := q.Wait("id", behind[0], over()); turn != Lost {
		t.Fatalf("%v", turn)
	}
	q.Return("id", head, behind[0])
	q.Tell("id", behind[0], "nobody hears it")
	q.Leave("id", head, "")
	if n := q.Len(); n != 0 {
		t.Errorf("%d are left", n)
	}
}

// One that becomes the head as its time is over is the head: somebody has to hand on.
func TestAHeadWhoseTimeIsOverIsTheHead(t *testing.T) {
	var q Queue[int, string]
	head, behind := line(t, &q, 1)
	q.Leave("id", head, "")
	if _, turn := q.Wait("id", behind[0], over()); turn != Head {
		t.Errorf("%v", turn)
	}
}

// 16,000 waiters at one deadline: each leaves without looking at the others, and the ids in between go on.
func TestManyLeaveAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q Queue[int, string]
		head, behind := line(t, &q, 16_000)
		deadline := make(chan struct{})
		var wg sync.WaitGroup
		for _, e := range behind {
			wg.Go(func() {
				if _, turn := q.Wait("id", e, deadline); turn != Over {
					t.Errorf("entry %d: %v", e.Value, turn)
				}
			})
		}
		synctest.Wait()
		close(deadline)
		wg.Wait()
		q.Leave("id", head, "")
		if n := q.Len(); n != 0 {
			t.Errorf("%d are left", n)
		}
	})
}

// From many goroutines, with heads that take, return, tell and leave at will: nobody is forgotten, and
// there is one head at a time.
func TestNobodyIsForgotten(t *testing.T) {
	var q Queue[int, string]
	var heads, written sync.Map
	var wg sync.WaitGroup
	for i := range 400 {
		wg.Go(func() {
			e := newEntry(i)
			e.Alone = i%7 == 0
			head := q.Enter("id", e)
			for !head {
				m, turn := q.Wait("id", e, never)
				if head = turn == Head; !head && m == "done" {
					return
				}
			}
			if other, busy := heads.LoadOrStore("id", i); busy {
				t.Errorf("%d and %v are both at the head", i, other)
			}
			var taken []*entry
			for !e.Alone && len(taken) < 5 {
				x := q.Take("id", e)
				if x == nil {
					break
				}
				taken = append(taken, x)
			}
			if i%5 == 0 {
				q.Return("id", e, taken...)
				taken = nil
			}
			for _, x := range append(taken, e) {
				if _, twice := written.LoadOrStore(x.Value, true); twice {
					t.Errorf("%d was written twice", x.Value)
				}
			}
			for _, x := range taken {
				q.Tell("id", x, "apply")
				q.Tell("id", x, "done")
			}
			heads.Delete("id")
			q.Leave("id", e, "")
		})
	}
	wg.Wait()
	n := 0
	written.Range(func(any, any) bool { n++; return true })
	if n != 400 || q.Len() != 0 {
		t.Errorf("%d of 400 were written, %d wait", n, q.Len())
	}
}

// Leaving costs the same whoever else waits.
func BenchmarkLeave(b *testing.B) {
	var q Queue[int, string]
	q.Enter("id", newEntry(0))
	for i := range 10_000 {
		q.Enter("id", newEntry(i))
	}
	done := over()
	for b.Loop() {
		e := newEntry(1)
		q.Enter("id", e)
		q.Wait("id", e, done)
	}
}
