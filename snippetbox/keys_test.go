package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/gosojourn/sojourn/sealed"
)

func TestKeysAreMadeOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	var all sync.WaitGroup
	var rings [8]*sealed.Ring
	for i := range rings {
		all.Go(func() {
			var err error
			if rings[i], err = openKeys(path); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	text, err := rings[0].Seal(nil, []byte("x"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range rings {
		if _, _, err := r.Open(nil, text, nil); err != nil {
			t.Errorf("ring %d has another key", i)
		}
	}
	info, err := os.Stat(path)
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v, want mode 0600", info.Mode(), err)
	}
	if files, _ := os.ReadDir(filepath.Dir(path)); len(files) != 1 {
		t.Errorf("%d files are there, want the keys alone", len(files))
	}
}

func TestKeysThatCannotBeUsed(t *testing.T) {
	good := sealed.GenerateKey()
	write := func(text string, mode os.FileMode) string {
		path := filepath.Join(t.TempDir(), "keys")
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if _, err := openKeys(write(good+"\n"+sealed.GenerateKey()+"\n", 0o600)); err != nil {
		t.Errorf("two keys: %v", err)
	}
	for name, path := range map[string]string{
		"empty":         write("", 0o600),
		"no key":        write("hunter2", 0o600),
		"the same":      write(good+"\n"+good, 0o600),
		"no such place": filepath.Join(t.TempDir(), "nowhere", "keys"),
		"a directory":   t.TempDir(),
	} {
		if _, err := openKeys(path); err == nil || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), good) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if runtime.GOOS != "windows" {
		if _, err := openKeys(write(good, 0o644)); err == nil || !strings.Contains(err.Error(), "chmod 600") {
			t.Errorf("for everybody to read: %v", err)
		}
	}
}
