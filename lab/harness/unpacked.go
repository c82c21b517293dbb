package harness

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// An unpacked is a folder with the Debian packages of a server and of all that it needs, its own libc
// included: what lab/engines makes. "" is this machine, with what is installed on it.
type unpacked string

// rootOf answers what the variable names.
func rootOf(env string) unpacked { return unpacked(os.Getenv(env)) }

// path answers the program's own, or "" where there is none.
func (u unpacked) path(programs ...string) string {
	for _, name := range programs {
		path := filepath.Join(string(u), name)
		if u == "" {
			path = name
		}
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	return ""
}

// command runs a program by the loader and the libraries that it came with, so that they need not fit those
// of this machine.
func (u unpacked) command(path string, args ...string) *exec.Cmd {
	loader := u.loader()
	if u == "" || loader == "" {
		return exec.Command(path, args...)
	}
	return exec.Command(loader, append([]string{"--library-path", filepath.Dir(loader), path}, args...)...)
}

func (u unpacked) loader() string {
	all, _ := filepath.Glob(filepath.Join(string(u), "usr/lib/*-linux-gnu*/ld-linux*.so.*"))
	if len(all) == 0 {
		return ""
	}
	return all[0]
}

// independent makes programs that start each other, and so not by the loader's name, run by themselves. It is
// done once: the folder stays where it is.
func (u unpacked) independent(paths ...string) error {
	loader := u.loader()
	tool := u.path("usr/bin/patchelf")
	if u == "" || loader == "" || tool == "" {
		return nil
	}
	for _, path := range paths {
		if exec.Command(path, "--version").Run() == nil {
			continue
		}
		cmd := u.command(tool, "--set-interpreter", loader, "--force-rpath", "--set-rpath", filepath.Dir(loader), path)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("patchelf %s: %w: %s", path, err, out)
		}
	}
	return nil
}
