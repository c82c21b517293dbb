package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/gosojourn/sojourn/sealed"
)

// openKeys reads the keys that cookies are sealed with, one a line, the newest first. The file is made
// where there is none; "" is one in the user's data directory.
func openKeys(path string) (*sealed.Ring, error) {
	if path == "" {
		dir, err := dataDir()
		if err != nil {
			return nil, fmt.Errorf("there is no place for the keys: %w: choose a file with -keys", err)
		}
		path = filepath.Join(dir, "snippetbox", "keys")
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, err
		}
	}
	text, err := readKeys(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeKeys(path); err != nil {
			return nil, fmt.Errorf("-keys: %w", err)
		}
		text, err = readKeys(path)
	}
	if err != nil {
		return nil, fmt.Errorf("-keys: %w", err)
	}
	ring, err := sealed.New(strings.Fields(text), sealed.Options{})
	if err != nil {
		return nil, fmt.Errorf("-keys %s: %w", path, err)
	}
	return ring, nil
}

func readKeys(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("others on this machine can read the keys in %s: chmod 600 it, and put a new key first", path)
	}
	text, err := os.ReadFile(path)
	return string(text), err
}

// makeKeys leaves whole keys or none, and only the first of several who start at once makes them.
func makeKeys(path string) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // which nobody else can read
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(sealed.GenerateKey() + "\n")
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return os.Rename(f.Name(), path) // a file system without links
	}
	return nil
}
