package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/gosojourn/sojourn"
)

type showCmd struct {
	ID string `arg:"" help:"The session's public id: 24 characters, as ls and the application's log have it."`
}

func (showCmd) Help() string {
	return `What the session holds is not shown. Who is not logged in has no owner.`
}

func (c *showCmd) Run(ctx context.Context, g *grammar, t *terminal) error {
	id, err := wellFormed(c.ID)
	if err != nil {
		return err
	}
	s, err := g.open(ctx, nil, false)
	if err != nil {
		return err
	}
	defer s.Close()
	m, v, err := g.manager(s)
	if err != nil {
		return err
	}
	i, err := g.find(ctx, v, m, id)
	if err != nil {
		return err
	}
	return t.show(i, v.bytes)
}

// find is v.find, with a time limit and what to do when there is none.
func (g *grammar) find(ctx context.Context, v *view, m *sojourn.Manager, id string) (sojourn.Info, error) {
	ctx, cancel := context.WithTimeout(ctx, g.Timeout)
	defer cancel()
	i, err := v.find(ctx, m, id)
	if errors.Is(err, sojourn.ErrNotFound) {
		err = fmt.Errorf("%w %s in %s: it has ended, or it is kept elsewhere: look at --table, or --prefix for a Redis", err, id, v.name)
	}
	return i, err
}

func (t *terminal) show(i sojourn.Info, bytes int) error {
	for _, line := range []struct{ name, text string }{
		{"id", i.ID},
		{"owner", word(i.Owner)},
		{"created", when(i.Created)},
		{"last login", when(i.AuthTime)},
		{"last seen", when(i.LastSeen)},
		{"expires unused", when(i.Expires)},
		{"ends anyway", when(i.Deadline)},
		{"remembered", yesNo(i.Remembered)},
		{"bytes", fmt.Sprint(bytes)},
		{"device", word(i.Device.Label)},
		{"address", word(i.Device.Addr)},
		{"agent", word(i.Device.Agent)},
	} {
		t.printf("%-15s %s", line.name, line.text)
	}
	return t.answer(sessionOf(i, bytes))
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

const (
	idLen    = 24
	tokenLen = 64
	alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
)

// wellFormed refuses what is no id, without repeating it: it might be a token.
func wellFormed(id string) (string, error) {
	switch {
	case len(id) == tokenLen && strings.Trim(id, alphabet) == "":
		return "", usage("that is a token, not an id: whoever has it is logged in; the id is its first %d characters. End that session if others have seen the token", idLen)
	case len(id) != idLen || strings.Trim(id, alphabet) != "":
		return "", usage("that is no id of a session: it has %d characters of A to Z, a to z, 0 to 9, - and _; sojourn ls has them", idLen)
	}
	return id, nil
}
