// Package suite asks an application, whatever it is built with, for the behaviour of its sessions: over a
// real server, with a client that keeps cookies, on HTTP/1.1 and HTTP/2.
package suite

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/lab/compat/shop"
	"github.com/gosojourn/sojourn/memstore"
)

// Patience is how long anything may take before it is taken for stuck.
const Patience = 60 * time.Second

// An App is one application under test.
type App struct {
	Name  string
	New   func(*shop.Shop) http.Handler
	Asks  Dialect                                         // Form if empty
	Lacks []string                                        // what there is nothing of: "redirect", "stream", "hang-up", "chat"
	Front func(t testing.TB, h http.Handler) http.Handler // what stands before the server; none if nil
}

// A Result is what one case came to.
type Result string

const (
	Yes  Result = "yes"
	No   Result = "no"
	None Result = "–" // the framework has nothing of the kind
)

// A Row is one case, and what it came to for each application.
type Row struct {
	Case    string
	Results []Result
}

// Run asks every application for everything. faults tell what went otherwise.
func Run(t *testing.T, apps []App) (rows []Row, faults []string) {
	var mu sync.Mutex
	rows = make([]Row, len(cases))
	for i, c := range cases {
		rows[i] = Row{c.name, make([]Result, len(apps))}
	}
	t.Run("apps", func(t *testing.T) {
		for n, a := range apps {
			t.Run(a.Name, func(t *testing.T) {
				t.Parallel()
				for _, h2 := range []bool{false, true} {
					s := newStage(t, a, h2)
					s.note = func(fault string) {
						mu.Lock()
						defer mu.Unlock()
						faults = append(faults, fault)
					}
					for i, c := range cases {
						rows[i].Results[n] = both(rows[i].Results[n], s.ask(c))
					}
				}
			})
		}
	})
	slices.Sort(faults)
	return rows, faults
}

func both(before, now Result) Result {
	if before == "" || now == No {
		return now
	}
	return before
}

func (s *stage) lacks(what string) bool { return slices.Contains(s.app.Lacks, what) }

// A stage is an application on a server.
type stage struct {
	*shop.Shop
	t     *testing.T
	app   App
	h2    bool
	gate  *gate
	srv   *httptest.Server
	inUse string // the case under way
	note  func(fault string)

	paused, goOn chan struct{} // of a slow page; nil: it does not wait

	mu   sync.Mutex
	seen []sojourn.Event
}

func newStage(t *testing.T, a App, h2 bool) *stage {
	t.Helper()
	if a.Asks.page == nil {
		a.Asks = Form
	}
	s := &stage{t: t, app: a, h2: h2, gate: &gate{Store: memstore.New()}}
	m, err := sojourn.New(s.gate, sojourn.Config{
		Logger: slog.New(slog.DiscardHandler),
		OnEvent: func(_ context.Context, e sojourn.Event) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.seen = append(s.seen, e)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Shop = &shop.Shop{Sessions: m, Pause: s.pause}
	h := a.New(s.Shop)
	if a.Front != nil {
		h = a.Front(t, h)
	}
	s.srv = httptest.NewUnstartedServer(h)
	s.srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.srv.EnableHTTP2 = h2
	s.srv.StartTLS()
	few := s.srv.Client().Transport.(*http.Transport) // handshakes are what costs time here
	few.MaxConnsPerHost, few.MaxIdleConnsPerHost = 4, 4
	t.Cleanup(s.srv.Close)
	return s
}

func (s *stage) ask(c story) (r Result) {
	if c.http1 && s.h2 {
		return None
	}
	s.inUse = c.name
	defer s.gate.set("")
	return c.tell(s)
}

// fault says what was otherwise, and that the answer is no.
func (s *stage) fault(format string, args ...any) Result {
	version := "HTTP/1.1"
	if s.h2 {
		version = "HTTP/2"
	}
	s.note(s.app.Name + ", " + version + ": " + s.inUse + ": " + fmt.Sprintf(format, args...))
	return No
}

func (s *stage) events(n sojourn.EventName) (sum int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.seen {
		if e.Name == n {
			sum++
		}
	}
	return sum
}

// slowly has slow pages wait in their middle: entered answers when one is there, leave lets it go on.
func (s *stage) slowly() (entered func() bool, leave func()) {
	paused, goOn := make(chan struct{}, 1), make(chan struct{})
	s.mu.Lock()
	s.paused, s.goOn = paused, goOn
	s.mu.Unlock()
	return func() bool {
			select {
			case <-paused:
				return true
			case <-time.After(Patience):
				return false
			}
		}, sync.OnceFunc(func() {
			s.mu.Lock()
			s.paused, s.goOn = nil, nil
			s.mu.Unlock()
			close(goOn)
		})
}

func (s *stage) pause() {
	s.mu.Lock()
	paused, goOn := s.paused, s.goOn
	s.mu.Unlock()
	if paused == nil {
		return
	}
	paused <- struct{}{}
	<-goOn
}

// within polls until ok, or for as long as Patience lasts.
func within(ok func() bool) bool {
	for end := time.Now().Add(Patience); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if ok() {
			return true
		}
	}
	return ok()
}
