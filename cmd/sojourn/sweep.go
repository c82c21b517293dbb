package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/gosojourn/sojourn/sqlstore"
)

type sweepCmd struct{}

func (sweepCmd) Help() string {
	return `An application that calls Manager.Run does this by itself; one that does not runs this from a timer. In small batches,
so that nobody waits for it. Sessions go some hours after they have expired, which they have done for everybody from
the moment on. It may be interrupted: what was deleted stays deleted.`
}

type swept struct {
	Store   string `json:"store"`
	Deleted int    `json:"deleted"`
	Note    string `json:"note,omitempty"`
}

func (c *sweepCmd) Run(ctx context.Context, g *grammar, t *terminal) error {
	s, err := g.open(ctx, nil, false)
	if err != nil {
		return err
	}
	defer s.Close()
	m, v, err := g.manager(s)
	if err != nil {
		return err
	}
	if t.watched() && s.table != nil {
		bar := newBar(t.progress(), s.table.due(ctx))
		v.swept = func(n int) { _ = bar.Add(n) }
		defer bar.Exit()
	}
	n, err := m.Sweep(ctx)
	done := swept{Store: s.name, Deleted: n}
	if errors.Is(err, errors.ErrUnsupported) {
		done.Note, err = "a Redis takes away by itself what has expired", nil
	}
	if err != nil {
		return fmt.Errorf("%s were deleted, then: %w\nrun the command again: it goes on from there", counted(n), err)
	}
	if done.Note != "" {
		t.printf("%s: nothing to sweep: %s", s.name, done.Note)
	} else {
		t.printf("%s: deleted %s", s.name, counted(n))
	}
	return t.answer(done)
}

// newBar draws how far it is, how fast, and how long it will take; where the total is not known, only how fast.
func newBar(w io.Writer, total int) *progressbar.ProgressBar {
	if total <= 0 {
		total = -1
	}
	return progressbar.NewOptions(total, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription("sessions"),
		progressbar.OptionSetItsString("sessions"), progressbar.OptionShowIts(), progressbar.OptionShowCount(),
		progressbar.OptionSetPredictTime(true), progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(), progressbar.OptionSetSpinnerChangeInterval(0), progressbar.OptionSetRenderBlankState(true),
		progressbar.OptionSetWidth(30))
}

// late is how long after its expiry, as the table has it, a sweep deletes a session. A sweep goes by this process's
// clock; what is counted here, by the database's, is an estimate.
const late = 5 * time.Minute

// due answers about how many sessions a sweep would delete now; -1 if the database would not say.
func (t *table) due(ctx context.Context) int {
	return t.count(ctx, fmt.Sprintf(" WHERE expiry < "+map[sqlstore.Dialect]string{
		sqlstore.MySQL:    "NOW() - INTERVAL %d SECOND",
		sqlstore.Postgres: "now() - interval '%d seconds'",
		sqlstore.SQLite:   "julianday('now', '-%d seconds')",
	}[t.dialect], int(late.Seconds())))
}

// rows answers how many rows the table has; -1 if the database would not say.
func (t *table) rows(ctx context.Context) int { return t.count(ctx, "") }

// countPatience is how long a count may take, which reads an index from end to end.
const countPatience = 30 * time.Second

func (t *table) count(ctx context.Context, where string) int {
	ctx, cancel := context.WithTimeout(ctx, countPatience)
	defer cancel()
	n := -1
	if err := t.db.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+t.quoted+where).Scan(&n); err != nil {
		return -1
	}
	return n
}
