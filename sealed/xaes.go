package sealed

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
)

// XAES-256-GCM (C2SP, https://c2sp.org/XAES-256-GCM): AES-256-GCM under a key of its own for each
// message, derived from the first half of a nonce of 24 bytes as in NIST SP 800-108r1, with CMAC. So nonces
// may be drawn at random for ever.
const (
	keyLen   = 32
	nonceLen = 24
	tagLen   = 16
	half     = nonceLen / 2
)

// A master is a key that keys of messages are derived from.
type master struct {
	block cipher.Block
	k1    [aes.BlockSize]byte // CMAC's subkey for whole blocks (NIST SP 800-38B, 6.1)
}

func newMaster(key []byte) (*master, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	m := &master{block: block}
	block.Encrypt(m.k1[:], m.k1[:])
	msb := m.k1[0] >> 7
	for i := range m.k1 {
		m.k1[i] <<= 1
		if i+1 < len(m.k1) {
			m.k1[i] |= m.k1[i+1] >> 7
		}
	}
	m.k1[len(m.k1)-1] ^= msb * 0x87
	return m, nil
}

// aead answers the cipher of the message with that nonce, whose second half is the nonce for it.
func (m *master) aead(nonce []byte) (cipher.AEAD, error) {
	var key [keyLen]byte
	for i := range 2 {
		part := key[i*aes.BlockSize:][:aes.BlockSize]
		part[1], part[2] = byte(i+1), 'X'
		copy(part[4:], nonce[:half])
		subtle.XORBytes(part, part, m.k1[:])
		m.block.Encrypt(part, part)
	}
	block, err := aes.NewCipher(key[:])
	clear(key[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
