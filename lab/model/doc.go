// Package model drives a manager's whole public API with drawn schedules, and holds what it answers
// against a small model of what the laws of docs/design.md allow.
//
// A [Plan] is all there is to a schedule: which requests come, from which browser to which of two
// processes, what their handlers do, and, step by step, what happens at the store's doors. [Run] carries
// it out on parked calls and a fake clock, so a failing plan can be made smaller; [RunReal] runs the
// same requests side by side on a real store. Both keep the same [ledger].
//
// Who keeps the sessions is a [Keeper]. A token of the ledger's is one of the store's, for which all laws hold, or a
// seal, of which copies can be shown; with [Visitors] a browser may have one of each.
package model
