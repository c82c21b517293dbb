package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

// pack writes each module into dir as a module proxy serves it, from the files as they are.
func pack(root, dir, version string, all []mod) error {
	for _, m := range all {
		at := filepath.Join(dir, filepath.FromSlash(m.path), "@v")
		if err := os.MkdirAll(at, 0o755); err != nil {
			return err
		}
		info := fmt.Sprintf(`{"Version":%q,"Time":%q}`, version, time.Now().UTC().Format(time.RFC3339))
		err := errors.Join(
			os.WriteFile(filepath.Join(at, "list"), []byte(version+"\n"), 0o644),
			os.WriteFile(filepath.Join(at, version+".info"), []byte(info), 0o644),
			os.WriteFile(filepath.Join(at, version+".mod"), m.text, 0o644),
			packOne(filepath.Join(root, m.dir), filepath.Join(at, version+".zip"), module.Version{Path: m.path, Version: version}))
		if err != nil {
			return fmt.Errorf("%s: %w", m.path, err)
		}
	}
	return nil
}

func packOne(from, to string, v module.Version) error {
	f, err := os.Create(to)
	if err != nil {
		return err
	}
	return errors.Join(zip.CreateFromDir(f, v, from), f.Close())
}
