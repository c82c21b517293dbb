package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode"

	"golang.org/x/term"
)

// A terminal is whom the command talks to: somebody at a keyboard, or another program.
type terminal struct {
	in, out, err *os.File
	json         bool
	secrets      *strings.Replacer // what is never written
	lost         error             // why an answer was not written
}

// printf writes a line for people. With -json there is none: that answer is written by answer.
func (t *terminal) printf(format string, a ...any) {
	if t.json {
		return
	}
	fmt.Fprintf(t, format+"\n", a...)
}

// Write writes to standard output, and remembers what was lost.
func (t *terminal) Write(b []byte) (int, error) {
	n, err := t.out.Write(b)
	if err != nil {
		t.lost = err
	}
	return n, err
}

// help is where help goes. A terminal loses nothing, and is asked how wide it is.
func (t *terminal) help() io.Writer {
	if isTerminal(t.out) {
		return t.out
	}
	return t
}

// exit ends the process after an answer that is no command's, as of --version.
func (t *terminal) exit(code int) {
	if t.lost != nil {
		code = t.fail("", lostAnswer(t.lost))
	}
	os.Exit(code)
}

// note writes beside the answer: what is worth knowing, and no part of it.
func (t *terminal) note(format string, a ...any) {
	fmt.Fprintln(t.err, "sojourn: "+t.secrets.Replace(fmt.Sprintf(format, a...)))
}

// lostAnswer is what whoever reads the answer has to know in its place.
func lostAnswer(err error) error {
	return fmt.Errorf("it is done, but the answer could not be written: %w", err)
}

// answer says, in JSON if that is wanted, what was done.
func (t *terminal) answer(v any) error {
	if err := t.line(v); err != nil {
		return lostAnswer(err)
	}
	return nil
}

// line writes v as a line of JSON, if that is wanted.
func (t *terminal) line(v any) error {
	if !t.json {
		return nil
	}
	e := json.NewEncoder(t.out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// ownWords are what this command calls the remedies that the library names to programs. Findings of check keep
// their words: they are for the application, too, and docs/misconfigurations.md has them.
var ownWords = strings.NewReplacer(
	"call (*sqlstore.Store).Migrate once, or correct Options.Table or the database that the DSN names",
	"run sojourn migrate, or correct --table or the database in the URL",
	"call (*sqlstore.Store).Migrate", "run sojourn migrate",
	"set Options.NoPrepare, and with pgx add default_query_exec_mode=exec to the DSN, because the driver prepares statements by itself",
	"add ?default_query_exec_mode=exec to the URL",
	"correct Options.Table", "correct --table",
)

// fail writes err, and answers the code to end with.
func (t *terminal) fail(command string, err error) int {
	code := exitCode(err)
	if err == nil {
		return code
	}
	text := t.secrets.Replace(ownWords.Replace(strings.TrimPrefix(err.Error(), "sojourn: ")))
	if t.json {
		e := json.NewEncoder(t.err)
		e.SetEscapeHTML(false)
		_ = e.Encode(map[string]any{"error": text, "exit": code}) // the code tells all the same
		return code
	}
	if command != "" {
		command = strings.TrimPrefix(command, "sojourn ") + ": "
	}
	fmt.Fprintf(t.err, "sojourn: %s%s\n", command, printableText(text))
	return code
}

// confirm asks whoever sits at the keyboard, and refuses where nobody does. What is asked for has not been done yet.
func (t *terminal) confirm(ctx context.Context, yes bool, question string) error {
	if yes {
		return nil
	}
	if !isTerminal(t.in) {
		return fmt.Errorf("%w: %s Nobody can be asked without a terminal: say --yes", errNotAsked, question)
	}
	fmt.Fprintf(t.err, "%s [y/N] ", question)
	said := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(t.in).ReadString('\n') // nothing is no
		said <- line
	}()
	select {
	case line := <-said:
		switch strings.ToLower(strings.TrimSpace(line)) {
		case "y", "yes":
			return nil
		}
		return fmt.Errorf("%w: the answer was not yes", errNotAsked)
	case <-ctx.Done():
		return fmt.Errorf("%w: interrupted", errNotAsked)
	}
}

// watched reports whether somebody sees what is drawn beside the answer.
func (t *terminal) watched() bool { return !t.json && isTerminal(t.err) }

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// progress is where bars are drawn.
func (t *terminal) progress() io.Writer { return t.err }

func printable(r rune) bool { return unicode.IsPrint(r) }

// printableText keeps the lines of text, and nothing else that does something to a terminal.
func printableText(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || printable(r) {
			return r
		}
		return '\uFFFD'
	}, text)
}

// when is a time for people, in UTC as logs have it.
func when(at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return at.UTC().Format("2006-01-02 15:04:05Z")
}
