package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"text/tabwriter"
	"time"

	"github.com/gosojourn/sojourn"
)

type lsCmd struct {
	Owner *string `placeholder:"OWNER" help:"Only those of this owner. Without it everybody's, visitors' too: its cost grows with the store."`
	Limit int     `default:"100" placeholder:"N" help:"List so many at most; 0 is all. Default: 100."`
}

func (lsCmd) Help() string {
	return `In no given order. Times are UTC. With --json each session is a line of its own.`
}

// A session is what this command says of one. There are no values in it, and no token.
type session struct {
	ID         string     `json:"id"`
	Owner      string     `json:"owner"`
	Created    *time.Time `json:"created,omitempty"`
	AuthTime   *time.Time `json:"auth_time,omitempty"`
	LastSeen   *time.Time `json:"last_seen,omitempty"`
	Expires    *time.Time `json:"expires,omitempty"`
	Deadline   *time.Time `json:"deadline,omitempty"`
	Remembered bool       `json:"remembered"`
	Bytes      int        `json:"bytes"`
	Device     *device    `json:"device,omitempty"`
}

type device struct {
	Addr  string `json:"addr"`
	Agent string `json:"agent"`
	Label string `json:"label"`
}

func sessionOf(i sojourn.Info, bytes int) session {
	s := session{ID: i.ID, Owner: i.Owner, Remembered: i.Remembered, Bytes: bytes, Created: some(i.Created),
		AuthTime: some(i.AuthTime), LastSeen: some(i.LastSeen), Expires: some(i.Expires), Deadline: some(i.Deadline)}
	if i.Device != (sojourn.Device{}) {
		s.Device = &device{i.Device.Addr, i.Device.Agent, i.Device.Label}
	}
	return s
}

func some(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}

func (c *lsCmd) Run(ctx context.Context, g *grammar, t *terminal) error {
	if c.Limit < 0 {
		return usage("--limit %d: it is 0 for all, or more", c.Limit)
	}
	if err := ownerFits(c.Owner); err != nil {
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
	n, more, err := c.list(c.sessions(ctx, m), v, t)
	if err != nil {
		return fmt.Errorf("after %d sessions: %w", n, err)
	}
	if more {
		t.note("there are more than %d: --limit 0 lists all", n)
	}
	if v.unreadable > 0 {
		t.note("%d more cannot be read, by nobody: they are damaged", v.unreadable)
	}
	return nil
}

func (c *lsCmd) sessions(ctx context.Context, m *sojourn.Manager) iter.Seq2[sojourn.Info, error] {
	if c.Owner != nil {
		return m.List(ctx, *c.Owner)
	}
	return m.All(ctx)
}

// tableEvery is how many rows share the widths of their columns: a listing of any length is written as it comes.
const tableEvery = 200

// list writes all up to the limit, and reports how many, and whether there are more.
func (c *lsCmd) list(all iter.Seq2[sojourn.Info, error], v *view, t *terminal) (n int, more bool, err error) {
	rows := newRows(t)
	for i, err := range all {
		if err != nil {
			return n, false, errors.Join(err, rows.Flush())
		}
		if c.Limit > 0 && n == c.Limit {
			return n, true, rows.Flush()
		}
		if err := rows.add(i, v.bytes); err != nil {
			return n, false, err
		}
		n++
	}
	if n == 0 {
		rows.head()
	}
	return n, false, rows.Flush()
}

// rows are lines of JSON, or of a table with a head.
type rows struct {
	*tabwriter.Writer
	t *terminal
	n int
}

func newRows(t *terminal) *rows {
	return &rows{tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0), t, 0}
}

func (r *rows) head() {
	if !r.t.json {
		fmt.Fprintln(r, "ID\tOWNER\tLAST SEEN\tEXPIRES\tBYTES\tDEVICE")
	}
}

func (r *rows) add(i sojourn.Info, bytes int) error {
	if r.t.json {
		return r.t.line(sessionOf(i, bytes))
	}
	if r.n == 0 {
		r.head()
	}
	fmt.Fprintf(r, "%s\t%s\t%s\t%s\t%d\t%s\n", i.ID, word(i.Owner), when(i.LastSeen), when(i.Expires), bytes, word(nameOf(i.Device)))
	if r.n++; r.n%tableEvery == 0 {
		return r.Flush()
	}
	return nil
}

// nameOf is how a person knows a device.
func nameOf(d sojourn.Device) string {
	switch {
	case d.Label != "":
		return d.Label
	case d.Addr != "":
		return d.Addr
	}
	return d.Agent
}
