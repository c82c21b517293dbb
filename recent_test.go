package sojourn

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

func TestRecentForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := recent[int]{age: time.Minute}
		for i := range 1000 {
			x.put(strconv.Itoa(i), i, nil)
			if i >= 60 {
				if _, ok := x.get(strconv.Itoa(i - 60)); !ok {
					t.Fatalf("%d is not found a minute later", i-60)
				}
			}
			if i >= 120 {
				if _, ok := x.get(strconv.Itoa(i - 120)); ok {
					t.Fatalf("%d is found two minutes later", i-120)
				}
			}
			if n := len(x.now) + len(x.before); n > 120 {
				t.Fatalf("%d entries are kept", n)
			}
			time.Sleep(time.Second)
		}
		time.Sleep(time.Hour)
		if _, ok := x.get("999"); ok {
			t.Error("found an hour later")
		}
	})
}

func TestRecentChooses(t *testing.T) {
	x := recent[uint64]{age: time.Minute}
	larger := func(a, b uint64) uint64 { return max(a, b) }
	x.put("bob", 5, larger)
	x.put("bob", 3, larger)
	if n, _ := x.get("bob"); n != 5 {
		t.Errorf("%d, want 5", n)
	}
}
