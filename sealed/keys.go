package sealed

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// GenerateKey returns a new key for New: 32 random bytes in base64url, which are 43 characters. Keep it with
// your secrets. Anybody who has it can log in as anybody.
func GenerateKey() string {
	for {
		key := make([]byte, keyLen)
		rand.Read(key)
		text := base64.RawURLEncoding.EncodeToString(key)
		if _, err := parseKey(text); err == nil {
			return text
		}
	}
}

var errKeyLength = errors.New("it is not 32 bytes in base64 or hexadecimal")

// parseKey reads base64, either alphabet, padded or not, or hexadecimal. What it says of a key tells
// nothing of what is in it.
func parseKey(text string) ([]byte, error) {
	text = strings.TrimSpace(text)
	key, err := hex.DecodeString(text)
	inHex := err == nil && len(key) == keyLen
	if !inHex {
		plain := strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(text, "="))
		key, err = base64.RawURLEncoding.Strict().DecodeString(plain)
		if err != nil || len(key) != keyLen {
			return nil, fmt.Errorf("%w (it has %d characters)", errKeyLength, len(text))
		}
	}
	if why := guessable(key); why != "" {
		return nil, errors.New(why)
	}
	if !inHex && (words.MatchString(text) || spoken.MatchString(text)) {
		return nil, errors.New("it is made of words, which can be guessed")
	}
	return key, nil
}

var (
	words  = regexp.MustCompile(`(?i)secret|passw|change|example|session|sojourn|default|insecure|production|develop|qwerty|123456|abcdef`)
	spoken = regexp.MustCompile(`^[a-z0-9_-]*=?$`)
)

// guessable says why key was not drawn at random; "" if it may have been. Of random keys not one in
// 10^12 is refused.
func guessable(key []byte) string {
	var seen [256]bool
	distinct, printable, step := 0, true, true
	for i, b := range key {
		if !seen[b] {
			distinct++
		}
		seen[b] = true
		printable = printable && b >= ' ' && b <= '~'
		step = step && (i < 2 || b-key[i-1] == key[1]-key[0])
	}
	switch {
	case distinct == 1:
		return "it is one byte again and again"
	case step:
		return "it is a sequence"
	case distinct < keyLen/2:
		return "it repeats itself"
	case printable:
		return "it is text, which can be guessed"
	}
	return ""
}

// keyID is how a seal names its key; it tells nothing of the key.
func keyID(key []byte) (id [idLen]byte) {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("sojourn sealed key id"))
	copy(id[:], mac.Sum(nil))
	return id
}
