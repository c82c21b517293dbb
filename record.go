package sojourn

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

// content is what Record.Data holds, format 1, byte for byte as in docs/record-format.md.
type content struct {
	remembered bool
	token      tokenHash
	family     familyHash
	generation uint16
	nonce      [8]byte
	created    int64 // milliseconds since 1970, as all times here
	auth       int64 // last Login, 0 before
	deadline   int64
	superseded []byte // of the last minute: family 16 ‖ since 6, newest first
	lineage    []byte // versions this record went through of late: 6 each, newest first
	device     []byte // three strings, each behind a byte of length; nil when nothing is kept
	values     values
}

const (
	formatOne      = 1
	flagRemembered = 1 << 0
	flagDevice     = 1 << 1
	fixedLen       = 2 + 32 + 16 + 2 + 8 + 3*6

	supersededLen = 16 + 6
	maxSuperseded = 4
	versionLen    = 6
	maxLineage    = 8
	maxDeviceText = 255
	maxData       = 16 << 20

	// graceMillis is how long a superseded token still reads as anonymous, so that requests that were
	// under way during a login neither fail nor plant the old token again.
	graceMillis   = 60_000
	lineageMillis = 60_000
)

var errUnknownFormat = errors.New("the record has a format that this version does not know; a newer version wrote it")

// parseContent reads data without copying it. errUnknownFormat is for the operator; any other error
// means that the record is damaged.
func parseContent(data []byte) (c content, err error) {
	if len(data) == 0 {
		return c, errors.New("the record is empty")
	}
	if data[0] != formatOne {
		return c, fmt.Errorf("%w (format %d)", errUnknownFormat, data[0])
	}
	if len(data) < fixedLen+2 || len(data) > maxData {
		return c, fmt.Errorf("the record has %d bytes", len(data))
	}
	flags := data[1]
	if flags&^(flagRemembered|flagDevice) != 0 {
		return c, fmt.Errorf("%w (flags %#x)", errUnknownFormat, flags)
	}
	c.remembered = flags&flagRemembered != 0
	b := data[2:]
	b = b[copy(c.token[:], b):]
	b = b[copy(c.family[:], b):]
	c.generation = binary.BigEndian.Uint16(b)
	b = b[2:]
	b = b[copy(c.nonce[:], b):]
	c.created, c.auth, c.deadline = getMillis(b), getMillis(b[6:]), getMillis(b[12:])
	b = b[18:]
	if c.superseded, b, err = counted(b, supersededLen, maxSuperseded); err != nil {
		return c, err
	}
	if c.lineage, b, err = counted(b, versionLen, maxLineage); err != nil {
		return c, err
	}
	if flags&flagDevice != 0 {
		if c.device, b, err = splitDevice(b); err != nil {
			return c, err
		}
	}
	c.values = values(b)
	return c, c.values.check()
}

// splitDevice splits off three strings, each behind a byte of length.
func splitDevice(b []byte) (device, rest []byte, err error) {
	rest = b
	for range 3 {
		if len(rest) == 0 || len(rest) < 1+int(rest[0]) {
			return nil, nil, errors.New("the record's device does not parse")
		}
		rest = rest[1+int(rest[0]):]
	}
	n := len(b) - len(rest)
	return b[:n:n], rest, nil
}

func counted(b []byte, size, most int) (list, rest []byte, err error) {
	if len(b) == 0 || int(b[0]) > most || len(b) < 1+int(b[0])*size {
		return nil, nil, errors.New("the record's header does not parse")
	}
	end := 1 + int(b[0])*size
	return b[1:end:end], b[end:], nil
}

