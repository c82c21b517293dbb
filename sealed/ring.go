package sealed

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/gosojourn/sojourn"
)

// A Ring seals and opens sessions. It is safe for concurrent use. To print it shows no key.
type Ring struct {
	keys []key // the first seals
	o    Options
}

type key struct {
	id [idLen]byte
	*master
}

// Options say how a Ring seals. The zero value neither compresses nor pads. Rings with the same key open
// each other's texts, whatever their options.
type Options struct {
	// Compress shortens what can be compressed. The length of the result then tells something about the
	// content. An attacker who can put text of his own beside a secret, and sees the length, can guess the
	// secret piece by piece (CRIME, CVE-2012-4929). Leave it off if a session may hold both. Default: off.
	Compress bool

	// Pad makes every length a multiple of so many bytes, at most 4096, so that the length tells less.
	// Default: 0, which pads nothing.
	Pad int
}

// The layout, see docs/sealed-format.md.
const (
	formatOne = 1
	idLen     = 4
	nonceAt   = 1 + idLen
	bodyAt    = nonceAt + nonceLen
	overhead  = bodyAt + tagLen

	maxPlain = 1 << 20 // bytes
	maxPad   = 4096
)

var b64 = base64.RawURLEncoding.Strict()

var _ sojourn.Sealer = (*Ring)(nil)

// New returns a Ring of keys. Each is from GenerateKey, or is 32 random bytes in base64 or hexadecimal. The
// first key seals; all keys open. The error names every mistake at once: a key that is malformed, guessable
// or there twice, and an option out of range.
//
// To rotate keys: put the new key last on every machine, and when that is done, first on every machine.
// Remove the old key when no session can be live that was last seen before that, which is after
// Config.Lifetime, or after RememberFor if sessions are remembered.
func New(keys []string, o Options) (*Ring, error) {
	var bad []error
	mistake := func(format string, a ...any) { bad = append(bad, fmt.Errorf("sealed: "+format, a...)) }
	if len(keys) == 0 {
		mistake("there is no key: make one with sealed.GenerateKey and keep it with your secrets")
	}
	if o.Pad < 0 || o.Pad > maxPad {
		mistake("Options.Pad (%d) is out of range: 0 to %d bytes", o.Pad, maxPad)
	}
	r := &Ring{o: o}
	at := make(map[[idLen]byte]int)
	for i, text := range keys {
		raw, err := parseKey(text)
		if err != nil {
			mistake("keys[%d]: %w: make one with sealed.GenerateKey", i, err)
			continue
		}
		k := key{id: keyID(raw)}
		if before, ok := at[k.id]; ok {
			mistake("keys[%d] is the same as keys[%d]: leave one out", i, before)
			continue
		}
		at[k.id] = i
		if k.master, err = newMaster(raw); err != nil {
			mistake("keys[%d]: %w", i, err)
		}
		r.keys = append(r.keys, k)
	}
	if bad != nil {
		return nil, errors.Join(bad...)
	}
	return r, nil
}

// Seal appends to dst the plain bytes, at most 1 MiB, sealed and in base64url. ad is authenticated, but not
// hidden. Two calls with the same arguments give two different texts. Longer plain bytes are
// [sojourn.ErrTooLarge].
func (r *Ring) Seal(dst, plain, ad []byte) ([]byte, error) {
	var nonce [nonceLen]byte
	rand.Read(nonce[:])
	return r.seal(dst, plain, ad, &nonce)
}

func (r *Ring) seal(dst, plain, ad []byte, nonce *[nonceLen]byte) ([]byte, error) {
	if len(plain) > maxPlain {
		return dst, fmt.Errorf("%w: %d bytes, sealed holds %d", sojourn.ErrTooLarge, len(plain), maxPlain)
	}
	k := &r.keys[0]
	// One array: the text's bytes, and behind them what is authenticated with them.
	size := overhead + r.maxBody(len(plain))
	all := make([]byte, bodyAt, size+bodyAt+len(ad))
	all[0] = formatOne
	copy(all[1:], k.id[:])
	copy(all[nonceAt:], nonce[:])
	all = r.appendBody(all, plain)
	aead, err := k.aead(nonce[:])
	if err != nil {
		return dst, err
	}
	bound := bind(all[size:size], all[:nonceAt], ad)
	all = aead.Seal(all[:bodyAt], nonce[half:], all[bodyAt:], bound)
	return b64.AppendEncode(dst, all), nil
}

// bind appends what is authenticated beside the body: which format and key, and ad.
func bind(dst, head, ad []byte) []byte { return append(append(dst, head...), ad...) }

// The errors of Open.
var (
	errNewer   = fmt.Errorf("sealed: a newer version has sealed this: upgrade this machine too: %w", errors.ErrUnsupported)
	errForeign = errors.New("sealed: not sealed with a key of this ring, or altered")
)

// Open appends to dst what was sealed into text with the same ad. stale means that the key was not the
// first. A text that is foreign or altered is an error. An error that wraps [errors.ErrUnsupported] means
// that a newer version has sealed it.
func (r *Ring) Open(dst, text, ad []byte) (plain []byte, stale bool, err error) {
	start := len(dst)
	all, err := b64.AppendDecode(dst, text)
	if err != nil || bytes.ContainsAny(text, "\r\n") { // which the decoder passes over

		return dst, false, errForeign
	}
	sealed := all[start:]
	if len(sealed) <= overhead {
		return dst, false, errForeign
	}
	for i := range r.keys {
		k := &r.keys[i]
		if [idLen]byte(sealed[1:]) != k.id {
			continue
		}
		if sealed[0] != formatOne {
			return dst, false, errNewer
		}
		nonce := sealed[nonceAt:bodyAt]
		aead, err := k.aead(nonce)
		if err != nil {
			return dst, false, err
		}
		bound := bind(make([]byte, 0, nonceAt+len(ad)), sealed[:nonceAt], ad)
		body, err := aead.Open(sealed[bodyAt:bodyAt], nonce[half:], sealed[bodyAt:], bound)
		if err != nil {
			return dst, false, errForeign
		}
		plain, err = appendPlain(all[:start], body)
		return plain, i > 0, err
	}
	return dst, false, errForeign
}

// Format writes what String returns, whatever the verb, because keys belong in no log.
func (r *Ring) Format(f fmt.State, verb rune) { _, _ = io.WriteString(f, r.String()) }

// String returns how many keys there are.
func (r *Ring) String() string { return "sealed.Ring with " + strconv.Itoa(len(r.keys)) + " keys" }
