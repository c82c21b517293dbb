package integration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/lab/cputime"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sqlstore"
)

// Streams of one owner in two processes end when a third one revokes the owner. SOJOURN_STREAMS=10000 asks for as
// many as docs/scaling.md tells of, and then for the second that Until promises:
//
//	SOJOURN_STREAMS=10000 go test -run TestUntilAtSize -v ./lab/integration
func TestUntilAtSize(t *testing.T) {
	if text := os.Getenv(orderVar); text != "" {
		var o streamOrder
		if err := json.Unmarshal([]byte(text), &o); err != nil {
			t.Fatal(err)
		}
		serveUntilInputEnds(t, newStreamHost(t, o.order))
		return
	}
	atSize := os.Getenv("SOJOURN_STREAMS") != ""
	streams := numberOf(t, "SOJOURN_STREAMS", 400)
	shapes := []int{4} // streams of each session
	if atSize {
		shapes = []int{1, 4}
	}
	places := append(slices.Clone(betweenProcesses), sharedPlace{"memory, one process", func(testing.TB) order { return order{Driver: "memory"} }})
	for _, tabs := range shapes {
		for _, p := range places {
			if strings.Contains(p.name, "SQLite") {
				continue // one machine, and a look costs no exchange
			}
			t.Run(fmt.Sprintf("%d of each session/%s", tabs, p.name), func(t *testing.T) {
				if !atSize { // figures are of one at a time
					t.Parallel()
				}
				endStreams(t, p, streams, tabs)
			})
		}
	}
}

type streamOrder struct{ order }

func endStreams(t *testing.T, p sharedPlace, streams, tabs int) {
	o := p.at(t)
	hosts := make([]string, 2)
	if o.Driver == "memory" {
		hosts = hosts[:1]
	}
	for i := range hosts {
		hosts[i] = startProcessWith(t, "TestUntilAtSize", streamOrder{o})
	}
	each := streams / len(hosts)
	ask := func(path string) []streamCounts {
		all := make([]streamCounts, len(hosts))
		var wg sync.WaitGroup
		for i, url := range hosts {
			wg.Go(func() { all[i] = askHost(t, fmt.Sprintf("%s/%s", url, path)) })
		}
		wg.Wait()
		return all
	}
	began := time.Now()
	ask(fmt.Sprintf("open?streams=%d&tabs=%d", each, tabs))
	opened := time.Since(began)

	const calm = 1200 * time.Millisecond
	before := ask("counts")
	time.Sleep(calm)
	after := ask("counts")
	for i := range after {
		asked, exchanges := after[i].Asked-before[i].Asked, after[i].Exchanges-before[i].Exchanges
		busy := time.Duration(after[i].CPU - before[i].CPU)
		t.Logf("%d streams of %d sessions, at rest: %.0f questions and %.0f exchanges a second, %.1f %% of a core", each, each/tabs,
			float64(asked)/calm.Seconds(), float64(exchanges)/calm.Seconds(), 100*busy.Seconds()/calm.Seconds())
		// A look is due every 400 ms, and one may begin and another end outside of the time that is counted.
		if most := uint64(each/tabs) * (uint64(calm/(400*time.Millisecond)) + 2); asked > most || asked == 0 {
			t.Errorf("%d questions in %v for %d sessions, want 1 to %d: a poll for each stream?", asked, calm, each/tabs, most)
		}
		// A few share each query, the more the more there are.
		if sql := o.Driver == "mysql" || o.Driver == "pgx"; sql && exchanges*4 > asked {
			t.Errorf("%d exchanges for %d questions: they are hardly shared", exchanges, asked)
		}
	}

	called := time.Now()
	if o.Driver == "memory" {
		ask("revoke")
	} else if err := managerOn(t, o.store(t), sojourn.Config{StoreTimeout: time.Minute}).RevokeAll(t.Context(), streamOwner); err != nil {
		t.Fatal(err)
	}
	revoked := time.Now()
	var told []time.Duration // behind the end of RevokeAll
	for _, host := range ask("told") {
		if host.Wrong != "" || len(host.Told) != each {
			t.Errorf("%d streams were told of %d; %s", len(host.Told), each, host.Wrong)
		}
		if host.Leaked > 8 { // connections come and go
			t.Errorf("%d goroutines more than before the streams", host.Leaked)
		}
		if host.Later > 0 {
			t.Errorf("%d questions when there were no streams any more", host.Later)
		}
		for _, at := range host.Told {
			told = append(told, max(0, time.Unix(0, at).Sub(revoked)))
		}
	}
	if t.Failed() {
		return
	}
	slices.Sort(told)
	last := told[len(told)-1]
	t.Logf("%s: %d streams of %d sessions, opened in %v: RevokeAll took %v; told behind it: half within %v, 99 %% within %v, all within %v", p.name, len(told), len(told)/tabs,
		opened.Round(10*time.Millisecond), revoked.Sub(called).Round(time.Millisecond), told[len(told)/2].Round(time.Millisecond), told[len(told)*99/100].Round(time.Millisecond), last.Round(time.Millisecond))
	limit := 10 * time.Second // the gate's machine may be busy
	if os.Getenv("SOJOURN_STREAMS") != "" {
		limit = time.Second
	}
	if last > limit {
		t.Errorf("the last one was told %v after the revocation, want %v", last, limit)
	}
}

