package record

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/gosojourn/sojourn/internal/token"
)

func numbered(n int) (h token.Hash) {
	binary.BigEndian.PutUint32(h[:], uint32(n))
	return h
}

const start = 1_700_000_000_000

// renewed is a session that was renewed as often as is remembered, once a millisecond.
func renewed(t *testing.T) (c Content, data []byte) {
	for i := range MaxSuperseded {
		c.Token = numbered(i)
		if err := c.Supersede(start + int64(i)); err != nil {
			t.Fatal(err)
		}
	}
	c.Token = numbered(MaxSuperseded)
	data = c.mustEncode(t)
	c, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return c, data
}

// F33: every token that was replaced within the grace time is known as replaced, not the last four.
func TestF33_SupersededForAsLongAsPromised(t *testing.T) {
	c, _ := renewed(t)
	now := int64(start + MaxSuperseded)
	for i := range MaxSuperseded {
		if !c.Supersedes(numbered(i), now) {
			t.Fatalf("the token of renewal %d is not known any more", i)
		}
	}
	if c.Supersedes(c.Token, now) || c.Supersedes(numbered(MaxSuperseded+1), now) {
		t.Error("a token that was not replaced is taken for one")
	}
	if !c.Supersedes(numbered(0), start+GraceMillis-1) || c.Supersedes(numbered(0), start+GraceMillis) {
		t.Error("the grace time is not kept to the millisecond")
	}
	if !c.Supersedes(numbered(0), start-5000) {
		t.Error("a host whose clock is behind takes the token for a stranger's")
	}
}

func TestF33_RenewalsThatCannotBeRememberedAreRefused(t *testing.T) {
	c, data := renewed(t)
	if err := c.Supersede(start + MaxSuperseded); !errors.Is(err, ErrRenewals) {
		t.Errorf("one renewal more: %v", err)
	}
	if again := c.mustEncode(t); string(again) != string(data) {
		t.Error("a renewal that was refused has changed the record")
	}
	if err := c.Supersede(start + GraceMillis); err != nil { // the first is past
		t.Fatal(err)
	}
	if c.Supersedes(numbered(0), start+1) || !c.Supersedes(numbered(1), start+GraceMillis) || !c.Supersedes(c.Token, start+GraceMillis) {
		t.Error("not what is past was forgotten")
	}
	if len(c.superseded) != MaxSuperseded*supersededLen {
		t.Errorf("%d bytes", len(c.superseded))
	}
}

func TestLineageIsBounded(t *testing.T) {
	var c Content
	var room [maxLineage * versionLen]byte
	for v := uint64(1); v <= 20; v++ {
		c.Descend(room[:0], v, 1000, 2000) // in the place of the one before, each time
	}
	if len(c.lineage) != maxLineage*versionLen || c.DescendsFrom(12) {
		t.Errorf("%d bytes of lineage", len(c.lineage))
	}
	for v := uint64(13); v <= 20; v++ {
		if !c.DescendsFrom(v) {
			t.Errorf("version %d is not known", v)
		}
	}
	if &c.lineage[0] != &room[0] {
		t.Error("the room was not used")
	}
	if c.Descend(nil, 21, 0, lineageMillis+1); len(c.lineage) != versionLen || !c.DescendsFrom(21) {
		t.Error("what is over a minute old was kept")
	}
}
