package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gosojourn/sojourn"
)

type revokeCmd struct {
	ID       string  `arg:"" optional:"" help:"The public id of the session to end."`
	Owner    *string `placeholder:"OWNER" help:"End all of this owner, and logins that are under way."`
	Everyone bool    `help:"End everybody's, of visitors too, and logins that are under way."`
	Yes      bool    `short:"y" help:"Do not ask."`
}

func (revokeCmd) Help() string {
	return `It asks first; without a terminal it refuses, unless --yes is said. A session that is ended is gone with what is in it.
With --owner and --everyone, sealed sessions end too if their application has this store as Config.Revocations.
--everyone ends them all within about a second, and then deletes their rows, a million in some minutes.`
}

type revoked struct {
	ID       string `json:"id,omitempty"`
	Owner    string `json:"owner"`
	Sessions int    `json:"sessions"` // that were there to be ended
}

// revokedEveryone is of --everyone.
type revokedEveryone struct {
	Everyone bool `json:"everyone"`
	Sessions int  `json:"sessions"` // that were there to be ended, about
}

func (c *revokeCmd) Run(ctx context.Context, g *grammar, t *terminal) error {
	if count(c.Everyone, c.ID != "", c.Owner != nil) != 1 {
		return usage("whose sessions should end? Say one of ID, --owner OWNER and --everyone")
	}
	if err := ownerFits(c.Owner); err != nil {
		return err
	}
	if c.ID != "" {
		if _, err := wellFormed(c.ID); err != nil {
			return err
		}
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
	switch {
	case c.ID != "":
		return c.one(ctx, g, t, m, v)
	case c.Everyone:
		return c.everyone(ctx, t, m)
	}
	return c.all(ctx, t, m, *c.Owner)
}

// count is how many of them are said.
func count(all ...bool) (n int) {
	for _, said := range all {
		if said {
			n++
		}
	}
	return n
}

func (c *revokeCmd) one(ctx context.Context, g *grammar, t *terminal, m *sojourn.Manager, v *view) error {
	i, err := g.find(ctx, v, m, c.ID)
	whose := "a visitor's session"
	switch {
	case errors.Is(err, errUnreadable):
		whose = "a session that cannot be read"
	case err != nil:
		return err
	case i.Owner != "":
		whose = "a session of " + word(i.Owner)
	}
	if err := t.confirm(ctx, c.Yes, fmt.Sprintf("End %s, %s, last seen %s?", c.ID, whose, when(i.LastSeen))); err != nil {
		return err
	}
	if errors.Is(err, errUnreadable) {
		err = end(ctx, v, c.ID, g.Timeout)
	} else {
		err = m.RevokeID(ctx, c.ID)
	}
	switch {
	case errors.Is(err, sojourn.ErrNotFound):
		return fmt.Errorf("%w %s any more: it has ended meanwhile", sojourn.ErrNotFound, c.ID)
	case errors.Is(err, sojourn.ErrRefused):
		return fmt.Errorf("session %s lives on: %w", c.ID, err)
	case err != nil:
		return fmt.Errorf("it is not known whether session %s has ended: %w\nrun the command again", c.ID, err)
	}
	t.printf("Ended %s, %s.", c.ID, whose)
	return t.answer(revoked{c.ID, i.Owner, 1})
}

// end deletes a session that no manager can read, and so none can end. A store that preferred somebody else has deleted
// nothing and is asked again; so is one whose answer was lost, as twice is the same as once.
func end(ctx context.Context, s sojourn.Store, id string, patience time.Duration) (err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		err = s.Delete(ctx, id, 0)
		if err == nil || errors.Is(err, sojourn.ErrRefused) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}

func (c *revokeCmd) all(ctx context.Context, t *terminal, m *sojourn.Manager, owner string) error {
	n := 0
	for _, err := range m.List(ctx, owner) {
		if err != nil {
			return remedyFor(err)
		}
		n++
	}
	if err := t.confirm(ctx, c.Yes, fmt.Sprintf("End %s of %s, and logins under way?", counted(n), word(owner))); err != nil {
		return err
	}
	if err := m.RevokeAll(ctx, owner); err != nil {
		then := "run the command again"
		if errors.Is(err, sojourn.ErrRefused) || errors.Is(err, sojourn.ErrUnfinished) {
			then = "mend that, and run the command again"
		}
		return fmt.Errorf("some of %s may still live: %w\n%s", word(owner), remedyFor(err), then)
	}
	t.printf("Ended %s of %s.", counted(n), word(owner))
	return t.answer(revoked{Owner: owner, Sessions: n})
}

func (c *revokeCmd) everyone(ctx context.Context, t *terminal, m *sojourn.Manager) error {
	n, err := m.Count(ctx)
	if err != nil {
		return remedyFor(err)
	}
	if err := t.confirm(ctx, c.Yes, fmt.Sprintf("End about %s, everybody's, and logins under way?", counted(n))); err != nil {
		return err
	}
	if err := m.RevokeEveryone(ctx); err != nil {
		return fmt.Errorf("everyone: %w\nrun the command again", remedyFor(err))
	}
	t.printf("Ended everybody's sessions, about %d.", n)
	return t.answer(revokedEveryone{true, n})
}

func counted(n int) string {
	if n == 1 {
		return "1 session"
	}
	return fmt.Sprintf("%d sessions", n)
}

// remedyFor says what to do about a table that knows no owners.
func remedyFor(err error) error {
	if errors.Is(err, errors.ErrUnsupported) {
		return fmt.Errorf("%w: run sojourn migrate", err)
	}
	return err
}
