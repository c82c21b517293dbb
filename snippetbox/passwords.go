package main

import (
	"context"
	"fmt"
	"runtime"

	"github.com/alexedwards/argon2id"
)

const (
	minPassword = 8   // characters (ASVS 6.2.1)
	maxPassword = 256 // characters: far more than the 64 that must be possible (ASVS 6.2.9)
)

// hashing is what guessing one password costs: the least of OWASP's choices for argon2id.
var hashing = &argon2id.Params{Memory: 19 << 10, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// passwords hashes and compares. Each takes 19 MiB for some 30 ms, so only so many run at once.
type passwords struct {
	slots chan struct{}
	dummy string // the hash of nothing in particular
}

func newPasswords() (*passwords, error) {
	dummy, err := argon2id.CreateHash("", hashing)
	if err != nil {
		return nil, err
	}
	return &passwords{make(chan struct{}, runtime.GOMAXPROCS(0)), dummy}, nil
}

// turn waits until there is room for one more. An error is that of ctx.
func (p *passwords) turn(ctx context.Context) (done func(), err error) {
	select {
	case p.slots <- struct{}{}:
		return func() { <-p.slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *passwords) hash(ctx context.Context, password string) (string, error) {
	done, err := p.turn(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	return argon2id.CreateHash(password, hashing)
}

// match compares password with hash. An empty hash, of an account that does not exist, matches
// nothing and takes as long as any: the time of an answer must not tell who has an account here.
func (p *passwords) match(ctx context.Context, password, hash string) (bool, error) {
	done, err := p.turn(ctx)
	if err != nil {
		return false, err
	}
	defer done()
	exists := hash != ""
	if !exists {
		hash = p.dummy
	}
	ok, err := argon2id.ComparePasswordAndHash(password, hash)
	if err != nil {
		return false, fmt.Errorf("passwords: %w", err)
	}
	return ok && exists, nil
}
