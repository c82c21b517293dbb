package record

import "fmt"

// maxMoved is how long a tie may be: it names an old session, which may be a whole cookie.
const maxMoved = 16 << 10

// Moved is what ties the session to an old one that it was made of, as SetMoved was given it; nil when
// nothing does. Nobody may write to it.
func (c *Content) Moved() []byte { return c.moved }

// SetMoved keeps tie itself; nothing, when it is empty.
func (c *Content) SetMoved(tie []byte) error {
	if len(tie) > maxMoved {
		return fmt.Errorf("%w: what ties it to an old one has %d bytes, at most %d are kept", ErrTooLarge, len(tie), maxMoved)
	}
	if c.moved = nil; len(tie) > 0 {
		c.moved = tie
	}
	return nil
}

// moved takes what appendMoved wrote. An empty one is not written, so it is damage.
func (r *reader) moved() []byte {
	n := r.uint16()
	if n == 0 || n > maxMoved {
		r.bad = true
	}
	return r.take(n)
}

func (c *Content) appendMoved(dst []byte) []byte {
	if c.moved == nil {
		return dst
	}
	return append(appendUint16(dst, len(c.moved)), c.moved...)
}
