// Package sojourntest helps to test handlers that use sessions. [Context] is for one handler, [Browser] is
// for a whole application, and [FaultyStore] is a store that fails on command. Nothing here opens a socket
// or sleeps, so all of it works in a testing/synctest bubble.
package sojourntest
