// Package fence is what a store and the request that asks it tell each other about fences, besides what
// the interfaces of stores have: wrappers of stores pass contexts on, and would hide a method more. Fences
// pass by number, because this room is below the one that has the types.
package fence

import "context"

type freeKey struct{}

// Free is ctx for the last look at a fence before a login counts: the store answers when no transaction is open
// that has raised this owner's, or with an error when the time of ctx is over.
func Free(ctx context.Context) context.Context { return context.WithValue(ctx, freeKey{}, true) }

// IsFree reports whether ctx comes from Free.
func IsFree(ctx context.Context) bool { return ctx.Value(freeKey{}) != nil }

// A Request is told what it has done to fences through the store itself.
type Request interface {
	// Raised says that owner's fence is raised to number by a transaction of the application, if that is committed.
	// settle asks the store once more; it reports whether the transaction is over, and has it noted by when.
	Raised(owner string, number uint64, settle func(ctx context.Context) bool)
}

// RequestKey finds the Request of a context.
type RequestKey struct{}

// RequestOf is the request of ctx, or nil.
func RequestOf(ctx context.Context) Request {
	r, _ := ctx.Value(RequestKey{}).(Request)
	return r
}
