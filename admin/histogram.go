package admin

import (
	"math/bits"
	"time"
)

// A histogram counts times in classes that grow with the times: each power of two of microseconds has four, so what it
// says of one is at most a quarter too much.
type histogram struct {
	classes [classes]uint32
	n       int
}

const classes = 4 * 26 // up to two minutes; what takes longer is in the last

func classOf(d time.Duration) int {
	us := uint64(max(d.Microseconds(), 0))
	if us < 4 {
		return int(us)
	}
	power := bits.Len64(us) - 1
	return min(4*(power-1)+int(us>>(power-2)&3), classes-1)
}

// endOf is the least time that is beyond the class.
func endOf(class int) time.Duration {
	class++
	if class < 4 {
		return time.Duration(class) * time.Microsecond
	}
	return time.Duration((4+class%4)<<(class/4-1)) * time.Microsecond
}

func (h *histogram) add(d time.Duration) {
	h.classes[classOf(d)]++
	h.n++
}

func (h *histogram) merge(o *histogram) {
	for i, n := range o.classes {
		h.classes[i] += n
	}
	h.n += o.n
}

// within is the time that so many of a hundred did not exceed; 0 of none.
func (h *histogram) within(percent int) time.Duration {
	if h.n == 0 {
		return 0
	}
	rank, sum := (h.n*percent+99)/100, 0
	for class, n := range h.classes {
		if sum += int(n); sum >= rank {
			return endOf(class)
		}
	}
	return endOf(classes - 1)
}
