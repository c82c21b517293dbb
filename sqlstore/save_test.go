package sqlstore

import (
	"database/sql/driver"
	"errors"
	"testing"
)

type lastID struct {
	driver.Result
	id  int64
	err error
}

func (r lastID) LastInsertId() (int64, error) { return r.id, r.err }

// What a connection remembers of other statements tells nothing about this one.
func TestWhichMet(t *testing.T) {
	const batch = 0x1234_5678_9abc_0000
	const first = batch | 1
	for _, c := range []struct {
		r    lastID
		want uint64
	}{
		{lastID{id: batch | 0x8005}, 0x8005},
		{lastID{id: 5}, 0},
		{lastID{id: 0}, 0},
		{lastID{id: batch + 1<<16 | 5}, 0},
		{lastID{id: batch | 5, err: errors.New("not supported")}, 0},
	} {
		if got := whichMet(c.r, first); got != c.want {
			t.Errorf("%#x, %v: met %#x, want %#x", c.r.id, c.r.err, got, c.want)
		}
	}
}
