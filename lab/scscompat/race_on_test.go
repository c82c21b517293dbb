//go:build race

package scscompat_test

const raceDetector = true
