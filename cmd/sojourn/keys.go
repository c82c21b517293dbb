package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/gosojourn/sojourn/sealed"
)

type keysCmd struct {
	Rotate rotateCmd `cmd:"" help:"Put a new key into a file of keys."`
}

type rotateCmd struct {
	File    string `arg:"" type:"path" help:"A file with one key a line. The first seals, all open."`
	Keep    int    `default:"3" placeholder:"N" help:"Leave so many keys in the file, the new one included. Default: 3."`
	Last    bool   `xor:"step" help:"Several machines, step one: the new key goes last, so that all can open what it will seal."`
	Promote bool   `xor:"step" help:"Several machines, step two, once each has the file of step one and was restarted: the last key goes first. No key is made."`
	Yes     bool   `short:"y" help:"Do not ask before keys are dropped."`
}

func (rotateCmd) Help() string {
	return `The new key goes first. Sessions that were sealed with a key that is dropped end: keep keys for as long as Config.Lifetime,
or RememberFor where sessions are remembered. It asks before it drops one. The file is replaced as a whole; it keeps its
owner and only he can read it. Restart the application afterwards.

One machine: keys rotate FILE. Several: keys rotate --last FILE, bring the file to all and restart them; then keys
rotate --promote FILE, and the same again. In the other order a machine would refuse what another one has sealed.`
}

type rotated struct {
	File    string `json:"file"`
	Keys    int    `json:"keys"`
	Dropped int    `json:"dropped"`
	Made    bool   `json:"made"` // a new key
}

func (c *rotateCmd) Run(ctx context.Context, t *terminal) error {
	if c.Keep < 1 {
		return usage("--keep %d: one key must stay, or nothing is sealed", c.Keep)
	}
	file, err := takeOver(c.File)
	if err != nil {
		return err
	}
	defer file.giveUp()
	before := strings.Fields(file.text)
	if _, err := sealed.New(before, sealed.Options{}); err != nil {
		return fmt.Errorf("%s, which was left alone, is no file of keys: %w", c.File, err)
	}
	after, err := c.arrange(before)
	if err != nil {
		return err
	}
	done := rotated{c.File, min(len(after), c.Keep), max(0, len(after)-c.Keep), !c.Promote}
	if c.Last { // it says nothing about the keys that are in use
		done.Keys, done.Dropped = len(after), 0
	}
	if done.Dropped > 0 {
		question := fmt.Sprintf("Drop %s from %s, and end the sessions that only they open?", keysOf(done.Dropped), c.File)
		if err := t.confirm(ctx, c.Yes, question); err != nil {
			return err
		}
	}
	if err := file.replace(strings.Join(after[:done.Keys], "\n") + "\n"); err != nil {
		return err
	}
	t.printf("%s: %s, %d dropped. Restart what reads it.", c.File, keysOf(done.Keys), done.Dropped)
	return t.answer(done)
}

// arrange answers the keys in their new order.
func (c *rotateCmd) arrange(keys []string) ([]string, error) {
	switch {
	case c.Promote && len(keys) < 2:
		return nil, fmt.Errorf("%s has one key, so there is none to promote: keys rotate --last puts a new one there first", c.File)
	case c.Promote:
		last := len(keys) - 1
		return slices.Insert(slices.Clone(keys[:last]), 0, keys[last]), nil
	case c.Last:
		return append(slices.Clone(keys), sealed.GenerateKey()), nil
	}
	return slices.Insert(slices.Clone(keys), 0, sealed.GenerateKey()), nil
}

func keysOf(n int) string {
	if n == 1 {
		return "1 key"
	}
	return fmt.Sprintf("%d keys", n)
}

// mode is of a file of keys: whoever reads one can log in as anybody.
const mode os.FileMode = 0o600
