// Package record is the bytes of a session: as a store keeps it (docs/record-format.md) and as a
// sealed cookie holds it (docs/sealed-sessions.md). All times are milliseconds since 1970.
package record

import (
	"errors"
	"fmt"

	"github.com/gosojourn/sojourn/internal/token"
	"github.com/gosojourn/sojourn/internal/value"
)

// Content is what a store's Record.Data holds.
type Content struct {
	Remembered bool
	Token      token.Hash
	Created    int64
	Auth       int64  // last login, 0 before the first
	Deadline   int64  // absolute limit
	Order      uint64 // counts the logins that the owner's sessions have seen: greater is newer; 0 while anonymous
	Stamps     uint64 // the last stamp given to a value
	Values     value.Values

	superseded []byte // tokens replaced of late: mark 16 ‖ since 6, newest first
	lineage    []byte // versions replaced of late: 6 each, newest first
	device     []byte // three strings, each behind a byte of length; nil when nothing is kept
	moved      []byte // what ties the session to the one it was made of; nil when nothing does
	bound      []byte // what ties it to a key of one device; nil when nothing does
	closed     []byte // the values while they are encrypted: nonce, ciphertext, tag; nil otherwise
}

const (
	formatOne      = 1
	flagRemembered = 1 << 0
	flagDevice     = 1 << 1
	flagMoved      = 1 << 2
	flagEncrypted  = 1 << 3
	flagBound      = 1 << 4
	flagsSealed    = flagRemembered | flagDevice | flagMoved // those that a seal may have
	flagsKnown     = flagsSealed | flagEncrypted | flagBound
	fixedLen       = 2 + 32 + 3*millisLen
	countsLen      = 2 + 1 // how many superseded, how many ancestors

	// MaxData is how much a record may hold; a store may allow less.
	MaxData = 16 << 20
)

var (
	// ErrUnknownFormat is for the operator: a newer version wrote the record, and nothing is known
	// about the session.
	ErrUnknownFormat = errors.New("the record has a format that this version does not know; a newer version wrote it")
	// ErrTooLarge means that the record would hold more than MaxData.
	ErrTooLarge = errors.New("the session is too large")

	errDamaged = errors.New("the record's header does not parse")
)

// Parse is Read of a Content of its own.
func Parse(data []byte) (c Content, err error) {
	err = c.Read(data)
	return c, err
}

// Read makes c what data holds, without copying it. An error that is not ErrUnknownFormat means damage; c is then
// nothing to go by. What Read accepts, Encode writes back byte for byte. Encrypted values are Closed, and wait for
// Open.
func (c *Content) Read(data []byte) error {
	*c = Content{}
	if len(data) == 0 {
		return errors.New("the record is empty")
	}
	if data[0] != formatOne {
		return fmt.Errorf("%w (format %d)", ErrUnknownFormat, data[0])
	}
	if len(data) < fixedLen+countsLen || len(data) > MaxData {
		return fmt.Errorf("the record has %d bytes", len(data))
	}
	if data[1]&^flagsKnown != 0 {
		return fmt.Errorf("%w (flags %#x)", ErrUnknownFormat, data[1])
	}
	c.Remembered = data[1]&flagRemembered != 0
	b := data[2:fixedLen] // of one length, so it is read as it stands
	b = b[copy(c.Token[:], b):]
	c.Created, c.Auth, c.Deadline = getMillis(b), getMillis(b[millisLen:]), getMillis(b[2*millisLen:])
	r := reader{rest: data[fixedLen:]}
	c.Order, c.Stamps = r.uvarint(), r.uvarint()
	c.superseded = r.list(r.uint16(), supersededLen, MaxSuperseded)
	c.lineage = r.list(int(r.byte()), versionLen, maxLineage)
	if data[1]&flagDevice != 0 {
		c.device = r.device()
	}
	if data[1]&flagMoved != 0 {
		c.moved = r.moved()
	}
	if data[1]&flagBound != 0 {
		c.bound = r.bound()
	}
	if r.bad {
		return errDamaged
	}
	if data[1]&flagEncrypted != 0 {
		var err error
		c.closed, err = r.encrypted()
		return err
	}
	c.Values = value.Values(r.rest)
	return c.Values.Check()
}

// Encode writes the record with d's values, whose last stamp becomes c.Stamps: c is then what Parse, and Open,
// would answer of it. Values is not looked at. The values are encrypted under k, if that is not nil and there
// are any. Values that are Closed are written as they are, and cannot be changed.
func (c *Content) Encode(d *value.Draft, k *Key) ([]byte, error) {
	if c.Closed() {
		return c.encodeClosed(d)
	}
	if k == nil || d.Empty() {
		return c.encode(d)
	}
	values := d.AppendTo(make([]byte, 0, d.Size()))
	dst := k.close(c.head(d.Last(), len(values)+encryptedLen, flagEncrypted), values)
	if err := fits(dst); err != nil {
		return nil, err
	}
	c.Stamps, c.Values = d.Last(), values
	return dst, nil
}

// encode writes the values as they are.
func (c *Content) encode(d *value.Draft) ([]byte, error) {
	dst := c.head(d.Last(), d.Size(), 0)
	head := len(dst)
	dst = d.AppendTo(dst)
	if err := fits(dst); err != nil {
		return nil, err
	}
	c.Stamps, c.Values = d.Last(), value.Values(dst[head:])
	return dst, nil
}

// encodeClosed writes what has changed beside the values: those are authenticated by themselves.
func (c *Content) encodeClosed(d *value.Draft) ([]byte, error) {
	if d.Changed() {
		return nil, errNotOpened
	}
	dst := append(c.head(d.Last(), 1+len(c.closed), flagEncrypted), schemeOne)
	dst = append(dst, c.closed...)
	return dst, fits(dst)
}

func fits(data []byte) error {
	if len(data) > MaxData {
		return fmt.Errorf("%w: %d bytes, at most %d are kept", ErrTooLarge, len(data), MaxData)
	}
	return nil
}

// head is what comes before the values, with room for so many bytes of them.
func (c *Content) head(stamps uint64, room int, more byte) []byte {
	dst := make([]byte, 0, fixedLen+uvarintLen(c.Order)+uvarintLen(stamps)+countsLen+
		len(c.superseded)+len(c.lineage)+len(c.device)+2+len(c.moved)+2+len(c.bound)+room)
	dst = append(dst, formatOne, c.flags()|more)
	dst = append(dst, c.Token[:]...)
	dst = appendMillis(appendMillis(appendMillis(dst, c.Created), c.Auth), c.Deadline)
	dst = appendUvarint(appendUvarint(dst, c.Order), stamps)
	dst = appendUint16(dst, len(c.superseded)/supersededLen)
	dst = append(dst, c.superseded...)
	dst = append(dst, byte(len(c.lineage)/versionLen))
	dst = append(dst, c.lineage...)
	dst = append(dst, c.device...)
	return c.appendBound(c.appendMoved(dst))
}

func (c *Content) flags() (f byte) {
	if c.Remembered {
		f |= flagRemembered
	}
	if c.device != nil {
		f |= flagDevice
	}
	if c.moved != nil {
		f |= flagMoved
	}
	if c.bound != nil {
		f |= flagBound
	}
	return f
}
