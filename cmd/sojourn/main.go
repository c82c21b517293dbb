// Sojourn is the command for who runs sessions: it makes their tables, looks whether a store is fit, lists, shows,
// counts, ends and sweeps sessions, and makes and rotates the keys of sealed ones. docs/command.md tells of each.
package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

// A grammar is what may be said on the command line.
type grammar struct {
	Store   string           `env:"SOJOURN_STORE" placeholder:"URL" help:"Where the sessions are kept: sqlite:PATH, mysql://, postgres://, redis://, rediscluster:// or redissentinel://. In the environment a password is seen by fewer than here."`
	Table   string           `env:"SOJOURN_TABLE" default:"sessions" placeholder:"NAME" help:"Table of a database, with its schema and a dot before it where it needs one. Default: sessions."`
	Prefix  string           `env:"SOJOURN_PREFIX" default:"sojourn:" placeholder:"TEXT" help:"What each key in a Redis begins with. Default: sojourn:"`
	Timeout time.Duration    `default:"10s" placeholder:"TIME" help:"How long one exchange with the store, or one revocation, may take. Default: 10s."`
	JSON    bool             `help:"Answer in JSON: results on standard output, an error on standard error."`
	Version kong.VersionFlag `help:"Say which version this is."`

	tableFlag string `kong:"-"` // by which Table was named

	Migrate    migrateCmd    `cmd:"" help:"Make the tables of sessions, or add what is missing."`
	Check      checkCmd      `cmd:"" help:"Look whether the store is fit for sessions, and say what is not."`
	Ls         lsCmd         `cmd:"" help:"List live sessions."`
	Show       showCmd       `cmd:"" help:"Tell all about one session but its values."`
	Revoke     revokeCmd     `cmd:"" help:"End one session, all of an owner, or everybody's."`
	Stats      statsCmd      `cmd:"" help:"Count sessions, by age and by size."`
	Sweep      sweepCmd      `cmd:"" help:"Delete expired sessions."`
	ImportSCS  importCmd     `cmd:"" name:"import-scs" help:"Move the sessions of alexedwards/scs in, without waiting for their browsers."`
	Policy     policyCmd     `cmd:"" help:"Print the limits, cookie and standing to the standards of a Config."`
	Keygen     keygenCmd     `cmd:"" help:"Make a key for sealed sessions."`
	Keys       keysCmd       `cmd:"" help:"Care for a file of such keys."`
	Completion completionCmd `cmd:"" help:"Print what a shell needs to complete this command."`
}

// settings are the variables of the environment that the grammar names.
var settings = []string{"SOJOURN_STORE", "SOJOURN_TABLE", "SOJOURN_PREFIX"}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	code := run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// run is the program. It answers the exit code.
func run(ctx context.Context, args []string) int {
	args = tidy(args)
	var g grammar
	t := &terminal{in: os.Stdin, out: os.Stdout, err: os.Stderr}
	// Before the flags are understood, their text is all that there is to ask.
	t.json = slices.Contains(args, "--json")
	told := slices.Clone(args)
	for _, name := range settings {
		told = append(told, os.Getenv(name))
	}
	t.hide(told...)
	if err := readable(told); err != nil {
		return t.fail("", err)
	}

	parser, err := kong.New(&g, kong.Name("sojourn"), kong.Description(description), kong.UsageOnError(), kong.Writers(t.help(), t.err), kong.Exit(t.exit),
		kong.Vars{"version": "sojourn " + version()}, kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}))
	if err != nil {
		return t.fail("", err)
	}
	said, err := parser.Parse(args)
	if t.lost != nil { // by --help
		return t.fail("", lostAnswer(t.lost))
	}
	if err != nil {
		return t.fail("", usage("%w: sojourn --help lists what there is", err))
	}
	t.json = g.JSON
	said.BindTo(ctx, (*context.Context)(nil))
	err = said.Run(&g, t)
	if err == nil && t.lost != nil {
		err = lostAnswer(t.lost)
	}
	if ctx.Err() != nil && err != nil && !errors.Is(err, errNotAsked) {
		err = errors.Join(errors.New("interrupted"), err)
	}
	return t.fail(said.Selected().Path(), err)
}

const description = `Sessions kept by Sojourn: for who runs them.

One dash does for two: -json is --json. Exit codes: 0 done; 1 the store cannot answer or refuses; 2 the command line ` +
	`is wrong; 3 check found something; 4 there is no such session; 5 not confirmed, nothing was done; 6 this store or ` +
	`version cannot do that.`

// version is the module's, as go install has recorded it.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
