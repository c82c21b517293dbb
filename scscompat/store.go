package scscompat

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gosojourn/sojourn"
)

// Store is a store that is written for scs. To keep sessions in one of Sojourn's, see Native.
type Store interface {
	// Delete removes the session of token. One that is not there is no error.
	Delete(token string) (err error)

	// Find answers what was committed under token; found is false if there is nothing or it has expired.
	// An error means that the store could not answer.
	Find(token string) (b []byte, found bool, err error)

	// Commit keeps b under token until expiry, whatever was there.
	Commit(token string, b []byte, expiry time.Time) (err error)
}

// IterableStore is a Store that can list its sessions.
type IterableStore interface {
	// All answers what is kept of every session that has not expired, by token.
	All() (map[string][]byte, error)
}

// CtxStore is a Store whose methods take a context. They are called in place of the others.
type CtxStore interface {
	Store

	// DeleteCtx is Delete with a context.
	DeleteCtx(ctx context.Context, token string) (err error)

	// FindCtx is Find with a context.
	FindCtx(ctx context.Context, token string) (b []byte, found bool, err error)

	// CommitCtx is Commit with a context.
	CommitCtx(ctx context.Context, token string, b []byte, expiry time.Time) (err error)
}

// IterableCtxStore is IterableStore with a context.
type IterableCtxStore interface {
	// AllCtx is All with a context.
	AllCtx(ctx context.Context) (map[string][]byte, error)
}

// Native makes a store of Sojourn's one that SessionManager.Store can hold:
//
//	sessionManager.Store = scs.Native(memstore.New())
//
// The manager asks store itself. The methods that the result has for its type's sake answer
// errors.ErrUnsupported: a row of Sojourn's is found by a part of its token, and holds no gob.
func Native(store sojourn.Store) Store { return &native{store} }

type native struct{ sojourn sojourn.Store }

func (*native) unsupported(what string) error {
	return fmt.Errorf("scscompat: %s: a store of Sojourn's keeps no tokens: use the session manager, or the store that was given to Native: %w", what, errors.ErrUnsupported)
}

func (n *native) Delete(string) error                    { return n.unsupported("Delete") }
func (n *native) Find(string) ([]byte, bool, error)      { return nil, false, n.unsupported("Find") }
func (n *native) Commit(string, []byte, time.Time) error { return n.unsupported("Commit") }
