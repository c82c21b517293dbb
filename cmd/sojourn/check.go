package main

import (
	"context"
	"errors"
	"fmt"
)

type checkCmd struct{}

func (checkCmd) Help() string {
	return `It plays a session through, under an owner that nobody has, and takes it away again. It looks at what this user, at
this address, may do: run it as the user that the application is. What only the application has (its pool, its driver's
settings, its Config) its own Manager.Check and New look at. docs/misconfigurations.md has what it finds.`
}

type checked struct {
	Store    string   `json:"store"`
	Fit      bool     `json:"fit"`
	Findings []string `json:"findings"`
}

func (c *checkCmd) Run(ctx context.Context, g *grammar, t *terminal) error {
	s, err := g.open(ctx, nil, false)
	if err != nil {
		return err
	}
	defer s.Close()
	m, _, err := g.manager(s)
	if err != nil {
		return err
	}
	err = m.Check(ctx)
	if ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("the store was not looked at to the end: %w", err)
	}
	found := checked{Store: s.name, Fit: err == nil, Findings: []string{}}
	for _, e := range parts(err) {
		found.Findings = append(found.Findings, t.secrets.Replace(e.Error()))
		t.printf("%s", printableText(t.secrets.Replace(e.Error())))
	}
	if found.Fit {
		t.printf("%s: fit for sessions", s.name)
		return t.answer(found)
	}
	if err := t.answer(found); err != nil {
		return err
	}
	return &codedError{exitFound, fmt.Errorf("%s: %d to mend", s.name, len(found.Findings))}
}

// parts are the errors that were joined to err.
func parts(err error) []error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
}
