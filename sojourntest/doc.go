// Package sojourntest helps to test handlers that use sessions: one handler with Context, a whole
// application with Browser, a store that fails with FaultyStore. Nothing opens a socket or sleeps,
// so all of it works inside a testing/synctest bubble.
package sojourntest
