package record

import (
	"unicode"
	"unicode/utf8"
)

const maxDeviceText = 255

// Device returns what is kept of the client's device, each empty when nothing is.
func (c *Content) Device() (addr, agent, label string) {
	r := reader{rest: c.device}
	return string(r.text()), string(r.text()), string(r.text())
}

// SetDevice keeps of each text what may stand in a log line or a page: printable characters, others
// as a space, at most 255 bytes. When all are empty nothing is kept.
func (c *Content) SetDevice(addr, agent, label string) {
	c.device = nil
	if addr == "" && agent == "" && label == "" {
		return
	}
	for _, s := range []string{addr, agent, label} {
		s = printable(s)
		c.device = append(append(c.device, byte(len(s))), s...)
	}
}

// device takes the three strings as they stand.
func (r *reader) device() []byte {
	before := r.rest
	for range 3 {
		r.text()
	}
	n := len(before) - len(r.rest)
	return before[:n:n]
}

func printable(s string) string {
	out := make([]byte, 0, min(len(s), maxDeviceText))
	for _, c := range s {
		if !unicode.IsPrint(c) {
			c = ' '
		}
		if len(out)+utf8.RuneLen(c) > maxDeviceText {
			break
		}
		out = utf8.AppendRune(out, c)
	}
	return string(out)
}
