package sojourn

import (
	"fmt"
	"net/http"
	"time"
)

// A sealed session too long for one cookie takes several, at most maxChunks: "name", "name.1" and so
// on. The first one's value begins with how many they are, so that what is left over from a longer
// one is told from what belongs to it. One seal covers all.
const (
	maxChunks   = 4
	minSealed   = 24 // no seal is shorter; the Sealer judges the rest
	maxShown    = maxChunks * maxCookie
	firstDigit  = '1'
	longestName = 1024 // leaves three quarters of a cookie for the value
)

// shownSeals are the distinct texts of a request, in order, at most as many as are judged.
type shownSeals struct {
	texts [maxCandidates]string
	n     int
	any   bool // there was something under our name
}

func (c *shownSeals) add(count byte, text string) {
	n := int(count-firstDigit) + 1
	if n < 1 || n > maxChunks || len(text) < minSealed || len(text) > maxShown || !b64url(text) {
		return
	}
	for _, t := range c.texts[:c.n] {
		if t == text {
			return
		}
	}
	if c.n < maxCandidates {
		c.texts[c.n] = text
		c.n++
	}
}

// present puts together what the request shows, in whatever order its cookies come.
func (x *sealing) present(r *http.Request) (c shownSeals) {
	var parts [maxChunks][maxCandidates]string
	var have [maxChunks]int
	each := func(name, value string) {
		for i, own := range x.names {
			if name == own {
				c.any = c.any || value != ""
				if have[i] < maxCandidates && value != "" {
					parts[i][have[i]] = value
					have[i]++
				}
			}
		}
	}
	if len(x.names) == 1 {
		eachHeader(r, x.names[0], func(value string) { each(x.names[0], value) })
	} else {
		eachCookie(r, x.names[0], each)
	}
	for i, first := range parts[0][:have[0]] {
		text, whole := first[1:], true
		for k := 1; whole && k <= int(first[0]-firstDigit) && k < maxChunks; k++ {
			// A browser sends duplicates of each name in one order: path by path.
			if whole = have[k] > 0; whole {
				text += parts[k][min(i, have[k]-1)]
			}
		}
		if whole {
			c.add(first[0], text)
		}
	}
	return c
}

// chunkRoom is how much of the text fits into the i-th cookie: browsers count name and value (RFC
// 6265bis 5.6).
func (x *sealing) chunkRoom(i int) int {
	room := maxCookie - len(x.names[i])
	if i == 0 {
		room--
	}
	return room
}

// split cuts text into as few cookie values as hold it.
func (x *sealing) split(text string) ([]string, error) {
	var room, parts = 0, []string(nil)
	for i := range x.names {
		room += x.chunkRoom(i)
	}
	if len(text) > room {
		return nil, fmt.Errorf("%w: %d bytes when sealed, %d cookies hold %d", ErrTooLarge, len(text), len(x.names), room)
	}
	for i := 0; text != ""; i++ {
		n := min(len(text), x.chunkRoom(i))
		parts = append(parts, text[:n])
		text = text[n:]
	}
	parts[0] = string(rune(firstDigit+len(parts)-1)) + parts[0]
	return parts, nil
}

// sendSealed puts a seal into the response's header, or leaves that as it is with ErrTooLarge. life is
// how long a cookie that outlives the browser is kept.
func (m *Manager) sendSealed(st *state, text string, persistent bool, life time.Duration) error {
	h := st.w.Header()
	if m.cfg.Header != "" {
		if len(text) > maxShown {
			return fmt.Errorf("%w: %d bytes when sealed, a header holds %d", ErrTooLarge, len(text), maxShown)
		}
		m.sendToken(h, string(firstDigit)+text, false, 0)
		return nil
	}
	parts, err := m.seal.split(text)
	if err != nil {
		return err
	}
	maxAge := -1
	if persistent || m.cfg.Cookie.Persistent {
		maxAge = seconds(life)
	}
	h.Set("Cache-Control", "no-store")
	m.dropCookies(h)
	for i, part := range parts {
		m.addCookie(h, m.seal.names[i], part, maxAge)
	}
	m.expireChunks(st, len(parts))
	return nil
}

// expireSealed has the browser forget the session.
func (m *Manager) expireSealed(st *state) {
	h := st.w.Header()
	if m.cfg.Header != "" {
		m.expireToken(h)
		return
	}
	h.Set("Cache-Control", "no-store")
	m.dropCookies(h)
	m.addCookie(h, m.seal.names[0], "", 0)
	m.expireChunks(st, 1)
}

// expireChunks has the browser forget what a longer session left behind.
func (m *Manager) expireChunks(st *state, from int) {
	for _, name := range m.seal.names[from:] {
		if shows(st.r, name) {
			m.addCookie(st.w.Header(), name, "", 0)
		}
	}
}

func shows(r *http.Request, name string) (found bool) {
	eachCookie(r, name, func(n, _ string) { found = found || n == name })
	return found
}
