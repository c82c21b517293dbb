package integration

import (
	"testing"

	"github.com/gosojourn/sojourn/lab/harness"
)

func TestMain(m *testing.M) {
	harness.SideBySide("4") // a server of 100 connections has enough for so many
	harness.Main(m)
}
