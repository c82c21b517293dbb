package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/gosojourn/sojourn"
)

type statsCmd struct {
	Limit int `default:"0" placeholder:"N" help:"Look at so many sessions at most, which are about as good as drawn by lot; 0 is all. Default: 0."`
}

func (statsCmd) Help() string {
	return `It reads each session, so its cost grows with the store: --limit 100000 tells shares as well. Age is since the session
began, or its last login. Sizes are of what a session holds, without what the store adds.`
}

// figures are what stats finds.
type figures struct {
	Store      string   `json:"store"`
	Looked     bool     `json:"looked_at_all"` // false: stopped at the limit
	Live       int      `json:"live"`
	LoggedIn   int      `json:"logged_in"`
	Remembered int      `json:"remembered"`
	Unreadable int      `json:"unreadable"`
	Bytes      int64    `json:"bytes"`
	Rows       *int     `json:"rows,omitempty"`    // of the table, where the store is one
	Expired    *int     `json:"expired,omitempty"` // rows that are no live session
	Due        *int     `json:"due,omitempty"`     // rows that a sweep would delete now
	Age        []amount `json:"by_age"`
	Unused     []amount `json:"by_unused"`
	Size       []amount `json:"by_bytes"`
}

// An amount is how many sessions are under a bound, and not under the one before.
type amount struct {
	Name     string `json:"name"`
	Under    int64  `json:"under,omitempty"` // seconds or bytes; 0: no bound
	Sessions int    `json:"sessions"`
}

const day = 24 * time.Hour

func newFigures(store string) *figures {
	ages := func() []amount {
		return []amount{under("5 min", 5*time.Minute), under("1 hour", time.Hour), under("6 hours", 6*time.Hour),
			under("1 day", day), under("7 days", 7*day), under("30 days", 30*day), {Name: "longer"}}
	}
	return &figures{Store: store, Age: ages(), Unused: ages(), Size: []amount{
		{Name: "under 128 B", Under: 128}, {Name: "under 512 B", Under: 512}, {Name: "under 2 KiB", Under: 2 << 10},
		{Name: "under 8 KiB", Under: 8 << 10}, {Name: "under 32 KiB", Under: 32 << 10}, {Name: "more"}}}
}

func under(name string, d time.Duration) amount {
	return amount{Name: "under " + name, Under: int64(d / time.Second)}
}

// enter counts n where it belongs.
func enter(all []amount, n int64) {
	for i := range all {
		if all[i].Under == 0 || n < all[i].Under {
			all[i].Sessions++
			return
		}
	}
}

func (f *figures) add(i sojourn.Info, bytes int, now time.Time) {
	f.Live++
	f.Bytes += int64(bytes)
	if i.Owner != "" {
		f.LoggedIn++
	}
	if i.Remembered {
		f.Remembered++
	}
	since := i.Created
	if i.AuthTime.After(since) {
		since = i.AuthTime
	}
	enter(f.Age, int64(now.Sub(since)/time.Second))
	enter(f.Unused, int64(now.Sub(i.LastSeen)/time.Second))
	enter(f.Size, int64(bytes))
}

func (c *statsCmd) Run(ctx context.Context, g *grammar, t *terminal) error {
	if c.Limit < 0 {
		return usage("--limit %d: it is 0 for all, or more", c.Limit)
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
	f := newFigures(s.name)
	if s.table != nil {
		f.Rows, f.Due = known(s.table.rows(ctx)), known(s.table.due(ctx))
	}
	if err := c.look(ctx, m, v, f, t); err != nil {
		return fmt.Errorf("after %s: %w", counted(f.Live), err)
	}
	f.Unreadable = v.unreadable
	if f.Looked && f.Rows != nil {
		f.Expired = known(max(0, *f.Rows-f.Live-f.Unreadable))
	}
	t.draw(f)
	return t.answer(f)
}

func known(n int) *int {
	if n < 0 {
		return nil
	}
	return &n
}

// look reads the sessions. Where somebody waits, a bar says how far it is.
func (c *statsCmd) look(ctx context.Context, m *sojourn.Manager, v *view, f *figures, t *terminal) error {
	var bar *progressbar.ProgressBar
	if t.watched() {
		total := c.Limit
		if total == 0 {
			if n, err := m.Count(ctx); err == nil {
				total = n
			} else {
				total = -1
			}
		}
		bar = newBar(t.progress(), total)
		defer bar.Exit()
	}
	now := time.Now()
	for i, err := range m.All(ctx) {
		if err != nil {
			return err
		}
		if c.Limit > 0 && f.Live == c.Limit {
			return nil
		}
		f.add(i, v.bytes, now)
		if bar != nil {
			_ = bar.Add(1)
		}
	}
	f.Looked = true
	return nil
}

func (t *terminal) draw(f *figures) {
	if t.json {
		return
	}
	t.printf("%s", f.Store)
	if !f.Looked {
		t.printf("Of the first %d sessions only; there are more.", f.Live)
	}
	t.printf("%10d  live: %d logged in, %d visitors; %d remembered", f.Live, f.LoggedIn, f.Live-f.LoggedIn, f.Remembered)
	if f.Unreadable > 0 {
		t.printf("%10d  damaged: nobody can use them", f.Unreadable)
	}
	if f.Expired != nil {
		t.printf("%10d  more rows: expired, or not of sessions", *f.Expired)
	}
	if f.Due != nil {
		t.printf("%10d  rows that a sweep would delete now, about", *f.Due)
	}
	if f.Live == 0 {
		return
	}
	t.printf("%10d  bytes held, %d a session", f.Bytes, f.Bytes/int64(f.Live))
	for _, part := range []struct {
		name string
		all  []amount
	}{{"age", f.Age}, {"not used for", f.Unused}, {"size", f.Size}} {
		t.printf("\n%s", part.name)
		for _, a := range part.all {
			t.printf("%s", strings.TrimRight(fmt.Sprintf("  %-14s %9d  %s", a.Name, a.Sessions, bar(a.Sessions, f.Live)), " "))
		}
	}
}

const barWidth = 40

var eighths = []string{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"}

// bar draws n of all, to an eighth of a character; what is there at all is seen.
func bar(n, all int) string {
	if n == 0 || all == 0 {
		return ""
	}
	e := max(1, n*barWidth*8/all)
	share := fmt.Sprintf("%d%%", (100*n+all/2)/all)
	if share == "0%" {
		share = "<1%"
	}
	return strings.Repeat("█", e/8) + eighths[e%8] + " " + share
}
