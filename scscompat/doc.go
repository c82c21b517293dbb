// Package scscompat has the public API of github.com/alexedwards/scs/v2, version 2.9.0, on Sojourn's engine.
// To move an application that is written for scs, change one import line:
//
//	import scs "github.com/gosojourn/sojourn/scscompat"
//
// Sessions are kept in memory, as with scs, until Store is set: to one of Sojourn's, wrapped by Native, or to
// the store of scs that the application has. With the latter rows, tokens and cookies stay as they are, so
// nobody is logged out by the change, nor by taking it back, and processes of both libraries may serve the same
// sessions; but such a store compares nothing when it writes, so two processes that write one session at once may
// lose a change. With Native every key is a value of its own and no change is lost.
//
// What behaves otherwise than with scs, and why, is a list of executable cases in lab/scscompat;
// docs/moving-from-scs.md has it as a table, beside the way on to Sojourn's own API: Manager gives the
// manager underneath, whose keys and verbs act on the same sessions.
//
// When Store is set to another store by Native, set Legacy to the reader of what scs has stored: then nobody is logged
// out, and every value is taken along. Without it those people log in once more. While servers of both versions
// run, values are copied once; docs/moving-from-scs.md tells what else holds.
package scscompat
