// Release tries out a release before there is one. It packs every module of the workspace as a module proxy would
// serve it, from the files as they are; has a stranger, with the workspace off and a module cache of his own, build
// and run a program on each, and go install the command; looks at the order of CHANGELOG.md; shows how the API is
// another than at the last tag; and prints, step by step, what would have to be done. It tags and pushes nothing.
//
//	go run ./lab/release [-version v0.1.0] [-since REF] [-root-only]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/semver"
)

type options struct {
	root, version, since string
	rootOnly             bool
}

func main() {
	var o options
	flag.StringVar(&o.version, "version", "v0.1.0", "the version to be")
	flag.StringVar(&o.since, "since", "", "compare the API with this tag or commit, not with the last tag")
	flag.BoolVar(&o.rootOnly, "root-only", false, "try the root module alone")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	if o.root, err = os.Getwd(); err == nil {
		err = try(ctx, os.Stdout, o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// try does all of it, in a folder that is gone afterwards. Its error names everything that is not ready.
func try(ctx context.Context, w io.Writer, o options) (err error) {
	if !semver.IsValid(o.version) {
		return fmt.Errorf("%q is no version: say v1.2.3", o.version)
	}
	all, err := workspace(o.root)
	if err != nil {
		return fmt.Errorf("%w: run this at the root of the repository", err)
	}
	work, err := os.MkdirTemp("", "sojourn-release-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()

	var bad []string
	bad = append(bad, judge(all, o.version)...)
	tags, err := rootTags(ctx, o.root)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(o.root, "CHANGELOG.md"))
	if err != nil {
		return err
	}
	bad = append(bad, judgeChangelog(string(text), o.version, tags)...)
	fmt.Fprintf(w, "looked at %d go.mod files and CHANGELOG.md: %d to mend\n", len(all), len(bad))
	bad = append(bad, consumed(ctx, w, work, o, all)...)
	if !o.rootOnly {
		bad = append(bad, compared(ctx, w, work, o, all, tags)...)
	}
	if len(bad) > 0 {
		return fmt.Errorf("%s is not ready:\n%s", o.version, strings.Join(bad, "\n"))
	}
	steps(w, o.version, all)
	return nil
}

// consumed packs the modules and has a stranger use them.
func consumed(ctx context.Context, w io.Writer, work string, o options, all []mod) (bad []string) {
	proxy := filepath.Join(work, "proxy")
	if err := pack(o.root, proxy, o.version, all); err != nil {
		return []string{err.Error()}
	}
	fmt.Fprintf(w, "packed %d modules as %s\n", len(all), o.version)
	s, err := newStranger(ctx, work, proxy, o.rootOnly)
	if err != nil {
		return []string{err.Error()}
	}
	for _, c := range consumers {
		if o.rootOnly && c.module != home {
			continue
		}
		if err := s.consume(ctx, c, o.version); err != nil {
			bad = append(bad, err.Error())
			continue
		}
		fmt.Fprintf(w, "a program that requires %s builds and runs without the workspace\n", c.module)
	}
	if o.rootOnly {
		return bad
	}
	for _, m := range all {
		known := slices.ContainsFunc(consumers, func(c consumer) bool { return c.module == m.path })
		if m.tagged() && !known && m.path != home+"/cmd/sojourn" {
			bad = append(bad, m.path+": no program here depends on it: write one")
		}
	}
	if err := s.install(ctx, o.version); err != nil {
		return append(bad, err.Error())
	}
	fmt.Fprintf(w, "go install %s/cmd/sojourn@%s makes a command that says so\n", home, o.version)
	return bad
}

// compared shows the API's differences from the last tag.
func compared(ctx context.Context, w io.Writer, work string, o options, all []mod, tags []string) (bad []string) {
	ref := o.since
	if ref == "" && len(tags) > 0 {
		ref = tags[len(tags)-1]
	}
	if ref == "" {
		fmt.Fprintln(w, "no tag yet, so there is no API to compare with")
		return nil
	}
	defer func() {
		if _, err := git(context.WithoutCancel(ctx), o.root, "worktree", "remove", "--force", filepath.Join(work, "at-ref")); err != nil {
			bad = append(bad, err.Error())
		}
	}()
	for _, m := range all {
		if !m.tagged() || m.path == home+"/cmd/sojourn" {
			continue
		}
		diff, err := differences(ctx, o.root, work, ref, m)
		if err != nil {
			bad = append(bad, err.Error())
			continue
		}
		if diff == "" {
			diff = "the same"
		}
		fmt.Fprintf(w, "API of %s since %s: %s\n", m.path, ref, diff)
	}
	return bad
}

// steps prints what is left to do by hand.
func steps(w io.Writer, version string, all []mod) {
	fmt.Fprintf(w, "\n%s is ready. What would have to be done:\n", version)
	n := 0
	step := func(format string, a ...any) { n++; fmt.Fprintf(w, "%2d. %s\n", n, fmt.Sprintf(format, a...)) }
	step("In CHANGELOG.md put '## %s, ' and the day under '## Unreleased', and commit. In README.md take out that nothing is released.", version)
	step("Run all tests of that commit: go test work")
	for _, m := range all {
		if m.tagged() {
			step("git tag -a %s -m 'Sojourn %s'", m.tag(version), version)
		}
	}
	step("git push --atomic origin main and these tags: no module can then be asked for before those that it requires.")
	step("For each module: GOPROXY=proxy.golang.org go list -m MODULE@%s, which has the proxy fetch it.", version)
	step("In each module but the root's: GOWORK=off go mod tidy, which adds the sums of our own modules to go.sum, and commit. Who depends on us needs none of them.")
	step("Take the replaces out of go.work when each go.mod requires a version that is published; until the next release begins they do no harm.")
}
