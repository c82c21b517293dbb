package record

import "fmt"

// maxBound is how long a binding may be, see internal/binding.
const maxBound = 1024

// Bound is what ties the session to a key of one device, as SetBound was given it; nil when nothing does. Nobody
// may write to it.
func (c *Content) Bound() []byte { return c.bound }

// SetBound keeps binding itself; nothing, when it is empty.
func (c *Content) SetBound(binding []byte) error {
	if len(binding) > maxBound {
		return fmt.Errorf("%w: what binds it to a device has %d bytes, at most %d are kept", ErrTooLarge, len(binding), maxBound)
	}
	if c.bound = nil; len(binding) > 0 {
		c.bound = binding
	}
	return nil
}

// bound takes what appendBound wrote. An empty one is not written, so it is damage.
func (r *reader) bound() []byte {
	n := r.uint16()
	if n == 0 || n > maxBound {
		r.bad = true
	}
	return r.take(n)
}

func (c *Content) appendBound(dst []byte) []byte {
	if c.bound == nil {
		return dst
	}
	return append(appendUint16(dst, len(c.bound)), c.bound...)
}
