package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gosojourn/sojourn/sealed"
)

type keygenCmd struct {
	Out string `placeholder:"FILE" help:"Write it to a new file that only you can read, and print nothing of it."`
}

func (keygenCmd) Help() string {
	return `Without --out the key is printed, which nothing else of this command does with a secret. Whoever has it can log in as
anybody.`
}

type generated struct {
	Key  string `json:"key,omitempty"`
	File string `json:"file,omitempty"`
}

func (c *keygenCmd) Run(t *terminal) error {
	key := sealed.GenerateKey()
	if c.Out == "" {
		t.printf("%s", key)
		return t.answer(generated{Key: key})
	}
	f, err := os.OpenFile(c.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already, and was left alone: sojourn keys rotate puts a new key into it", c.Out)
	} else if err != nil {
		return err
	}
	_, err = f.WriteString(key + "\n")
	if err := errors.Join(err, f.Sync(), f.Close(), syncFolder(filepath.Dir(c.Out))); err != nil {
		return errors.Join(err, os.Remove(c.Out))
	}
	t.printf("Wrote a new key to %s.", c.Out)
	return t.answer(generated{File: c.Out})
}
