package memstore

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"time"
	"unsafe"

	"github.com/gosojourn/sojourn"
)

// A key is an id without its base64url. What does not decode to one cannot be in the store.
type key [18]byte

const keyText = 24 // characters of an id

func parseKey(id string) (k key, ok bool) {
	if len(id) != keyText {
		return k, false
	}
	// The decoder skips line breaks, so that an id with one comes out short.
	n, err := base64.RawURLEncoding.Decode(k[:], []byte(id))
	return k, err == nil && n == len(k)
}

func (k key) String() string { return base64.RawURLEncoding.EncodeToString(k[:]) }

// A block is one record in one piece of memory that holds no pointer, which costs less than a struct
// and the collector never looks inside. The head is what the type says; behind it in memory
// stand the fence if there is one, the owner and the data.
//
// Expiry and Seen are written in place under the shard's lock. The rest never changes, so that owner
// and data can be handed out as they lie here.
type block [headLen]byte

const (
	atExpiry  = 18 // the key comes first; times in milliseconds since 1970
	atSeen    = atExpiry + 8
	atVersion = atSeen + 8
	atOwner   = atVersion + 6 // length
	atData    = atOwner + 1   // length, and whether there is a fence
	headLen   = atData + 4

	fenced   = 1 << 31
	fenceLen = 8

	maxOwner = 255
	maxData  = 1 << 30

	firstSecond = -62135596800 // year 1, where the zero time.Time is
	lastSecond  = 253402300799 // year 9999
)

var order = binary.LittleEndian

// newBlock refuses what it could not give back whole.
func newBlock(k key, r *sojourn.Record) (*block, error) {
	switch {
	case r.Version == 0 || r.Version >= 1<<48:
		return nil, fmt.Errorf("%w: the version is 0 or longer than 48 bits", sojourn.ErrRefused)
	case len(r.Owner) > maxOwner:
		return nil, fmt.Errorf("%w: the owner has %d bytes, at most %d are kept", sojourn.ErrRefused, len(r.Owner), maxOwner)
	case len(r.Data) > maxData:
		return nil, fmt.Errorf("%w: %d bytes, at most %d are kept", sojourn.ErrTooLarge, len(r.Data), maxData)
	}
	expiry, err := millis("expiry", r.Expiry)
	if err != nil {
		return nil, err
	}
	seen, err := millis("seen", r.Seen)
	if err != nil {
		return nil, err
	}
	size, sizes := headLen+len(r.Owner)+len(r.Data), uint32(len(r.Data))
	if r.Fence != 0 {
		size, sizes = size+fenceLen, sizes|fenced
	}
	whole := make([]byte, size)
	b := (*block)(whole)
	copy(b[:], k[:])
	b.setTimes(expiry, seen)
	order.PutUint16(b[atVersion:], uint16(r.Version))
	order.PutUint32(b[atVersion+2:], uint32(r.Version>>16))
	b[atOwner] = byte(len(r.Owner))
	order.PutUint32(b[atData:], sizes)
	tail := whole[headLen:]
	if r.Fence != 0 {
		order.PutUint64(tail, r.Fence)
		tail = tail[fenceLen:]
	}
	copy(tail[copy(tail, r.Owner):], r.Data)
	return b, nil
}

func millis(what string, t time.Time) (int64, error) {
	if s := t.Unix(); s < firstSecond || s > lastSecond {
		return 0, fmt.Errorf("%w: the time of %s is not between the years 1 and 9999", sojourn.ErrRefused, what)
	}
	return t.UnixMilli(), nil
}

func (b *block) key() key { return key(b[:atExpiry]) }

func (b *block) version() uint64 {
	return uint64(order.Uint16(b[atVersion:])) | uint64(order.Uint32(b[atVersion+2:]))<<16
}

// live says whether the record is there at now, in milliseconds since 1970.
func (b *block) live(now int64) bool { return now < b.expiry() }

func (b *block) expiry() int64 { return int64(order.Uint64(b[atExpiry:])) }
func (b *block) seen() int64   { return int64(order.Uint64(b[atSeen:])) }

func (b *block) setTimes(expiry, seen int64) {
	order.PutUint64(b[atExpiry:], uint64(expiry))
	order.PutUint64(b[atSeen:], uint64(seen))
}

// parts returns what lies behind the head, where it lies.
func (b *block) parts() (fence uint64, owner string, data []byte) {
	sizes := order.Uint32(b[atData:])
	size := int(sizes &^ fenced)
	start := headLen
	if sizes&fenced != 0 {
		start += fenceLen
	}
	end := start + int(b[atOwner]) + size
	whole := unsafe.Slice(&b[0], end) // newBlock made it that long
	if start > headLen {
		fence = order.Uint64(whole[headLen:])
	}
	if n := int(b[atOwner]); n > 0 {
		owner = unsafe.String(&whole[start], n)
		start += n
	}
	return fence, owner, whole[start:end:end]
}

func (b *block) owner() string {
	_, owner, _ := b.parts()
	return owner
}

func (b *block) fence() uint64 {
	fence, _, _ := b.parts()
	return fence
}

func (b *block) record(id string) sojourn.Record {
	fence, owner, data := b.parts()
	return sojourn.Record{
		ID:      id,
		Owner:   owner,
		Expiry:  time.UnixMilli(b.expiry()).UTC(),
		Seen:    time.UnixMilli(b.seen()).UTC(),
		Fence:   fence,
		Version: b.version(),
		Data:    data,
	}
}
