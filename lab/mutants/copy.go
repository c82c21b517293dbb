package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

const module = "module github.com/gosojourn/sojourn\n"

func isRoot(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err == nil && !strings.HasPrefix(string(text), module) {
		err = errors.New("this is not the root of the repository")
	}
	return err
}

// A copied is the root module in a folder of its own, where it may be broken.
type copied struct{ dir string }

// copyOf copies the root module: what is Go and of no module further in, and what tests read.
func copyOf(root string) (*copied, error) {
	dir, err := os.MkdirTemp("", "sojourn-mutants-")
	if err != nil {
		return nil, err
	}
	c := &copied{dir}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != "." && (strings.HasPrefix(d.Name(), ".") || isModule(path)) {
				return fs.SkipDir
			}
			return os.MkdirAll(filepath.Join(dir, name), 0o777)
		}
		if !d.Type().IsRegular() || !wanted(name) {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, name), text, 0o666)
	})
	if err != nil {
		c.remove()
		return nil, err
	}
	return c, nil
}

// wanted are the files of the module that the tests named here are made of: each build is one less that way.
func wanted(name string) bool {
	test := strings.HasSuffix(name, "_test.go")
	return name == "go.mod" || strings.HasSuffix(name, ".go") && (!test || name == "main_test.go" || strings.HasPrefix(name, "faults_"))
}

func isModule(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

func (c *copied) remove() { _ = os.RemoveAll(c.dir) }

// tryOne breaks the copy, tests it, and mends it again. caught is the test that failed, "" if none did.
func (c *copied) tryOne(m mutant) (caught, out string, err error) {
	path := filepath.Join(c.dir, filepath.FromSlash(m.file))
	whole, err := os.ReadFile(path)
	if err != nil {
		return "", "", err
	}
	if n := m.in(whole); n != 1 {
		return "", "", fmt.Errorf("%s has this text %d times, want once: the code has changed, so change the mutant:\n%s", m.file, n, m.old)
	}
	broken := bytes.Replace(whole, []byte(m.old), []byte(m.new), 1)
	if err := os.WriteFile(path, broken, 0o666); err != nil {
		return "", "", err
	}
	defer func() { err = errors.Join(err, os.WriteFile(path, whole, 0o666)) }()
	return c.test(m.run)
}

var failure = regexp.MustCompile(`(?m)^--- FAIL: (\S+)`)

// test runs what matches run, and answers the first test that failed.
func (c *copied) test(run string) (failed, out string, err error) {
	cmd := exec.Command("go", "test", "-short", "-count=1", "-vet=off", "-timeout=30s", "-run="+run, ".")
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=", "SOJOURN_RACE_REQUESTS=100")
	text, err := cmd.CombinedOutput()
	out = string(text)
	var exit *exec.ExitError
	switch {
	case err == nil && strings.Contains(out, "no tests to run"):
		return "", out, fmt.Errorf("nothing matches -run=%s", run)
	case err == nil:
		return "", out, nil
	case !errors.As(err, &exit):
		return "", out, err
	case strings.Contains(out, "[build failed]"), strings.Contains(out, "[setup failed]"):
		return "", out, fmt.Errorf("it does not build:\n%s", out)
	}
	if f := failure.FindStringSubmatch(out); f != nil {
		return f[1], out, nil
	}
	if strings.Contains(out, "panic: test timed out") {
		return run + " (it does not end)", out, nil
	}
	return run + " (the process ends)", out, nil
}
