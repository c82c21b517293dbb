// Package bridge is what packages of this module need of a manager beyond the public API. Those that speak another
// library's have values as bytes, an absolute limit that may move both ways, a session without an HTTP request,
// sessions in a format that is not ours. Package dbsc has sessions by their public id, and a say in
// who may have one. Package sojourn fills it in. Managers, configurations and records pass as any, because this room is
// below the one that has their types.
package bridge

import (
	"context"
	"errors"
	"time"
)

// Short is how long a value may be that costs no object of its own.
const Short = 40

// A Session is one request's session. Its methods may be called at once from several goroutines.
type Session interface {
	Get(name string) []byte                            // encoded, nil when absent; nobody may write to it
	Put(ctx context.Context, name string, data []byte) // data is the session's from now on
	PutShort(ctx context.Context, name string, data [Short]byte, n int)
	Pop(ctx context.Context, name string) []byte
	Delete(ctx context.Context, name string)
	Fail(err error)                    // the next Commit answers err and saves nothing
	Unreadable(name string, err error) // tells of a value that cannot be decoded

	Status() Status
	ID() string    // public name of the session that was loaded or saved; "" while there is none
	Token() string // of that session; "" while there is none or another one waits for a Commit

	// Deadline is the absolute limit as this request would leave it, zero while there is no session.
	Deadline() time.Time
	// SetDeadline moves it either way, to at least a second and at most 400 days from now. A cookie that
	// outlives the browser is sent again with a new token, if there is still a header to send it in.
	SetDeadline(ctx context.Context, t time.Time)
	Began() time.Time // of the request

	// Beside is what the caller keeps with the request, made by the first to ask with a make that is not nil.
	Beside(make func() any) any
}

// A Status says what a request has done to its session.
type Status uint8

const (
	Untouched Status = iota
	Changed
	Ended // and nothing since
)

// Rows keep whole sessions under their tokens, in a format that is not ours, without versions: whoever writes
// last wins. An error means: could not answer.
type Rows interface {
	WellFormed(token string) bool
	NewToken() string
	Find(ctx context.Context, token string) (r Row, found bool, err error)
	Save(ctx context.Context, token string, r Row, expiry time.Time) error
	Delete(ctx context.Context, token string) error
}

// ErrEncode is what Save answers, wrapped, when a value does not encode: nothing was written, and the store is not
// to blame.
var ErrEncode = errors.New("the session does not encode")

// A Row is one session.
type Row struct {
	Deadline   time.Time
	Remembered bool
	Values     map[string][]byte // encoded
}

var (
	// New is sojourn.New with a sojourn.Store; of a remembered session the cookie outlives the browser, and
	// that is all. It answers a *sojourn.Manager.
	New func(store, cfg any) (m any, err error)

	// NewRows is New with sessions in rows.
	NewRows func(rows Rows, cfg any) (m any, err error)

	// Entry is the sojourn.Entry of a value that is encoded.
	Entry func(name string, data []byte) any

	// Of is m's session in ctx, or nil.
	Of func(ctx context.Context, m any) Session

	// Begin gives ctx a session of m as a request would have it that shows token. Nothing of it is saved but by
	// Commit, and nothing is sent.
	Begin func(ctx context.Context, m any, token string) context.Context

	// Adopt is Begin of a session that is known: a sojourn.Record, or with Rows a Row under its token.
	// An error says that it does not parse, or is over.
	Adopt func(ctx context.Context, m any, token string, known any) (context.Context, error)
)
