package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/legacy"
)

type importCmd struct {
	From        string        `placeholder:"URL" help:"Where scs keeps its sessions. Default: the store itself."`
	FromTable   string        `default:"sessions" placeholder:"NAME" help:"scs's table. Default: sessions."`
	FromPrefix  string        `default:"scs:session:" placeholder:"TEXT" help:"What scs's keys in a Redis begin with. Default: scs:session:"`
	PlainTokens bool          `help:"Say so, if scs's HashTokenInStore is not set. Hashed tokens cannot be imported."`
	OwnerKey    string        `placeholder:"KEY" help:"Under which the old program has who is logged in, such as authenticatedUserID."`
	Value       []string      `placeholder:"KEY" sep:"none" help:"Another value to take along, under the same key; may be said again and again."`
	Cookie      string        `default:"__Host-Http-id" placeholder:"NAME" help:"Config.Cookie.Name of the application. Default: __Host-Http-id."`
	Purpose     string        `placeholder:"TEXT" help:"Config.Purpose of the application, if it has one."`
	FromCookie  string        `default:"session" placeholder:"NAME" help:"The name of scs's cookie. Default: session."`
	Lifetime    time.Duration `placeholder:"TIME" help:"Config.Lifetime of the application, if it has one."`
	Remember    time.Duration `placeholder:"TIME" help:"Config.RememberFor of the application, if it has one."`
	KeepFor     time.Duration `placeholder:"TIME" help:"As long as servers of the old version still run. Default: a minute."`
	DryRun      bool          `help:"Read and count, and write nothing."`
}

func (importCmd) Help() string {
	return `Each old session becomes the one that its browser's next request would have made it, by way of the same code: when the
browser comes with its old cookie, the application finds that session. Until then the old one stays where it is, and
old servers go on with it. So purpose, cookie and keys must be those of the application's Config and its Config.Legacy,
which has to stay set. Run it as often as you like: what has moved in stays as it is.

What cannot be imported is left for its browser to bring in: a session that holds a type of the old program's own (which
only a program that registers it can read), one that a codec other than gob has written, and everything where scs hashes
its tokens, because a browser's token cannot be told from a hash. docs/moving-in.md has the whole.`
}

// An imported is what came of it. What was left is counted by why.
type imported struct {
	Store    string         `json:"store"`
	From     string         `json:"from"`
	DryRun   bool           `json:"dry_run"`
	Sessions int            `json:"sessions"` // that were looked at
	Imported int            `json:"imported"` // or would be
	Already  int            `json:"already"`  // had moved in
	Left     map[string]int `json:"left"`
}

func (c *importCmd) Run(ctx context.Context, g *grammar, t *terminal) error {
	if err := c.wrong(); err != nil {
		return err
	}
	from, err := c.open(ctx, g)
	if err != nil {
		return err
	}
	defer from.Close()
	s, err := g.open(ctx, nil, false)
	if err != nil {
		return err
	}
	defer s.Close()
	i := &importer{done: imported{Store: s.name, From: from.name, DryRun: c.DryRun, Left: map[string]int{}}}
	if err := i.prepare(c, g, s, from); err != nil {
		return err
	}
	if t.watched() {
		bar := newBar(t.progress(), from.count(ctx))
		i.looked = func() { _ = bar.Add(1) }
		defer bar.Exit()
	}
	err = from.each(ctx, func(token string) error { return i.one(ctx, token) })
	i.say(t)
	if err != nil {
		return errors.Join(fmt.Errorf("it stopped: %w\nrun the command again: what has moved in stays as it is", err), t.line(i.done))
	}
	return t.answer(i.done)
}

// wrong is what is missing on the command line.
func (c *importCmd) wrong() error {
	switch {
	case !c.PlainTokens:
		return usage("say --plain-tokens if the old program does not set scs's HashTokenInStore, which is how scs comes. " +
			"Tokens that are hashed cannot be imported, and to import hashes would make tokens of them: let the browsers bring those sessions in (Config.Legacy)")
	case c.OwnerKey == "" && len(c.Value) == 0:
		return usage("nothing is to be taken along: say --owner-key KEY, under which the old program has who is logged in, or --value KEY")
	}
	return nil
}

// An importer has a request of its browser's made up for each old session.
type importer struct {
	manager *sojourn.Manager
	handler http.Handler
	cookie  string
	looked  func()
	done    imported

	// Of the session that is looked at.
	event sojourn.Event
	gone  bool
	empty bool // nothing of it is to be taken along
	err   error
}

