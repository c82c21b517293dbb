package scscompat_test

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write ours/app.go anew")

const (
	theirImport = `scs "github.com/alexedwards/scs/v2"`
	ourImport   = `scs "github.com/gosojourn/sojourn/scscompat"`
)

// TestOneImportLine: the application moves by one import line (and is a package of another name here, so that both
// can be in one program).
func TestOneImportLine(t *testing.T) {
	text, err := os.ReadFile("theirs/app.go")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(text), theirImport) != 1 {
		t.Fatalf("theirs/app.go has not one line %s", theirImport)
	}
	_, code, _ := strings.Cut(string(text), "\npackage theirs\n")
	want := "// Package ours is package theirs with one import line changed: go test -run OneImportLine -update writes it.\npackage ours\n" +
		strings.Replace(code, theirImport, ourImport, 1)
	if *update {
		if err := os.WriteFile("ours/app.go", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("ours/app.go")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("ours/app.go is not theirs/app.go with one import line changed: go test -run OneImportLine -update")
	}
}
