package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosojourn/sojourn"
)

func TestTidy(t *testing.T) {
	id := "-bcdefghijklmnopqrstuvwx"
	for _, c := range []struct{ in, want string }{
		{"ls -json", "ls --json"},
		{"ls --json -h", "ls --json -h"},
		{"ls -limit=3 -owner ann", "ls --limit=3 --owner ann"},
		{"show " + id + " -json", "show --json -- " + id},
		{"show -- " + id, "show -- " + id},
		{"revoke -y -- -json", "revoke -y -- -json"},
		{"keys rotate -", "keys rotate -"},
		{"", ""},
	} {
		if got := tidy(strings.Fields(c.in)); !slices.Equal(got, strings.Fields(c.want)) {
			t.Errorf("%s: %q, want %s", c.in, got, c.want)
		}
	}
}

func TestSecretsAreHidden(t *testing.T) {
	for _, c := range []struct{ said, text, want string }{
		{"mysql://root:hunter2@h/db", `dial "mysql://root:hunter2@h/db"`, `dial "mysql://root:xxxxx@h/db"`},
		{"--store=mysql://root:hunter2@h/db", "root:hunter2", "root:xxxxx"},
		{"postgres://u:a%40b%2Fc@h/db", "a@b/c and a%40b%2Fc", "xxxxx and xxxxx"},
		{"postgres://u:p:q@r@h/db", "p:q@r", "xxxxx"},
		{"postgres://h/db?user=u&password=hunter2", "hunter2", "xxxxx"},
		{"redissentinel://h?master_set=m&sentinel_password=hunter2", "hunter2 m", "xxxxx m"},
		{"mysql://root:a@h/db", "a bad day: root:a@h", "a bad day: rootxxxxxh"},
		{"mysql://root@h/db", "root@h", "root@h"},
		{"sqlite:a.db", "a.db", "a.db"},
		{`mysql://u:a"b\c	é@h/db`, `a"b\c	é a\"b\\c\té a\"b\\c\t\u00e9 a\"b\\c\x09\xc3\xa9 a%22b%5Cc%09%C3%A9`, "xxxxx xxxxx xxxxx xxxxx xxxxx"},
		{"mysql://u:%22%5C@h/db", `u:\"\\@h`, "uxxxxxh"},
		{"mysql://u:hunt@er2@h/db?x=a@b", "hunt hunt@er2 hunt@er2@h/db?x=a", "xxxxx xxxxx xxxxx"},
		{"--table=u:hunter2@tcp(h)/db", "hunter2", "xxxxx"},
		{"host=h password=hunter2", "hunter2", "xxxxx"},
		{"--owner=mailto:alice@example.com", "mailto:alice@example.com", "mailto:alice@example.com"},
	} {
		var term terminal
		term.hide("ls", c.said)
		if got := term.secrets.Replace(c.text); got != c.want {
			t.Errorf("%s: %q, want %q", c.said, got, c.want)
		}
	}
}

func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("no"), 1},
		{fmt.Errorf("x: %w", context.DeadlineExceeded), 1},
		{errors.Join(errors.New("interrupted"), usage("x")), 2},
		{fmt.Errorf("x: %w", &codedError{exitFound, errors.New("y")}), 3},
		{fmt.Errorf("x: %w", sojourn.ErrNotFound), 4},
		{fmt.Errorf("x: %w", errNotAsked), 5},
		{fmt.Errorf("x: %w", errors.ErrUnsupported), 6},
	} {
		if got := exitCode(c.err); got != c.want {
			t.Errorf("%v: %d, want %d", c.err, got, c.want)
		}
	}
}

// What is not known takes away the time left, and nothing else.
func TestSweepsBar(t *testing.T) {
	for total, want := range map[int]string{1000: "(100/1000, 50 sessions/s) [2s:18s]", -1: "50 sessions/s"} {
		synctest.Test(t, func(t *testing.T) { drawBar(t, total, want) })
	}
}

func drawBar(t *testing.T, total int, want string) {
	var b bytes.Buffer
	bar := newBar(&b, total)
	defer bar.Exit()
	for range 2 {
		if err := bar.Add(50); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second) // of the bubble
	}
	if err := bar.Add(0); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), want) {
		t.Errorf("of %d it draws %q, want %q", total, b.String(), want)
	}
	if left := strings.Contains(b.String(), "s:"); left != (total > 0) {
		t.Errorf("of %d it draws %q: time left: %v", total, b.String(), left)
	}
}

func TestFigures(t *testing.T) {
	now := time.Now()
	f := newFigures("here")
	f.add(sojourn.Info{Created: now.Add(-8 * day), AuthTime: now.Add(-2 * time.Hour), LastSeen: now.Add(-time.Minute), Owner: "ann"}, 128, now)
	f.add(sojourn.Info{Created: now.Add(-8 * day), LastSeen: now.Add(-40 * day), Remembered: true}, 1<<20, now)
	f.add(sojourn.Info{Created: now.Add(time.Minute), LastSeen: now.Add(time.Minute)}, 0, now) // another host's clock
	for _, c := range []struct {
		name string
		all  []amount
		want []int
	}{
		{"age", f.Age, []int{1, 0, 1, 0, 0, 1, 0}},
		{"unused", f.Unused, []int{2, 0, 0, 0, 0, 0, 1}},
		{"size", f.Size, []int{1, 1, 0, 0, 0, 1}},
	} {
		for i, a := range c.all {
			if a.Sessions != c.want[i] {
				t.Errorf("%s, %s: %d sessions, want %d", c.name, a.Name, a.Sessions, c.want[i])
			}
		}
	}
	if f.Live != 3 || f.LoggedIn != 1 || f.Remembered != 1 || f.Bytes != 128+1<<20 {
		t.Errorf("%+v", f)
	}
}

func TestBar(t *testing.T) {
	for _, c := range []struct {
		n, all int
		want   string
	}{
		{0, 10, ""}, {0, 0, ""}, {10, 10, strings.Repeat("█", 40) + " 100%"}, {1, 1000000, "▏ <1%"}, {1, 16, "██▌ 6%"},
	} {
		if got := bar(c.n, c.all); got != c.want {
			t.Errorf("%d of %d: %q, want %q", c.n, c.all, got, c.want)
		}
	}
}

func TestWord(t *testing.T) {
	for in, want := range map[string]string{"": "-", "ann": "ann", "a\x1b[2Jb": "a\uFFFD[2Jb", "a\tb\n": "a\uFFFDb\uFFFD", "a\u202Eb": "a\uFFFDb", "Zoë 李": "Zoë 李", "a\xffb": "a\uFFFDb"} {
		if got := word(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
