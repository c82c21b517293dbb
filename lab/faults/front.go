package faults

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gosojourn/sojourn/lab/histories/serving"
)

// A front passes requests on to one process after the other. It knows what it was told and looks after nobody: for a
// process that is dead it answers 502, and does not ask another, because nobody knows how far the first one came.
type front struct {
	t     *testing.T
	order serving.Order
	url   string

	mu   sync.Mutex
	all  []*serving.Process
	next int
}

type targetKey struct{}

func newFront(t *testing.T, o serving.Order, n int) *front {
	t.Helper()
	migrate(t, o)
	f := &front{t: t, order: o}
	for range n {
		f.all = append(f.all, serving.Start(t, o))
	}
	transport := &http.Transport{MaxIdleConnsPerHost: adders + goers, DisableCompression: true}
	proxy := &httputil.ReverseProxy{
		Transport: transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(r.In.Context().Value(targetKey{}).(*url.URL))
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		proxy.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), targetKey{}, f.target())))
	}))
	t.Cleanup(func() { s.Close(); transport.CloseIdleConnections() })
	f.url = s.URL
	return f
}

func (f *front) target() *url.URL {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next++
	u, _ := url.Parse(f.all[f.next%len(f.all)].URL)
	return u
}

// replace has a new process in place of the one at i, which it may be sent nothing to any more, and returns that.
func (f *front) replace(i int) (old *serving.Process) {
	p := serving.Start(f.t, f.order)
	f.mu.Lock()
	defer f.mu.Unlock()
	old, f.all[i] = f.all[i], p
	return old
}

// rolling restarts three processes one after the other; the second is killed instead, in the middle of what it does.
func rolling(k kind) func(t *testing.T) *scene {
	return func(t *testing.T) *scene {
		_, o := k.start(t)
		f := newFront(t, o, 3)
		return &scene{urls: []string{f.url}, fault: func(lasting time.Duration) {
			for i := range slices.Clone(f.all) {
				if i == 1 {
					f.all[i].Kill()
					time.Sleep(lasting / 3)
					f.replace(i)
					continue
				}
				f.replace(i).Stop()
				time.Sleep(lasting / 3)
			}
		}}
	}
}

// sqliteKilled kills both processes that write to a file, and starts others.
func sqliteKilled(t *testing.T) *scene {
	f := newFront(t, onSQLite(t, t.TempDir()), 2)
	return &scene{urls: []string{f.url}, fault: func(lasting time.Duration) {
		for _, p := range f.all {
			p.Kill()
		}
		time.Sleep(lasting)
		for i := range f.all {
			f.replace(i)
		}
	}}
}
