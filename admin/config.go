package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/gosojourn/sojourn"
)

// A Config says who may see the pages, and what is on them.
type Config struct {
	// Authorize says who sends r, in the words of your security log: that is the Actor of each event. An error, or
	// nobody, is answered with 403 and a page that has no word of the error; an error that is
	// [sojourn.Unavailable] with 503. It is asked for every request but those for the style sheet and the script;
	// for a stream of figures each 30 seconds, with the request that began it.
	//
	// Default: none. Refused: nil, because whoever may open these pages may end everybody's session.
	//
	// It may ask for more of a POST than of a GET: a role, or a login of the last minutes. See
	// [sojourn.Manager.RequireFresh] for a way that leads to the login.
	Authorize func(r *http.Request) (who string, err error)

	// OwnerOf says who is meant by what somebody types, such as an email address, in the words that Login was given. "" is
	// nobody of that name, and then what was typed is taken for the owner itself. An error is answered with 503.
	//
	// Default: what is typed is the owner.
	//
	// Set it where owners are numbers, which nobody knows by heart.
	OwnerOf func(ctx context.Context, typed string) (owner string, err error)

	// NameOf says how people call an owner. It is asked once for each owner on a page. "" is as without it.
	//
	// Default: the owner is shown.
	//
	// Set it beside OwnerOf.
	NameOf func(ctx context.Context, owner string) string

	// Figures draws what goes on, live.
	//
	// Default: no figures.
	//
	// Set it to those that the manager tells: see [NewFigures].
	Figures *Figures

	// SearchLimit is how many sessions a search by device looks at. No store has an index of devices, so such a search
	// reads one session after the other. The page says so when it has not seen all.
	//
	// Default: 20,000. Refused: a negative number.
	//
	// Raise it where there are more sessions, and the store can bear it. A search takes five seconds at most, or one
	// answer of the store longer.
	SearchLimit int
}

const searchLimit = 20_000

// New returns the pages for the sessions of m. Its error names every mistake in cfg, one to a line.
func New(m *sojourn.Manager, cfg Config) (*Handler, error) {
	var bad []error
	if m == nil {
		bad = append(bad, errors.New("admin: the manager is nil: pass the one that sojourn.New returned"))
	}
	if cfg.Authorize == nil {
		bad = append(bad, errors.New("admin: Authorize is nil, and anybody could end everybody's sessions: say who may"))
	}
	if cfg.SearchLimit < 0 {
		bad = append(bad, fmt.Errorf("admin: SearchLimit (%d) is negative: use 0 for %d", cfg.SearchLimit, searchLimit))
	}
	if err := errors.Join(bad...); err != nil {
		return nil, err
	}
	if cfg.SearchLimit == 0 {
		cfg.SearchLimit = searchLimit
	}
	h := &Handler{m: m, cfg: cfg, everyone: m.RevokeEveryone}
	h.feed = newFeed(m, cfg.Figures)
	h.routes()
	return h, nil
}
