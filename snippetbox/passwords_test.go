package main

import (
	"context"
	"strings"
	"testing"
)

func TestHashingCostsWhatOWASPAsks(t *testing.T) {
	if owasp.Memory < 19<<10 || owasp.Iterations < 2 || owasp.Parallelism != 1 || owasp.SaltLength < 16 || owasp.KeyLength < 32 {
		t.Errorf("%+v", *owasp)
	}
}

func TestPasswords(t *testing.T) {
	p, err := newPasswords()
	if err != nil {
		t.Fatal(err)
	}
	one, err := p.hash(t.Context(), pass)
	two, _ := p.hash(t.Context(), pass)
	if err != nil || !strings.HasPrefix(one, "$argon2id$v=19$") || one == two || len(one) > 255 {
		t.Errorf("%q, %q, %v", one, two, err)
	}
	for _, c := range []struct {
		password, hash string
		want           bool
	}{
		{pass, one, true}, {pass, two, true}, {pass + " ", one, false}, {"", one, false},
		{"", "", false}, // there is no account, whatever the dummy was made of
	} {
		if got, err := p.match(t.Context(), c.password, c.hash); got != c.want || err != nil {
			t.Errorf("%q with %q: %t, %v", c.password, c.hash, got, err)
		}
	}
	if _, err := p.match(t.Context(), pass, "nonsense"); err == nil {
		t.Error("a hash that is none passes for one")
	}
	for range cap(p.slots) {
		p.slots <- struct{}{}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.hash(gone, pass); err == nil {
		t.Error("there is room for one more than there is room for")
	}
}
