package sojourn

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// A sealed session is written as in docs/sealed-sessions.md. It has no version, token or family: the
// seal is what shows that it is ours.
const (
	sealedOne   = 1
	sealedFixed = 2 + idBytes + 5*6 + 8 + 1
)

var errSealedContent = errors.New("the sealed session does not parse")

// encodeSealed writes the session with the edits applied to its values.
func (d *draft) encodeSealed(e edits) ([]byte, error) {
	dst := make([]byte, 0, sealedFixed+len(d.Owner)+len(d.device)+len(d.values)+e.size())
	var flags byte
	if d.remembered {
		flags |= flagRemembered
	}
	if d.device != nil {
		flags |= flagDevice
	}
	dst = append(dst, sealedOne, flags)
	dst, err := b64.AppendDecode(dst, []byte(d.ID))
	if err != nil || len(dst) != 2+idBytes {
		return nil, fmt.Errorf("sojourn: seal: the id is none of ours")
	}
	dst = appendMillis(appendMillis(appendMillis(dst, d.created), d.auth), d.deadline)
	dst = appendMillis(appendMillis(dst, millis(d.Expiry)), millis(d.Seen))
	dst = binary.BigEndian.AppendUint64(dst, d.Fence)
	dst = append(append(dst, byte(len(d.Owner))), d.Owner...)
	dst = append(dst, d.device...)
	return d.values.splice(dst, e), nil
}

// parseSealed reads b without copying it.
func parseSealed(b []byte) (r stored, err error) {
	if len(b) > 0 && b[0] != sealedOne {
		return r, fmt.Errorf("%w (sealed format %d)", errUnknownFormat, b[0])
	}
	if len(b) < sealedFixed {
		return r, errSealedContent
	}
	flags := b[1]
	if flags&^(flagRemembered|flagDevice) != 0 {
		return r, fmt.Errorf("%w (flags %#x)", errUnknownFormat, flags)
	}
	r.remembered = flags&flagRemembered != 0
	r.ID = b64.EncodeToString(b[2 : 2+idBytes])
	b = b[2+idBytes:]
	r.created, r.auth, r.deadline = getMillis(b), getMillis(b[6:]), getMillis(b[12:])
	r.Expiry, r.Seen = time.UnixMilli(getMillis(b[18:])), time.UnixMilli(getMillis(b[24:]))
	r.Fence = binary.BigEndian.Uint64(b[30:])
	n := int(b[38])
	if b = b[39:]; len(b) < n {
		return r, errSealedContent
	}
	r.Owner, b = string(b[:n]), b[n:]
	if flags&flagDevice != 0 {
		if r.device, b, err = splitDevice(b); err != nil {
			return r, err
		}
	}
	r.values = values(b)
	return r, r.values.check()
}
