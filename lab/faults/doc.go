// Package faults does to real servers and real processes what happens to them, under clients that remember what they
// were told. Afterwards everything that was acknowledged has to be there, and everybody who was logged out has to be
// out. docs/reliability.md has the table.
//
//	go test ./lab/faults -v                                             the short ones, each for a moment
//	go test ./lab/faults -v -timeout 0 -soak 30s                        all, each lasting half a minute
//	go test ./lab/faults -v -soak 3s -run 'TestFaults/Redis killed'     those whose name begins so
package faults
