package storetest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/gosojourn/sojourn"
)

func fitStoreSaysSo(t *tester) {
	checker, ok := t.store.(sojourn.Checker)
	if !ok {
		t.Skipf("the store is no sojourn.Checker")
	}
	err := checker.Check(t.ctx)
	t.skipUnsupported("Check", err)
	t.want(err, "Check of a store that these tests run on", nil)
	ctx, cancel := context.WithCancel(t.ctx)
	cancel()
	if err := checker.Check(ctx); err != nil && errors.Is(err, errors.ErrUnsupported) {
		t.broken("Check returned %s under a done context, but not before", say(err))
	}
}

// What a store could lose, one thing a row, written by Create in one record and by Update in another.
func loadReturnsWhatWasWritten(t *tester) {
	updated := t.create(newRecord(""))
	for _, row := range []struct {
		what   string
		change func(r *sojourn.Record)
	}{
		{"anonymous", func(r *sojourn.Record) { r.Owner, r.Fence = "", 0 }},
		{"with an owner", func(r *sojourn.Record) { r.Owner = newOwner() }},
		{"with an owner and a fence", func(r *sojourn.Record) { r.Owner, r.Fence = newOwner(), uint64(time.Now().UnixMilli()) }},
		{"anonymous again", func(r *sojourn.Record) { r.Owner, r.Fence = "", 0 }},
		{"with the least version", func(r *sojourn.Record) { r.Version = 1 }},
		{"with the greatest version", func(r *sojourn.Record) { r.Version = 1<<48 - 1 }},
		{"without data", func(r *sojourn.Record) { r.Data = nil }},
		{"with one zero byte of data", func(r *sojourn.Record) { r.Data = []byte{0} }},
		{"with data of every byte value", func(r *sojourn.Record) { r.Data = everyByte() }},
		{"with data that reads like SQL", func(r *sojourn.Record) { r.Data = []byte("'); DROP TABLE sessions; -- \\' \"?$1:a%_\x00") }},
		{"with data that is no UTF-8", func(r *sojourn.Record) { r.Data = []byte("\xff\xfe\xbf\x27\xbf\x5c\xe4 \xf0\x9f") }},
		{"with data that ends in spaces and NULs", func(r *sojourn.Record) { r.Data = []byte("data  \x00\x00 \n") }},
		{"with 60,000 random bytes", func(r *sojourn.Record) { r.Data = random(60_000) }},
		{"with a few bytes after many", func(r *sojourn.Record) { r.Data = []byte("few") }},
		{"with milliseconds", func(r *sojourn.Record) { r.Expiry, r.Seen = r.Expiry.Add(123e6), r.Seen.Add(456e6) }},
		{"with the last millisecond of a second", func(r *sojourn.Record) { r.Expiry = r.Expiry.Truncate(time.Second).Add(999 * time.Millisecond) }},
		{"with the first millisecond of a second", func(r *sojourn.Record) { r.Seen = r.Seen.Truncate(time.Second).Add(time.Millisecond) }},
		{"with a time below the millisecond", func(r *sojourn.Record) { r.Expiry = r.Expiry.Add(999_999) }},
		{"with the times of another zone", func(r *sojourn.Record) {
			zone := time.FixedZone("half past", -9*3600-1800)
			r.Expiry, r.Seen = r.Expiry.In(zone), r.Seen.In(zone)
		}},
		{"with a monotonic reading", func(r *sojourn.Record) { r.Seen = time.Now() }},
		{"with an expiry in 2037", func(r *sojourn.Record) { r.Expiry = time.Date(2037, 12, 31, 23, 59, 59, 999e6, time.UTC) }},
		// An hour that there is twice, in Europe and in America, and one that there is not.
		{"with an expiry when clocks go back", func(r *sojourn.Record) { r.Expiry = time.Date(2036, 10, 26, 0, 30, 0, 5e6, time.UTC) }},
		{"with an expiry when clocks went back", func(r *sojourn.Record) { r.Expiry = time.Date(2036, 11, 2, 6, 30, 0, 5e6, time.UTC) }},
		{"with an expiry when clocks go forward", func(r *sojourn.Record) { r.Expiry = time.Date(2036, 3, 30, 2, 30, 0, 5e6, time.UTC) }},
	} {
		created := newRecord("")
		row.change(&created)
		t.must(t.store.Create(t.ctx, created), "Create of a record "+row.what)
		t.sees(created, "after Create of a record "+row.what)

		before := updated.Version
		updated = nextRecord(updated.ID, "")
		row.change(&updated)
		t.must(t.store.Update(t.ctx, updated, before), "Update to a record "+row.what)
		t.sees(updated, "after Update to a record "+row.what)
		t.sees(created, fmt.Sprintf("after Update of another record than the one %s", row.what))
	}
}

func everyByte() []byte {
	b := make([]byte, 256)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}
