package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
)

type migrateCmd struct {
	DryRun bool `help:"Print the statements that would be run, and run none."`
}

func (migrateCmd) Help() string {
	return `What is there stays as it is; running it again does nothing. Processes that use the tables go on meanwhile. With a
dry run somebody else can run the statements, and this user needs no right to alter tables.`
}

type migrated struct {
	Store      string   `json:"store"`
	Statements []string `json:"statements"`
	DryRun     bool     `json:"dry_run"`
	Note       string   `json:"note,omitempty"`
}

func (c *migrateCmd) Run(ctx context.Context, g *grammar, t *terminal) error {
	heard := &hearing{
		wait: func(text string) { t.note("%s", printableText(text)) },
		run:  func(text string) { t.printf("%s;", printableText(text)) },
	}
	// A dry run makes no file either, and would find no tables in one.
	s, err := g.open(ctx, slog.New(heard), !c.DryRun)
	if err != nil {
		return err
	}
	defer s.Close()
	done := migrated{Store: s.name, Statements: []string{}, DryRun: c.DryRun}
	if s.table == nil {
		done.Note = "a Redis has no tables: there is nothing to migrate"
		t.printf("%s: %s", s.name, done.Note)
		return t.answer(done)
	}
	if c.DryRun {
		todo, err := s.table.MigrationSQL(ctx)
		if err != nil {
			return err
		}
		done.Statements = append(done.Statements, todo...)
		t.statements(done)
		return t.answer(done)
	}
	if err := s.table.Migrate(ctx); err != nil {
		return fmt.Errorf("%w\nwhat was done stays; run migrate again when that is mended", err)
	}
	done.Statements = append(done.Statements, heard.statements...)
	if len(heard.statements) == 0 {
		t.printf("%s: the tables are as they must be", s.name)
	} else {
		t.printf("%s: migrated", s.name)
	}
	return t.answer(done)
}

// statements prints what a dry run has found, for a file of SQL.
func (t *terminal) statements(done migrated) {
	if len(done.Statements) == 0 {
		t.printf("-- %s: the tables are as they must be", done.Store)
		return
	}
	for _, text := range done.Statements {
		if strings.Contains(strings.ToUpper(text), " CONCURRENTLY ") {
			t.printf("-- the next one runs outside a transaction")
		}
		t.printf("%s;", text)
	}
}

// A hearing notes what Migrate says of its work.
type hearing struct {
	statements []string
	wait       func(text string) // told why it takes longer
	run        func(text string) // told of each statement
}

func (h *hearing) Enabled(context.Context, slog.Level) bool { return true }
func (h *hearing) WithAttrs([]slog.Attr) slog.Handler       { return h }
func (h *hearing) WithGroup(string) slog.Handler            { return h }

func (h *hearing) Handle(_ context.Context, r slog.Record) error {
	var text, why string
	r.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "sql":
			text = a.Value.String()
		case "error":
			why = a.Value.String()
		}
		return true
	})
	switch {
	case r.Level >= slog.LevelWarn:
		h.wait(r.Message + ": " + why)
	case text != "":
		h.statements = append(h.statements, text)
		h.run(text)
	}
	return nil
}
