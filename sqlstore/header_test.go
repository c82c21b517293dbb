package sqlstore

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
)

const testID = "AbCdEfGhIjKlMnOpQrStUv-_"

func record() sojourn.Record {
	return sojourn.Record{
		ID:      testID,
		Owner:   "ann",
		Expiry:  time.UnixMilli(1_893_456_000_123),
		Seen:    time.UnixMilli(1_700_000_000_456),
		Fence:   1_700_000_000_000,
		Version: 0x0123456789ab,
		Data:    []byte("data"),
	}
}

func TestHeaderFormatIsStable(t *testing.T) {
	r := record()
	expiry, _ := millis(r.Expiry)
	seen, _ := millis(r.Seen)
	got := encode(&r, expiry, seen)
	const want = "ASNFZ4mr" + "1" + testID + "01b8dac5b47b" + "018bcfe569c8" + "0000018bcfe56800" + "003" + "ann" + "data"
	if string(got) != want {
		t.Fatalf("the header is\n%s, want\n%s", got, want)
	}
	if !bytes.HasPrefix(got, tag(r.Version, r.ID)) || string(got[expiryAt:seenAt]) != string(stamp(expiry)) {
		t.Error("statements would compare with something else than what is stored")
	}
}

func TestDecode(t *testing.T) {
	r := record()
	expiry, _ := millis(r.Expiry)
	seen, _ := millis(r.Seen)
	good := string(encode(&r, expiry, seen))
	for name, c := range map[string]struct {
		id, data string
		want     error
	}{
		"as written":         {testID, good, nil},
		"its head":           {testID, good[:ownerAt+len(r.Owner)], nil},
		"another id":         {strings.ToLower(testID), good, errForeign},
		"a later format":     {testID, strings.Replace(good, "1A", "2A", 1), errFormat},
		"only the tag":       {testID, good[:tagLen], errForeign},
		"a tag of later":     {testID, strings.Replace(good, "1A", "x", 1)[:8] + "2" + testID, errFormat},
		"a bad version":      {testID, "!" + good[1:], errForeign},
		"a bad expiry":       {testID, good[:expiryAt] + "g" + good[expiryAt+1:], errForeign},
		"a bad length":       {testID, good[:lengthAt] + "256" + good[ownerAt:], errForeign},
		"a length too large": {testID, good[:lengthAt] + "200" + good[ownerAt:], errForeign},
		"nothing":            {testID, "", errForeign},
		"gob, as of scs":     {testID, "\x2c\x7f\x03\x01\x02\xff\x80\x00\x01\x02\x01\x08Deadline\x01\xff\x82\x00\x01\x06Values\x01\xff\x84\x00\x00\x00", errForeign},
	} {
		if _, err := decode(c.id, []byte(c.data)); err != c.want {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// What decode accepts, encode writes again to the byte; and nothing makes it panic.
func FuzzDecode(f *testing.F) {
	r := record()
	f.Add(encode(&r, 1_893_456_000_123, 1_700_000_000_456))
	f.Add([]byte(""))
	f.Add(tag(1, testID))
	f.Fuzz(func(t *testing.T, data []byte) {
		id := testID
		if len(data) >= tagLen {
			id = string(data[idAt:tagLen])
		}
		r, err := decode(id, data)
		if err != nil {
			if !errors.Is(err, errForeign) && !errors.Is(err, errFormat) {
				t.Fatalf("error %v", err)
			}
			return
		}
		expiry, ok1 := millis(r.Expiry)
		seen, ok2 := millis(r.Seen)
		if again := encode(&r, expiry, seen); !ok1 || !ok2 || !bytes.Equal(again, data) {
			t.Errorf("%q becomes %q", data, again)
		}
	})
}

func TestMillis(t *testing.T) {
	for _, c := range []struct {
		t  time.Time
		ms int64
		ok bool
	}{
		{time.Time{}, 0, true},
		{time.UnixMilli(1), 1, true},
		{time.Unix(0, 0), 0, false}, // would read as the zero Time
		{time.Unix(-1, 0), 0, false},
		{time.Date(9999, 12, 31, 23, 59, 59, 999e6, time.UTC), 253_402_300_799_999, true},
		{time.UnixMilli(1<<48 - 1), 1<<48 - 1, true},
		{time.UnixMilli(1 << 48), 0, false},
		{time.Unix(1<<62, 0), 0, false},
		{time.Unix(-1<<62, 0), 0, false},
	} {
		ms, ok := millis(c.t)
		if ok != c.ok || ok && ms != c.ms {
			t.Errorf("%v: %d, %v, want %d, %v", c.t, ms, ok, c.ms, c.ok)
		}
		if ok && !fromMillis(uint64(ms)).Equal(c.t) {
			t.Errorf("%v comes back as %v", c.t, fromMillis(uint64(ms)))
		}
	}
}
