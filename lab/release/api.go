package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/mod/semver"
)

const apidiff = "golang.org/x/exp/cmd/apidiff@v0.0.0-20251023183803-a4bb9ffd2546"

func git(ctx context.Context, root string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, "git", args...)
	c.Dir = root
	out, err := c.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return strings.TrimSpace(string(out)), nil
}

// rootTags are the versions of the root module, the newest last.
func rootTags(ctx context.Context, root string) ([]string, error) {
	out, err := git(ctx, root, "tag", "--list", "v*")
	if err != nil {
		return nil, err
	}
	var tags []string
	for tag := range strings.FieldsSeq(out) {
		if semver.IsValid(tag) {
			tags = append(tags, tag)
		}
	}
	semver.Sort(tags)
	return tags, nil
}

// differences says how the API of m is another than it was at ref.
func differences(ctx context.Context, root, work, ref string, m mod) (string, error) {
	old := filepath.Join(work, "at-ref")
	if _, err := os.Stat(old); err != nil {
		if _, err := git(ctx, root, "worktree", "add", "--detach", old, ref); err != nil {
			return "", err
		}
	}
	export := filepath.Join(work, strings.ReplaceAll(m.path, "/", "_")+".api")
	for _, step := range []struct {
		tree string
		args []string
	}{
		{old, []string{"-m", "-w", export, m.path}},
		{root, []string{"-m", export, m.path}},
	} {
		c := exec.CommandContext(ctx, "go", append([]string{"run", apidiff}, step.args...)...)
		c.Dir = filepath.Join(step.tree, m.dir)
		if _, err := os.Stat(c.Dir); err != nil {
			return "a new module", nil
		}
		out, err := c.CombinedOutput()
		if err != nil {
			return "", fmt.Errorf("apidiff %s: %w\n%s", m.path, err, out)
		}
		if step.tree == root {
			return strings.TrimSpace(string(out)), nil
		}
	}
	return "", nil
}