const streamOwner = "ann"

// streamCounts is what a process with streams answers.
type streamCounts struct {
	Asked, Exchanges uint64 // questions of the manager to its store; exchanges with the server, of sqlstore
	CPU              int64  // ns
	Told             []int64
	Leaked           int
	Later            uint64 // questions after the last stream
	Wrong            string
}

func askHost(t *testing.T, url string) (c streamCounts) {
	t.Helper()
	res, err := http.Post(url, "", nil)
	if err != nil {
		t.Error(err)
		return c
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&c); err != nil {
		t.Errorf("%s: %v", url, err)
	}
	return c
}

// A streamHost is a process with streams: those that /open opens, each with what waits for its end.
type streamHost struct {
	t     *testing.T
	m     *sojourn.Manager
	asked questions
	sql   *sqlstore.Store

	goroutines int // before the streams
	mu         sync.Mutex
	told       []int64
	wrong      string
	waiting    sync.WaitGroup
}

// questions counts what a manager asks of its store.
type questions struct{ atomic.Uint64 }

func (q *questions) Start(ctx context.Context, _ sojourn.Op) (context.Context, func(error)) {
	q.Add(1)
	return ctx, func(error) {}
}

func newStreamHost(t *testing.T, o order) http.Handler {
	h := &streamHost{t: t}
	var store sojourn.Store
	if o.Driver == "memory" {
		store = memstore.New()
	} else {
		store = o.store(t)
		h.sql, _ = store.(*sqlstore.Store)
	}
	h.m = managerOn(t, store, sojourn.Config{StoreTimeout: time.Minute, Observer: &h.asked})
	mux := http.NewServeMux()
	mux.HandleFunc("POST /open", h.open)
	mux.HandleFunc("POST /counts", func(w http.ResponseWriter, _ *http.Request) { json.NewEncoder(w).Encode(h.counts()) })
	mux.HandleFunc("POST /revoke", func(w http.ResponseWriter, _ *http.Request) {
		if err := h.m.RevokeAll(context.Background(), streamOwner); err != nil {
			h.fail(err.Error())
		}
		json.NewEncoder(w).Encode(h.counts())
	})
	mux.HandleFunc("POST /told", h.end)
	return mux
}

func (h *streamHost) counts() streamCounts {
	c := streamCounts{Asked: h.asked.Load(), CPU: int64(cputime.Self())}
	if h.sql != nil {
		c.Exchanges = h.sql.Stats().Loads.Exchanges
	}
	return c
}

func (h *streamHost) fail(text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wrong = text
}

// open logs in and opens streams. All sessions begin first, so that what the store needs for them is there when
// goroutines are counted.
func (h *streamHost) open(w http.ResponseWriter, r *http.Request) {
	var streams, tabs int
	fmt.Sscan(r.FormValue("streams"), &streams)
	fmt.Sscan(r.FormValue("tabs"), &tabs)
	cookies := make([]string, streams/tabs)
	var next atomic.Int64
	var logins sync.WaitGroup
	for range 32 {
		logins.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(cookies)); i = next.Add(1) - 1 {
				w := visit(h.m, "POST", "", func(_ http.ResponseWriter, r *http.Request) {
					if err := h.m.Login(r.Context(), streamOwner); err != nil {
						h.fail(err.Error())
					}
				})
				cookies[i] = cookieOf(w)
			}
		})
	}
	logins.Wait()
	h.goroutines = runtime.NumGoroutine()
	for _, c := range cookies {
		visit(h.m, "GET", c, func(_ http.ResponseWriter, r *http.Request) {
			for range tabs {
				h.stream(r.Context())
			}
		})
	}
	json.NewEncoder(w).Encode(h.counts())
}

// stream notes when the stream's end is told.
func (h *streamHost) stream(ctx context.Context) {
	until, cancel := h.m.Until(ctx)
	h.waiting.Add(1)
	context.AfterFunc(until, func() {
		defer h.waiting.Done()
		defer cancel()
		now := time.Now().UnixNano()
		h.mu.Lock()
		defer h.mu.Unlock()
		h.told = append(h.told, now)
		if err := context.Cause(until); !errors.Is(err, sojourn.ErrEnded) {
			h.wrong = fmt.Sprintf("a stream ends with %v", err)
		}
	})
}

// end waits until each has been told, and looks what is left.
func (h *streamHost) end(w http.ResponseWriter, r *http.Request) {
	done := make(chan struct{})
	go func() { h.waiting.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
	}
	for range 100 {
		if runtime.NumGoroutine() <= h.goroutines {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	before := h.asked.Load()
	time.Sleep(time.Second / 2)
	c := h.counts()
	h.mu.Lock()
	defer h.mu.Unlock()
	c.Later, c.Told, c.Wrong = h.asked.Load()-before, h.told, h.wrong
	c.Leaked = runtime.NumGoroutine() - h.goroutines
	json.NewEncoder(w).Encode(c)
}
