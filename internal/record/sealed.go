package record

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/gosojourn/sojourn/internal/token"
	"github.com/gosojourn/sojourn/internal/value"
)

// Sealed is a session as a sealed cookie holds it. Of Content it has no token, order, superseded
// tokens or lineage: the seal is what shows that it is ours.
type Sealed struct {
	ID, Owner    string
	Expiry, Seen int64
	Fence        uint64
	Content
}

const (
	sealedOne   = 1
	sealedFixed = 2 + token.IDBytes + 5*millisLen + 8 + 1
	maxOwner    = 255
)

var errSealed = errors.New("the sealed session does not parse")

// ParseSealed reads b without copying it, Owner and ID excepted. Only what this program has sealed
// gets here, but a ring of keys may be shared with something else. What it accepts, Encode writes back
// byte for byte.
func ParseSealed(b []byte) (s Sealed, err error) {
	if len(b) > 0 && b[0] != sealedOne {
		return s, fmt.Errorf("%w (sealed format %d)", ErrUnknownFormat, b[0])
	}
	if len(b) < sealedFixed {
		return s, errSealed
	}
	flags := b[1]
	if flags&^flagsSealed != 0 {
		return s, fmt.Errorf("%w (flags %#x)", ErrUnknownFormat, flags)
	}
	r := reader{rest: b[2:]}
	s.ID = base64.RawURLEncoding.EncodeToString(r.take(token.IDBytes))
	s.Remembered = flags&flagRemembered != 0
	s.Created, s.Auth, s.Deadline = r.millis(), r.millis(), r.millis()
	s.Expiry, s.Seen = r.millis(), r.millis()
	s.Fence, s.Stamps = r.uint64(), r.uvarint()
	s.Owner = string(r.text())
	if flags&flagDevice != 0 {
		s.device = r.device()
	}
	if flags&flagMoved != 0 {
		s.moved = r.moved()
	}
	if r.bad {
		return Sealed{}, errSealed
	}
	s.Values = value.Values(r.rest)
	return s, s.Values.Check()
}

// Encode writes the session with d's values, whose last stamp becomes s.Stamps.
func (s *Sealed) Encode(d *value.Draft) ([]byte, error) {
	if !token.WellFormedID(s.ID) || len(s.Owner) > maxOwner {
		return nil, fmt.Errorf("seal: an id of %d characters and an owner of %d bytes: %d and at most %d are possible",
			len(s.ID), len(s.Owner), token.IDLen, maxOwner)
	}
	stamps := d.Last()
	dst := make([]byte, 0, sealedFixed+uvarintLen(stamps)+len(s.Owner)+len(s.device)+2+len(s.moved)+d.Size())
	dst = append(dst, sealedOne, s.flags())
	dst, err := base64.RawURLEncoding.AppendDecode(dst, []byte(s.ID))
	if err != nil {
		return nil, fmt.Errorf("seal: the id: %w", err)
	}
	dst = appendMillis(appendMillis(appendMillis(dst, s.Created), s.Auth), s.Deadline)
	dst = appendMillis(appendMillis(dst, s.Expiry), s.Seen)
	dst = appendUvarint(binary.BigEndian.AppendUint64(dst, s.Fence), stamps)
	dst = append(append(dst, byte(len(s.Owner))), s.Owner...)
	dst = append(dst, s.device...)
	dst = s.appendMoved(dst)
	s.Stamps = stamps
	return d.AppendTo(dst), nil
}
