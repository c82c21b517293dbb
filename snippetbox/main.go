// Snippetbox is a small web application to paste and share snippets of text: the reference
// application of Sojourn. It shows server-side sessions at work, in the chapter's own routes and
// middleware chains, with nothing but what any other application could import.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/admin"
	"github.com/gosojourn/sojourn/dbsc"
	"github.com/gosojourn/sojourn/sealed"
	"github.com/gosojourn/sojourn/sqlstore"
)

// databasePatience is how long a database server may take to come up after the application.
const databasePatience = 5 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "snippetbox:", oneLine(err.Error()))
		os.Exit(1)
	}
}

// An application is what the handlers share.
type application struct {
	logger         *slog.Logger
	snippets       *snippetModel
	users          *userModel
	passwords      *passwords
	table          *sqlstore.Store // of sessions, where they are in the database beside the people; else nil
	guesses        guesses
	signups        *limit
	sessionLimit   time.Duration // of inactivity
	freshFor       time.Duration // how long a login is good for what needs a fresh one
	sessionManager *sojourn.Manager
	sealsVisitors  bool // their browsers keep the sessions of who is not logged in
	bound          *dbsc.Binder
	preferences    *sojourn.Manager
	pages          pages
	adminEmail     string // of the administrator; "": there is none
	adminPages     *admin.Handler
}

// run is the program: it serves until ctx ends. The URL goes to stdout, the log to stderr.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parseFlags(args, stdout)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(stderr, nil))

	ring, err := openKeys(o.keys)
	if err != nil {
		return err
	}
	ln, err := listen(o.addr, o.tls)
	if err != nil {
		return err
	}
	defer ln.Close()

	db, err := openDatabase(o.db, logger)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.wait(ctx, databasePatience, logger); err != nil {
		return err
	}
	table, err := migrate(ctx, db)
	if err != nil {
		return err
	}
	store, open, err := openSessions(o.sessions, table)
	if err != nil {
		return err
	}
	defer open.Close()

	app, err := newApplication(db, table, store, ring, o, logger)
	if err != nil {
		return err
	}
	if err := app.checkAdmin(ctx); err != nil {
		return err
	}
	if err := app.sessionManager.Check(ctx); err != nil {
		logger.Warn("what keeps the sessions could serve them better", "error", err)
	}
	return app.serve(ctx, ln, o, db.name, stdout)
}

// migrate makes the tables where there are none.
func migrate(ctx context.Context, db *database) (*sqlstore.Store, error) {
	store, err := sqlstore.New(db.DB, db.dialect, sqlstore.Options{})
	if err != nil {
		return nil, err
	}
	if err := store.Migrate(ctx); err != nil {
		return nil, err
	}
	return store, migrateSnippets(ctx, db)
}

// newApplication wires the handlers.
func newApplication(db *database, table *sqlstore.Store, store sojourn.Store, ring *sealed.Ring, o options, logger *slog.Logger) (*application, error) {
	app := &application{
		logger:       logger,
		snippets:     newSnippetModel(db),
		users:        &userModel{db},
		guesses:      newGuesses(),
		signups:      newLimit(signupTries, signupWindow),
		sessionLimit: o.idle,
		freshFor:     freshFor,
		adminEmail:   normalEmail(o.admin),
	}
	if o.sessions == inDatabase {
		app.table = table
	}
	var err error
	if app.passwords, err = newPasswords(); err != nil {
		return nil, err
	}
	if app.pages, err = parsePages(); err != nil {
		return nil, err
	}
	if app.preferences, err = app.newPreferences(ring, o); err != nil {
		return nil, err
	}
	figures, cfg := admin.NewFigures(), app.sessionConfig(o)
	cfg.Observer, cfg.OnEvent = figures, figures.OnEvent
	if o.sealVisitors {
		cfg.Anonymous, app.sealsVisitors = ring, true
	}
	if app.sessionManager, err = newSessions(o.sessions, store, ring, cfg); err != nil {
		return nil, err
	}
	if app.bound, err = dbsc.New(app.sessionManager, dbsc.Config{Policy: bindingPolicy(o)}); err != nil {
		return nil, err
	}
	app.adminPages, err = app.newAdminPages(figures)
	return app, err
}

type options struct {
	addr, db, keys string
	sessions       string // where they are kept
	admin          string // who may see everybody's
	sealVisitors   bool   // who are not logged in
	tls            bool
	idle, lifetime time.Duration
}

func parseFlags(args []string, help io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("snippetbox", flag.ContinueOnError)
	flags.StringVar(&o.addr, "addr", "127.0.0.1:4000", "`host:port` to listen on; port 0 is any that is free")
	flags.StringVar(&o.db, "db", "", "`database` of people, snippets and sessions: sqlite:PATH, mysql://user:password@host:port/name\n"+
		"or postgres://user:password@host:port/name; without it, a file in your data directory")
	flags.StringVar(&o.sessions, "sessions", inDatabase, "where sessions are `kept`: database; sealed: in the browser's own cookies; or redis://user:password@host:port")
	flags.BoolVar(&o.sealVisitors, "seal-visitors", false, "seal what a visitor who is not logged in keeps into the browser's own cookie; a login moves it to where -sessions says")
	flags.StringVar(&o.admin, "admin", "", "`email` of the account that may see and end everybody's sessions; it has to be there already")
	flags.StringVar(&o.keys, "keys", "", "`file` of the keys that cookies are sealed with, made if it is not there; without it, one in your data directory")
	flags.BoolVar(&o.tls, "tls", false, "serve https with a certificate made now, which browsers warn of")
	flags.DurationVar(&o.idle, "idle", time.Hour, "the `time` that a session lasts without being used; not longer than -lifetime")
	flags.DurationVar(&o.lifetime, "lifetime", 12*time.Hour, "the `time` that a session lasts in all, unless its person asked to be remembered")
	flags.SetOutput(io.Discard)
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintln(help, "Usage of snippetbox:")
		flags.SetOutput(help)
		flags.PrintDefaults()
		return o, err
	case err != nil:
		return o, fmt.Errorf("%w: -h lists the flags", err)
	case flags.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q: -h lists the flags", flags.Arg(0))
	case o.sealVisitors && o.sessions == inCookies:
		return o, errors.New("-seal-visitors: with -sessions sealed everybody's sessions are sealed: remove it")
	case o.idle < time.Second || o.lifetime < time.Second:
		return o, errors.New("-idle and -lifetime want a second or more, such as 90s, 30m or 12h")
	}
	o.idle = min(o.idle, o.lifetime)
	return o, checkSessions(o.sessions)
}
