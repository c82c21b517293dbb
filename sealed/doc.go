// Package sealed keeps sessions in the client's cookie: a [Ring] of keys encrypts and authenticates
// what [sojourn.NewSealed] gives it. docs/sealed-format.md has the format, byte by byte.
package sealed
