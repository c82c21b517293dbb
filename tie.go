package sojourn

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"

	"github.com/gosojourn/sojourn/internal/token"
)

// A tie is what a session that was moved in knows of the old one, until that has ended. Each token is
// readable with the other alone: who has the old one and not the record cannot compute the new one, and who
// has the records has neither.
type tie struct {
	ends  int64  // when the old session ends by itself, in milliseconds since 1970
	until int64  // until when it is kept beside this one; 0: until this session's token is shown
	shown bool   // the browser has shown this session's token
	token []byte // this session's, under the old one
	old   []byte // the old one, under this session's; as it is in a seal
}

const tieFixed = 8 + 8 + 1 + 2

var errTie = errors.New("what ties the session to an old one does not parse")

func (t *tie) encode() []byte {
	b := make([]byte, 0, tieFixed+len(t.token)+len(t.old))
	b = binary.BigEndian.AppendUint64(b, uint64(t.ends))
	b = binary.BigEndian.AppendUint64(b, uint64(t.until))
	if b = append(b, 0); t.shown {
		b[16] = 1
	}
	b = binary.BigEndian.AppendUint16(b, uint16(len(t.token)))
	return append(append(b, t.token...), t.old...)
}

func parseTie(b []byte) (t tie, err error) {
	if len(b) < tieFixed {
		return t, errTie
	}
	t.ends, t.until = int64(binary.BigEndian.Uint64(b)), int64(binary.BigEndian.Uint64(b[8:]))
	t.shown = b[16] != 0
	n := int(binary.BigEndian.Uint16(b[17:]))
	if b = b[tieFixed:]; n > len(b) {
		return t, errTie
	}
	t.token, t.old = b[:n:n], b[n:]
	return t, nil
}

// notShown reports whether b ties a session in a store whose token the browser has not shown. Until then it is the old
// session that has an idle limit: who uses that elsewhere is not idle.
func notShown(b []byte) bool {
	if len(b) == 0 {
		return false
	}
	t, err := parseTie(b)
	return err == nil && len(t.token) > 0 && !t.shown
}

// tieTo makes the tie of session id, whose token is text, to the old session.
func tieTo(id, text, old string, ends, until int64) (tie, error) {
	t := tie{ends: ends, until: until}
	var err error
	if t.token, err = lock(old, "token", id, text); err != nil {
		return t, err
	}
	t.old, err = lock(text, "old", id, old)
	return t, err
}

// textBy is the session's token, by the old one.
func (t *tie) textBy(old, id string) (string, error) { return unlock(old, "token", id, t.token) }

// oldBy is the old token, by the session's.
func (t *tie) oldBy(text, id string) (string, error) { return unlock(text, "old", id, t.old) }

// tieCipher is keyed by what is a secret already: 256 bits and more that were drawn at random.
func tieCipher(secret, what, id string) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, []byte(secret), nil, "sojourn moved in 1\x00"+what+"\x00"+id, 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

func lock(secret, what, id, text string) ([]byte, error) {
	c, err := tieCipher(secret, what, id)
	if err != nil {
		return nil, err
	}
	return c.Seal(nil, nil, []byte(text), nil), nil
}

func unlock(secret, what, id string, sealed []byte) (string, error) {
	c, err := tieCipher(secret, what, id)
	if err != nil {
		return "", err
	}
	text, err := c.Open(nil, nil, sealed, nil)
	return string(text), err
}

// movedID is the id of the session that an old one becomes: the same for everybody who moves it in, so that
// one does.
func movedID(purpose, old string) string {
	return idOf("sojourn moved in 1\x00" + purpose + "\x00" + old)
}

// buriedID is the id of the record which says that the old session behind id is over.
func buriedID(id string) string { return idOf("sojourn moved out 1\x00" + id) }

func idOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:token.IDBytes])
}
