package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// A keyFile is one that is about to be replaced. Its successor lies beside it from the beginning, so that of two who
// rotate at once one is told: else the key of the first would be lost.
type keyFile struct {
	path string
	text string
	info fs.FileInfo
	next *os.File
}

// takeOver reads the file at path, behind symbolic links, for its replacement.
func takeOver(path string) (*keyFile, error) {
	behind, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no file %s: sojourn keygen --out makes one", path)
	} else if err != nil {
		return nil, err
	}
	k := &keyFile{path: behind}
	k.next, err = os.OpenFile(behind+".new", os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("somebody else is rotating these keys, or was cut off while doing so: if nobody is, remove %s", behind+".new")
	} else if err != nil {
		return nil, err
	}
	var text []byte
	if k.info, err = os.Stat(behind); err == nil {
		text, err = os.ReadFile(behind)
	}
	if err != nil {
		k.giveUp()
		return nil, err
	}
	k.text = string(text)
	return k, nil
}

// giveUp leaves the file as it is, unless it was replaced.
func (k *keyFile) giveUp() {
	if k.next != nil {
		k.next.Close()
		os.Remove(k.next.Name())
	}
}

// replace puts text in the place of what is in the file: all of it, or nothing. Its owner stays, or the application
// could not read it any more.
func (k *keyFile) replace(text string) error {
	_, err := k.next.WriteString(text)
	if err == nil {
		err = keepOwner(k.next, k.info)
	}
	if err == nil {
		err = k.next.Chmod(mode)
	}
	if err == nil {
		err = k.next.Sync()
	}
	if err == nil {
		err = k.next.Close()
	}
	if err == nil {
		err = os.Rename(k.next.Name(), k.path)
	}
	if err != nil {
		return fmt.Errorf("%s was left as it is: %w", k.path, err)
	}
	k.next = nil
	if err := syncFolder(filepath.Dir(k.path)); err != nil {
		return fmt.Errorf("%s is replaced, but a power cut might undo that: %w", k.path, err)
	}
	return nil
}

// syncFolder has a folder keep what its files are called, where the system can.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
