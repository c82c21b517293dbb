package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// An apt is a configuration of apt in a folder of its own, for which nothing is installed, so that with a
// package comes all that it needs.
type apt struct{ dir string }

func newApt() (*apt, error) {
	line, err := sid()
	if err != nil {
		return nil, err
	}
	a := &apt{}
	if a.dir, err = os.MkdirTemp("", "sojourn-apt-"); err != nil {
		return nil, err
	}
	for _, sub := range []string{"lists/partial", "cache/archives/partial"} {
		if err == nil {
			err = os.MkdirAll(filepath.Join(a.dir, sub), 0o755)
		}
	}
	for name, text := range map[string]string{"sources.list": line, "status": ""} {
		if err == nil {
			err = os.WriteFile(filepath.Join(a.dir, name), []byte(text), 0o644)
		}
	}
	if err == nil {
		err = a.get("update")
	}
	if err != nil {
		a.remove()
		return nil, err
	}
	return a, nil
}

func (a *apt) remove() { os.RemoveAll(a.dir) }

func (a *apt) get(args ...string) error {
	options := []string{"-qq"}
	for _, o := range []string{
		"Dir::Etc::SourceList=" + filepath.Join(a.dir, "sources.list"), "Dir::Etc::SourceParts=-", "Dir::Etc::PreferencesParts=-",
		"Dir::State::Lists=" + filepath.Join(a.dir, "lists"), "Dir::State::status=" + filepath.Join(a.dir, "status"),
		"Dir::Cache=" + filepath.Join(a.dir, "cache"), "APT::Sandbox::User=", "Debug::NoLocking=true",
		"Acquire::Languages=none", "Acquire::Retries=2", "Acquire::http::Timeout=30", "APT::Update::Error-Mode=any",
	} {
		options = append(options, "-o", o)
	}
	return run(exec.Command("apt-get", append(options, args...)...))
}

// unpack puts the packages of e, and all that they need, into one folder. It is there whole or not at all.
func (a *apt) unpack(e engine, dir string) error {
	archives := filepath.Join(a.dir, "cache", "archives")
	old, _ := filepath.Glob(filepath.Join(archives, "*.deb"))
	for _, deb := range old {
		os.Remove(deb)
	}
	if err := a.get(append([]string{"-y", "-d", "--no-install-recommends", "install"}, e.packages...)...); err != nil {
		return err
	}
	debs, _ := filepath.Glob(filepath.Join(archives, "*.deb"))
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	version := ""
	for _, deb := range debs {
		if err := run(exec.Command("dpkg", "-x", deb, dir)); err != nil {
			return err
		}
		if name, rest, _ := strings.Cut(filepath.Base(deb), "_"); name == e.packages[0] {
			version, _, _ = strings.Cut(rest, "_")
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil { // dpkg makes it as the package has its own
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, e.program)); err != nil {
		return fmt.Errorf("the package %s has no %s", e.packages[0], e.program)
	}
	return os.WriteFile(filepath.Join(dir, versionFile), []byte(strings.ReplaceAll(version, "%3a", ":")), 0o644)
}

// run answers the last line of what cmd has said where it fails: a report has one line for each engine.
func run(cmd *exec.Cmd) error {
	out, err := cmd.CombinedOutput()
	if err != nil {
		lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
		return fmt.Errorf("%s: %w: %s", filepath.Base(cmd.Path), err, lines[len(lines)-1])
	}
	return nil
}

// fetch sees to it that e is unpacked in the cache, and answers its version.
func fetch(e engine, cache string, apts func() (*apt, error)) (string, error) {
	if v := e.version(cache); v != "" {
		return v, nil
	}
	a, err := apts()
	if err == nil {
		err = a.unpack(e, e.dir(cache))
	}
	return e.version(cache), err
}
