package storetest

import (
	"bytes"
	crand "crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/gosojourn/sojourn"
)

// newID returns a random id that has letters to change the case of.
func newID() string {
	for {
		var b [18]byte
		crand.Read(b[:])
		id := base64.RawURLEncoding.EncodeToString(b[:])
		if id != swapCase(id) {
			return id
		}
	}
}

// newOwner returns an owner that nobody else has.
func newOwner() string { return "owner-" + newID() }

func newVersion() uint64 {
	var b [8]byte
	crand.Read(b[2:])
	return max(1, binary.BigEndian.Uint64(b[:]))
}

// newRecord returns a record that lives for a day and is easy to keep: whole seconds, text for data, no
// fence. What is hard to keep has cases of its own, so that a store that fails there fails only there.
// owner may be "".
func newRecord(owner string) sojourn.Record { return nextRecord(newID(), owner) }

// nextRecord returns another record for id, with nothing in common with the one before.
func nextRecord(id, owner string) sojourn.Record {
	r := image(id, newVersion())
	r.Owner, r.Fence = owner, 0
	return r
}

// image returns the record whose every field and byte follows from its id and version, so that a
// mixture of two can be told from either. Those of odd version have an owner.
func image(id string, version uint64) sojourn.Record {
	rnd := rand.New(rand.NewPCG(version, 0))
	r := sojourn.Record{
		ID:      id,
		Expiry:  dayAhead.Add(time.Duration(rnd.IntN(10_000)) * time.Second),
		Seen:    dayAhead.Add(-24*time.Hour - time.Duration(rnd.IntN(10_000))*time.Second),
		Version: version,
		Data:    make([]byte, 100+rnd.IntN(300)),
	}
	if version%2 == 1 {
		r.Owner, r.Fence = imageOwner(id), 1+rnd.Uint64N(1<<40)
	}
	for i := range r.Data {
		r.Data[i] = 'a' + byte(rnd.IntN(26))
	}
	return r
}

func imageOwner(id string) string { return "image-" + id }

var dayAhead = time.Now().Truncate(time.Second).Add(24 * time.Hour)

// differs says how got is not want, or "". Times may differ in what is below the millisecond.
func differs(got, want sojourn.Record) string {
	switch {
	case got.ID != want.ID:
		return fmt.Sprintf("the id %.80q instead of %.80q", got.ID, want.ID)
	case got.Owner != want.Owner:
		return fmt.Sprintf("the owner %q instead of %q", got.Owner, want.Owner)
	case !sameTime(got.Expiry, want.Expiry):
		return fmt.Sprintf("the expiry %v instead of %v", got.Expiry.UTC(), want.Expiry.UTC())
	case !sameTime(got.Seen, want.Seen):
		return fmt.Sprintf("as last seen %v instead of %v", got.Seen.UTC(), want.Seen.UTC())
	case got.Fence != want.Fence:
		return fmt.Sprintf("the fence %d instead of %d", got.Fence, want.Fence)
	case got.Version != want.Version:
		return fmt.Sprintf("the version %#x instead of %#x", got.Version, want.Version)
	case len(got.Data) != len(want.Data):
		return fmt.Sprintf("%d bytes of data instead of %d", len(got.Data), len(want.Data))
	case !bytes.Equal(got.Data, want.Data):
		i := 0
		for got.Data[i] == want.Data[i] {
			i++
		}
		return fmt.Sprintf("data whose byte %d of %d is %#02x instead of %#02x", i, len(want.Data), got.Data[i], want.Data[i])
	}
	return ""
}

func sameTime(a, b time.Time) bool {
	d := a.Sub(b)
	return -time.Millisecond < d && d < time.Millisecond
}

// swapCase makes upper case of lower case and the other way round, for ASCII.
func swapCase(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' {
			b[i] = c ^ 0x20
		}
	}
	return string(b)
}