// encode writes the record with the edits applied to its values.
func (c *content) encode(e edits) ([]byte, error) {
	dst := make([]byte, 0, fixedLen+2+len(c.superseded)+len(c.lineage)+len(c.device)+len(c.values)+e.size())
	var flags byte
	if c.remembered {
		flags |= flagRemembered
	}
	if c.device != nil {
		flags |= flagDevice
	}
	dst = append(dst, formatOne, flags)
	dst = append(dst, c.token[:]...)
	dst = append(dst, c.family[:]...)
	dst = binary.BigEndian.AppendUint16(dst, c.generation)
	dst = append(dst, c.nonce[:]...)
	dst = appendMillis(appendMillis(appendMillis(dst, c.created), c.auth), c.deadline)
	dst = append(dst, byte(len(c.superseded)/supersededLen))
	dst = append(dst, c.superseded...)
	dst = append(dst, byte(len(c.lineage)/versionLen))
	dst = append(dst, c.lineage...)
	dst = append(dst, c.device...)
	dst = c.values.splice(dst, e)
	if len(dst) > maxData {
		return nil, fmt.Errorf("%w: %d bytes, at most %d are kept", ErrTooLarge, len(dst), maxData)
	}
	return dst, nil
}

// isSuperseded reports whether f was replaced within the grace time.
func (c *content) isSuperseded(f familyHash, now int64) bool {
	for b := c.superseded; len(b) > 0; b = b[supersededLen:] {
		if familyHash(b[:16]) == f && now-getMillis(b[16:]) < graceMillis {
			return true
		}
	}
	return false
}

// supersede remembers the present family as replaced now and forgets what is past the grace time.
func (c *content) supersede(now int64) {
	list := append(make([]byte, 0, maxSuperseded*supersededLen), c.family[:]...)
	list = appendMillis(list, now)
	for b := c.superseded; len(b) > 0 && len(list) < maxSuperseded*supersededLen; b = b[supersededLen:] {
		if now-getMillis(b[16:]) < graceMillis {
			list = append(list, b[:supersededLen]...)
		}
	}
	c.superseded = list
}

// descend appends to list what the lineage is once version is replaced. seen is when that was written.
func (c *content) descend(list []byte, version uint64, seen, now int64) []byte {
	older := c.lineage
	if now-seen > lineageMillis {
		older = nil
	}
	list = appendMillis(list, int64(version))
	return append(list, older[:min(len(older), (maxLineage-1)*versionLen)]...)
}

func (c *content) descendsFrom(version uint64) bool {
	for b := c.lineage; len(b) > 0; b = b[versionLen:] {
		if uint64(getMillis(b)) == version {
			return true
		}
	}
	return false
}

func (c *content) deviceInfo() (d Device) {
	b := c.device
	for _, s := range []*string{&d.Addr, &d.Agent, &d.Label} {
		if len(b) == 0 {
			break
		}
		*s = string(b[1 : 1+int(b[0])])
		b = b[1+int(b[0]):]
	}
	return d
}

func encodeDevice(d Device) []byte {
	if d == (Device{}) {
		return nil
	}
	var dst []byte
	for _, s := range []string{d.Addr, d.Agent, d.Label} {
		s = printable(s)
		dst = append(append(dst, byte(len(s))), s...)
	}
	return dst
}

// printable keeps what may stand in a log line or a page: no control characters, at most 255 bytes.
func printable(s string) string {
	out := make([]byte, 0, min(len(s), maxDeviceText))
	for _, r := range s {
		if r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) || r == 0x2028 || r == 0x2029 {
			r = ' '
		}
		if len(out)+utf8.RuneLen(r) > maxDeviceText {
			break
		}
		out = utf8.AppendRune(out, r)
	}
	return string(out)
}

func millis(t time.Time) int64 { return t.UnixMilli() }

func timeOf(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func getMillis(b []byte) int64 {
	return int64(b[0])<<40 | int64(b[1])<<32 | int64(b[2])<<24 | int64(b[3])<<16 | int64(b[4])<<8 | int64(b[5])
}

func appendMillis(b []byte, ms int64) []byte {
	return append(b, byte(ms>>40), byte(ms>>32), byte(ms>>24), byte(ms>>16), byte(ms>>8), byte(ms))
}
