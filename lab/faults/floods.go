package faults

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gosojourn/sojourn/lab/histories"
	"github.com/gosojourn/sojourn/lab/histories/serving"
)

// flooders is how many ask at once, each without a pause, beside the crowd's nine.
const flooders = 64

// A flood is many who ask for something that costs.
type flood struct {
	name, done string
	long       bool          // only with -soak
	gone       bool          // nobody waits for the answers, so nothing holds back who asks
	bounds     serving.Order // what of it bounds the requests
	one        func(ctx context.Context, c *http.Client, url string)
}

var floods = []flood{
	{name: "forged tokens", done: "each request shows a token of the right form that nobody was given", one: func(ctx context.Context, c *http.Client, url string) {
		token := make([]byte, 48)
		_, _ = rand.Read(token)
		get(ctx, c, url, "__Host-Http-id="+base64.RawURLEncoding.EncodeToString(token))
	}},
	{name: "oversized cookies", done: hugeCookies, long: true, one: oversize},
	{name: "oversized cookies, MaxHeaderBytes of 16 kB", done: hugeCookies, long: true, bounds: serving.Order{MaxHeader: 16 << 10}, one: oversize},
	{name: "new visitors", done: "each request comes without a cookie and begins a session", long: true, one: func(ctx context.Context, c *http.Client, url string) {
		do(ctx, c, http.MethodPost, url+"/?do=mark&value=b", "")
	}},
	{name: "slow clients", done: "each sends a request byte by byte, and is never done", long: true, one: func(ctx context.Context, _ *http.Client, url string) {
		raw(ctx, url, func(c net.Conn) {
			for range 500 {
				if _, err := io.WriteString(c, "x"); err != nil || ctx.Err() != nil {
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
		})
	}},
	{name: "vanishing clients", done: vanishing, long: true, gone: true, one: vanish},
	{name: "vanishing clients, 16 requests at a time", done: vanishing, long: true, gone: true, bounds: serving.Order{AtOnce: 16}, one: vanish},
}

const (
	hugeCookies = "each request shows 500 kB of cookies"
	vanishing   = "each asks for a write, and closes the connection before the answer"
)

func oversize(ctx context.Context, c *http.Client, url string) {
	get(ctx, c, url, strings.Repeat("__Host-Http-id="+strings.Repeat("x", 985)+"; ", 500)+"a=b")
}

func vanish(ctx context.Context, _ *http.Client, url string) {
	raw(ctx, url, func(c net.Conn) {
		_, _ = io.WriteString(c, "POST /?do=mark&value=b HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
	})
}

func get(ctx context.Context, c *http.Client, url, cookie string) {
	do(ctx, c, http.MethodGet, url+"/?do=who", cookie)
}

func do(ctx context.Context, c *http.Client, method, url, cookie string) {
	r, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return
	}
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	res, err := c.Do(r)
	if err != nil {
		return
	}
	_, _ = io.Copy(io.Discard, bufio.NewReader(res.Body))
	res.Body.Close()
}

func raw(ctx context.Context, url string, talk func(c net.Conn)) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		return
	}
	defer c.Close()
	talk(c)
}

// What a process needed, and how long honest people waited.
type flooded struct {
	asked              int // by the flood
	quiet, during      time.Duration
	before, most       serving.Figures
	connections        int // of the application to the server, at most
	honest, unanswered int
}

func (f flooded) String() string {
	ms := func(d time.Duration) time.Duration { return d.Round(time.Millisecond) }
	return fmt.Sprintf("%d | %d | %d | %v | %v | %d to %d MB | %d to %d | %d", f.asked, f.honest, f.unanswered, ms(f.quiet), ms(f.during),
		f.before.Memory>>20, f.most.Memory>>20, f.before.Goroutines, f.most.Goroutines, f.connections)
}

// play has a crowd come, first by itself and then beside the flood, on one process.
func (f flood) play(t *testing.T, o serving.Order, connections func() int, lasting time.Duration) (r flooded) {
	t.Helper()
	migrate(t, o)
	o.AtOnce, o.MaxHeader = f.bounds.AtOnce, f.bounds.MaxHeader
	p := serving.Start(t, o)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	c := newCrowd(t, []string{p.URL})
	c.come(ctx, t)
	await(t, "some are served", c.busy)
	began := c.rec.Now()
	time.Sleep(lasting)
	r.before = figures(t, p)

	high, end := c.rec.Now(), time.Now().Add(lasting)
	flood, over := context.WithDeadline(t.Context(), end)
	defer over()
	transport := &http.Transport{MaxIdleConnsPerHost: flooders}
	client := &http.Client{Transport: transport}
	var all sync.WaitGroup
	var asked [flooders]int
	for i := range flooders {
		all.Go(func() {
			for ; flood.Err() == nil; asked[i]++ {
				f.one(flood, client, p.URL)
			}
		})
	}
	for time.Now().Before(end) {
		now := figures(t, p)
		r.most.Goroutines, r.most.Memory = max(r.most.Goroutines, now.Goroutines), max(r.most.Memory, now.Memory)
		r.connections = max(r.connections, connections())
		time.Sleep(20 * time.Millisecond)
	}
	all.Wait()
	transport.CloseIdleConnections()
	low := c.rec.Now()
	await(t, "the flood has left no goroutine", func() bool { return figures(t, p).Goroutines <= r.before.Goroutines+10 })
	stop()
	c.all.Wait()
	for _, n := range asked {
		r.asked += n
	}
	r.quiet, _, _ = p99(c.rec.Ops(), began, high)
	r.during, r.honest, r.unanswered = p99(c.rec.Ops(), high, low)
	return r
}

func figures(t *testing.T, p *serving.Process) serving.Figures {
	t.Helper()
	f, err := p.Figures()
	if err != nil {
		t.Error(err)
	}
	return f
}

// p99 is how long all but one in a hundred waited who asked between the two, and how many were and were not served.
func p99(ops []histories.Op, from, to int64) (took time.Duration, served, not int) {
	var all []int64
	for _, o := range ops {
		if o.Call < from || o.Call > to {
			continue
		}
		all = append(all, o.Return-o.Call)
		if o.Outcome == histories.Done {
			served++
		} else {
			not++
		}
	}
	if len(all) == 0 {
		return 0, 0, 0
	}
	slices.Sort(all)
	return time.Duration(all[len(all)*99/100]), served, not
}
