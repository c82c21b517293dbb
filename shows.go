package sojourn

import (
	"hash/maphash"
	"net/http"
)

// marks: another process makes other marks, so nobody can foretell one, nor learn anything of a token from it.
var marks = maphash.MakeSeed()

// Shows reports whether r shows something under the name of a cookie of this manager's or its header, or an old session of
// Config.Legacy, be it good or not. mark is the same for the same texts within a process, and tells nothing of them. It
// asks no store. Package throttle uses it to tell many tokens from one that is shown many times.
func (m *Manager) Shows(r *http.Request) (mark uint64, shows bool) {
	var h maphash.Hash
	h.SetSeed(marks)
	shows = m.carrier.Mark(r.Header, &h)
	if v := m.visitors; v != nil && v.carrier.Mark(r.Header, &h) {
		shows = true
	}
	if l := m.cfg.Legacy; l != nil && !m.inPlace {
		for _, old := range l.Shown(r) {
			shows = true
			h.WriteString(old)
			h.WriteByte(0)
		}
	}
	return h.Sum64(), shows
}