func (i *importer) prepare(c *importCmd, g *grammar, s *opened, from *oldSessions) (err error) {
	i.cookie, i.looked = c.FromCookie, func() {}
	old := &legacy.SCS{
		Rows: watched{from.rows, i}, SessionCookie: http.Cookie{Name: c.FromCookie}, KeepFor: c.KeepFor,
		Convert: func(values map[string]any) (sojourn.LegacySession, error) {
			s, err := convert(c.OwnerKey, c.Value, values)
			i.empty = err == nil && s.Owner == "" && len(s.Values) == 0
			return s, err
		},
	}
	var store sojourn.Store = s.backend
	if c.DryRun {
		store = unwritten{s.backend}
	}
	i.manager, err = sojourn.New(store, sojourn.Config{
		Lifetime: c.Lifetime, RememberFor: c.Remember, IdleTimeout: sojourn.NoIdleTimeout, Purpose: c.Purpose, Cookie: sojourn.Cookie{Name: c.Cookie},
		StoreTimeout: g.Timeout, Legacy: old, Load: sojourn.LoadLazy, Logger: slog.New(slog.DiscardHandler),
		ErrorHandler: func(_ http.ResponseWriter, _ *http.Request, err error) { i.err = err },
		OnEvent: func(_ context.Context, e sojourn.Event) {
			// The first one says why, another that nothing came of it.
			if i.event.Name == "" && (e.Name == sojourn.EventMovedIn || e.Name == sojourn.EventUnreadable) {
				i.event = e
			}
		},
	})
	if err != nil {
		return usage("%w", err)
	}
	i.handler = i.manager.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		i.err = cmp.Or(i.manager.Load(r.Context()), i.err)
	}))
	return nil
}

// one looks at one old session. Its error is that somebody cannot answer.
func (i *importer) one(ctx context.Context, token string) error {
	i.event, i.gone, i.empty, i.err = sojourn.Event{}, false, false, nil
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://import.invalid/", nil)
	if err != nil {
		return err
	}
	r.AddCookie(&http.Cookie{Name: i.cookie, Value: token})
	i.handler.ServeHTTP(nobody{}, r)
	if i.err != nil {
		return i.err
	}
	if i.gone {
		return nil // it has expired, or ended meanwhile
	}
	i.looked()
	i.done.Sessions++
	i.count()
	return nil
}

// left are reasons of EventMovedIn, in words.
var left = map[string]string{
	"refused": "it has ended in the new application",
	"revoked": "the owner's sessions were revoked since",
	"unknown": "what it has become cannot be told",
}

// unread takes from an error what is said to programs.
var unread = strings.NewReplacer(sojourn.ErrLegacyUnreadable.Error()+": ", "", "Convert: ", "",
	": list it in Types", ": only the application can bring it in", ": raise MaxBytes", ": only the application can bring it in")

func (i *importer) count() {
	switch e := i.event; {
	case e.Name == sojourn.EventUnreadable && e.Err != nil:
		i.done.Left[unread.Replace(e.Err.Error())]++
	case i.empty:
		i.done.Left["nobody is logged in to it, and none of the named values is in it"]++
	case e.Reason == "moved":
		i.done.Imported++
	case e.Reason == "again":
		i.done.Already++
	default:
		i.done.Left[cmp.Or(left[e.Reason], e.Reason)]++
	}
}

func (i *importer) say(t *terminal) {
	d := &i.done
	verb := "imported"
	if d.DryRun {
		verb = "to import (dry run: nothing was written)"
	}
	t.printf("%s: looked at %s of scs: %d %s, %d there already", d.From, counted(d.Sessions), d.Imported, verb, d.Already)
	for _, why := range slices.Sorted(maps.Keys(d.Left)) {
		t.printf("%d left as they are: %s", d.Left[why], printableText(t.secrets.Replace(why)))
	}
}

// watched tells when there is nothing under a key any more.
type watched struct {
	legacy.Rows
	i *importer
}

func (w watched) Find(ctx context.Context, key string) ([]byte, error) {
	data, err := w.Rows.Find(ctx, key)
	w.i.gone = w.i.gone || errors.Is(err, sojourn.ErrNotFound)
	return data, err
}

// Delete deletes nothing in a dry run.
func (w watched) Delete(ctx context.Context, key string) error {
	if w.i.done.DryRun {
		return nil
	}
	return w.Rows.Delete(ctx, key)
}

// unwritten is a store for a dry run: it reads, and says of each write what would come of it. An import revokes nothing.
type unwritten struct{ backend }

func (u unwritten) Create(ctx context.Context, r sojourn.Record) error {
	switch _, err := u.Load(ctx, r.ID); {
	case errors.Is(err, sojourn.ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	return sojourn.ErrConflict
}

func (unwritten) Update(context.Context, sojourn.Record, uint64) error { return nil }
func (unwritten) Touch(context.Context, sojourn.Record) error          { return nil }
func (unwritten) Delete(context.Context, string, uint64) error         { return nil }

// nobody reads the answer: the browser gets the same token when it comes by.
type nobody struct{}

func (nobody) Header() http.Header         { return http.Header{} }
func (nobody) Write(b []byte) (int, error) { return len(b), nil }
func (nobody) WriteHeader(int)             {}
