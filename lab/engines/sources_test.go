package main

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

func TestSourcesOfBothFormats(t *testing.T) {
	etc := t.TempDir()
	for name, text := range map[string]string{
		"sources.list": "# deb https://old.example stable main\n" +
			"deb https://one.example/debian bookworm main contrib\n" +
			"deb-src https://one.example/debian bookworm main\n" +
			"deb [arch=amd64 signed-by=/keys/two.gpg] https://two.example bookworm main\n",
		"sources.list.d/three.sources": "Types: deb\n# URIs: https://old.example\nURIs: https://three.example/debian\n" +
			"Suites: bookworm bookworm-updates\nComponents: main\nSigned-By: /keys/three.gpg\n\n" +
			"Types: deb\nURIs: https://four.example\nSuites: nodistro\nComponents: main\n",
		"sources.list.d/five.list.save": "deb https://five.example bookworm main\n",
	} {
		path := filepath.Join(etc, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var got []source
	for _, s := range sources(etc) {
		if len(s.uris) > 0 {
			got = append(got, s)
		}
	}
	want := []source{
		{[]string{"https://one.example/debian"}, []string{"bookworm"}, []string{"main", "contrib"}, ""},
		{[]string{"https://two.example"}, []string{"bookworm"}, []string{"main"}, "/keys/two.gpg"},
		{[]string{"https://three.example/debian"}, []string{"bookworm", "bookworm-updates"}, []string{"main"}, "/keys/three.gpg"},
		{[]string{"https://four.example"}, []string{"nodistro"}, []string{"main"}, ""},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestTestsAreCountedAndTheirPartsAreNot(t *testing.T) {
	out := "--- PASS: TestA (0.1s)\n    --- PASS: TestA/one (0.1s)\n--- SKIP: TestB (0s)\n--- FAIL: TestC (0s)\n    --- FAIL: TestC/x (0s)\n"
	if got := count([]byte(out)); got != (outcome{passed: 1, failed: 1}) {
		t.Errorf("%+v", got)
	}
}
