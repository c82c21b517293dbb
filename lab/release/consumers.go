package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A consumer is a program of somebody who depends on one module, and a line that it prints.
type consumer struct{ module, program, prints string }

var consumers = []consumer{
	{home, `package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
)

var visits = sojourn.NewKey[int]("visits")

func main() {
	m, err := sojourn.New(memstore.New(), sojourn.Config{})
	if err != nil {
		panic(err)
	}
	h := m.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		visits.Update(r.Context(), func(n int) int { return n + 1 })
		fmt.Println("Visit number", visits.Get(r.Context()))
	}))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
}
`, "Visit number 1"},
	{home + "/redisstore", `package main

import (
	"fmt"

	"github.com/gosojourn/sojourn/redisstore"
)

func main() {
	_, err := redisstore.New(nil, redisstore.Options{})
	fmt.Println(err)
}
`, "redisstore: the client is nil"},
	{home + "/otelsojourn", `package main

import (
	"fmt"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/otelsojourn"
)

func main() {
	_, err := otelsojourn.New(otelsojourn.Options{})
	if err != nil {
		panic(err)
	}
	m, err := sojourn.New(memstore.New(), sojourn.Config{})
	fmt.Println("watched:", m != nil, err)
}
`, "watched: true <nil>"},
	{home + "/gorillacompat", `package main

import (
	"fmt"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/gorillacompat"
	"github.com/gosojourn/sojourn/memstore"
)

func main() {
	s, err := gorillacompat.New(memstore.New(), sojourn.Config{})
	fmt.Println("a store of gorilla's:", s != nil, err)
}
`, "a store of gorilla's: true <nil>"},
}

// A stranger is somebody with a module cache of his own, who gets our modules from the folder, and the others from
// the usual place.
type stranger struct {
	home string
	env  []string
}

// newStranger is one who gets nothing from elsewhere, where alone is set.
func newStranger(ctx context.Context, dir, proxy string, alone bool) (*stranger, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOPROXY", "GOMODCACHE").Output()
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	usual, cache, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	// What this host has downloaded once serves as a proxy, too.
	sources := []string{"file://" + filepath.ToSlash(proxy), "file://" + filepath.ToSlash(filepath.Join(cache, "cache", "download")), usual}
	if alone {
		sources = sources[:1]
	}
	return &stranger{dir, append(os.Environ(), "GOWORK=off", "GOFLAGS=-modcacherw", "GOPROXY="+strings.Join(sources, ","),
		"GONOSUMDB="+home+","+home+"/*", "GOTOOLCHAIN=local", "GOMODCACHE="+filepath.Join(dir, "cache"), "GOBIN="+filepath.Join(dir, "bin"))}, nil
}

// run answers what a program prints.
func (s *stranger) run(ctx context.Context, dir, name string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir, c.Env = dir, s.env
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	if err := c.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", filepath.Base(name), strings.Join(args, " "), err, out.Bytes())
	}
	return out.String(), nil
}

// consume makes a module that depends on c.module alone, and runs its program.
func (s *stranger) consume(ctx context.Context, c consumer, version string) error {
	dir := filepath.Join(s.home, "consumer", strings.ReplaceAll(c.module, "/", "_"))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(c.program), 0o644); err != nil {
		return err
	}
	for _, args := range [][]string{{"mod", "init", "example.com/consumer"}, {"get", c.module + "@" + version}, {"mod", "tidy"}} {
		if _, err := s.run(ctx, dir, "go", args...); err != nil {
			return err
		}
	}
	out, err := s.run(ctx, dir, "go", "run", ".")
	if err == nil && !strings.Contains(out, c.prints) {
		err = fmt.Errorf("%s: the program prints %q, want %q", c.module, out, c.prints)
	}
	return err
}

// install has go install make the command, and asks it for its version.
func (s *stranger) install(ctx context.Context, version string) error {
	if _, err := s.run(ctx, s.home, "go", "install", home+"/cmd/sojourn@"+version); err != nil {
		return err
	}
	out, err := s.run(ctx, s.home, filepath.Join(s.home, "bin", "sojourn"), "--version")
	if err == nil && strings.TrimSpace(out) != "sojourn "+version {
		err = fmt.Errorf("sojourn --version says %q, want sojourn %s", out, version)
	}
	return err
}
