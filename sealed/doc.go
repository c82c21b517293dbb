// Package sealed encrypts the sessions that clients keep in their cookies. A [Ring] of keys encrypts and
// authenticates what [sojourn.NewSealed] gives it. docs/sealed-format.md has the format, byte by byte.
package sealed
