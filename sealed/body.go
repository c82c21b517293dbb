package sealed

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"sync"
)

// A body is what is encrypted: flags, then the plain text, compressed or not, then padding or none.
const (
	flagCompressed = 1 << iota
	flagPadded     // 0x80 and zeros follow (ISO/IEC 7816-4)

	knownFlags = flagCompressed | flagPadded
)

// maxBody is how long a body can be that holds n bytes.
func (r *Ring) maxBody(n int) int { return 1 + n + r.o.Pad }

func (r *Ring) appendBody(dst, plain []byte) []byte {
	start := len(dst)
	dst = append(dst, 0)
	if r.o.Compress {
		if packed, ok := compress(plain); ok {
			dst[start] |= flagCompressed
			plain = packed
		}
	}
	dst = append(dst, plain...)
	if r.o.Pad > 0 {
		dst[start] |= flagPadded
		dst = append(dst, 0x80)
		for (len(dst)-start)%r.o.Pad != 0 {
			dst = append(dst, 0)
		}
	}
	return dst
}

var errBody = errors.New("sealed: the content does not parse")

// appendPlain takes body, which may lie behind dst in the same array.
func appendPlain(dst, body []byte) ([]byte, error) {
	flags, body := body[0], body[1:]
	if flags&^knownFlags != 0 {
		return dst, errNewer
	}
	if flags&flagPadded != 0 {
		body = bytes.TrimRight(body, "\x00")
		if len(body) == 0 || body[len(body)-1] != 0x80 {
			return dst, errBody
		}
		body = body[:len(body)-1]
	}
	if flags&flagCompressed == 0 {
		return append(dst, body...), nil
	}
	return inflate(dst, body)
}

var deflaters = sync.Pool{New: func() any {
	w, err := flate.NewWriter(nil, flate.BestSpeed)
	if err != nil {
		panic(err) // the level is fine
	}
	return w
}}

// compress reports false where it gains nothing.
func compress(plain []byte) ([]byte, bool) {
	var b bytes.Buffer
	w := deflaters.Get().(*flate.Writer)
	defer deflaters.Put(w)
	w.Reset(&b)
	if _, err := w.Write(plain); err != nil {
		return nil, false
	}
	if err := w.Close(); err != nil {
		return nil, false
	}
	return b.Bytes(), b.Len() < len(plain)
}

// inflate stops at maxPlain: what is longer was not sealed here.
func inflate(dst, packed []byte) ([]byte, error) {
	from := bytes.NewReader(packed)
	plain, err := io.ReadAll(io.LimitReader(flate.NewReader(from), maxPlain+1))
	if err != nil || len(plain) > maxPlain || from.Len() > 0 {
		return dst, errBody
	}
	return append(dst, plain...), nil
}
