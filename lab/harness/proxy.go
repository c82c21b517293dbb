package harness

import (
	"bytes"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// A Proxy stands between a client and a server and spoils the traffic on request. It begins by
// passing everything on. Its methods may be called from any goroutine, at any moment.
type Proxy struct {
	t      testing.TB
	target string
	l      net.Listener
	wg     sync.WaitGroup

	mu    sync.Mutex
	mode  mode
	match []byte        // cut the reply to what contains it; nil: nothing
	held  chan struct{} // closed when what is held goes on; nil: nothing is held
	slow  time.Duration // everything comes so much later
	links map[*link]bool
}

type mode int

const (
	pass mode = iota
	cutReplies
	halveReplies
	blackHole
	refuse
)

// A link is a client's connection and the one to the server that it is passed on to.
type link struct {
	client, server net.Conn // server is nil in a black hole
	recent         []byte   // the end of what the client sent, where a match may have begun
	cut            bool     // the next reply is not delivered
	lost           bool     // something was swallowed
}

// NewProxy listens on a loopback address, until the end of the test, for target, an address too.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	addr, err := freeAddr()
	if err != nil {
		t.Fatalf("harness: proxy: %v", err)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatalf("harness: proxy: %v", err)
	}
	p := &Proxy{t: t, target: target, l: l, links: map[*link]bool{}}
	p.wg.Go(p.accept)
	t.Cleanup(func() {
		p.Heal()
		l.Close()
		p.Refuse()
		p.wg.Wait()
	})
	return p
}

// Addr is where clients connect.
func (p *Proxy) Addr() string { return p.l.Addr().String() }

// DSN is dsn with the server's address replaced by the proxy's.
func (p *Proxy) DSN(dsn string) string {
	p.t.Helper()
	if !strings.Contains(dsn, p.target) {
		p.t.Errorf("harness: proxy: %s does not name %s", dsn, p.target)
	}
	return strings.Replace(dsn, p.target, p.Addr(), 1)
}

// CutReplies passes requests on, and closes the connection instead of delivering a reply.
func (p *Proxy) CutReplies() { p.set(cutReplies) }

// HalveReplies passes requests on, and closes the connection in the middle of a reply.
func (p *Proxy) HalveReplies() { p.set(halveReplies) }

// Slow delivers everything so much later, either way, until Heal.
func (p *Proxy) Slow(by time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.slow = by
}

// Strand leaves all connections half open: from now on they swallow what either side sends, and new ones are passed
// on. So a client sees one whose server is gone without a word.
func (p *Proxy) Strand() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for k := range p.links {
		k.lost = true
	}
}

// CutNextReplyAfter waits for the next request that contains match, passes it on, and closes its
// connection when the server has answered, without delivering the reply; then it passes everything
// on again. That no such request has come by Heal, or the end of the test, is an error.
func (p *Proxy) CutNextReplyAfter(match []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.match = match
}

// BlackHole accepts connections and swallows what either side sends.
func (p *Proxy) BlackHole() { p.set(blackHole) }

// Hold keeps what either side sends from now on, until Heal delivers it: as a server that is paused, or a
// network that is slow. What a client has sent before it left is delivered, too.
func (p *Proxy) Hold() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held == nil {
		p.held = make(chan struct{})
	}
}

// wait returns when nothing is held, and after the time that everything takes.
func (p *Proxy) wait() {
	p.mu.Lock()
	held, slow := p.held, p.slow
	p.mu.Unlock()
	time.Sleep(slow)
	if held != nil {
		<-held
	}
}

// Refuse closes all connections, new ones at once.
func (p *Proxy) Refuse() {
	p.set(refuse)
	p.closeLinks(func(*link) bool { return true })
}

// Heal passes everything on again. Connections of which something was swallowed are closed.
func (p *Proxy) Heal() {
	p.t.Helper()
	p.mu.Lock()
	p.mode = pass
	match := p.match
	p.match, p.slow = nil, 0
	if p.held != nil {
		close(p.held)
		p.held = nil
	}
	p.mu.Unlock()
	if match != nil {
		p.t.Errorf("harness: proxy: no request contained %q, so no reply was cut", match)
	}
	p.closeLinks(func(k *link) bool { return k.lost })
}

func (p *Proxy) set(m mode) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mode = m
}

func (p *Proxy) closeLinks(which func(*link) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for k := range p.links {
		if which(k) {
			k.close()
		}
	}
}

func (k *link) close() {
	k.client.Close()
	if k.server != nil {
		k.server.Close()
	}
}

func (p *Proxy) accept() {
	for {
		client, err := p.l.Accept()
		if err != nil {
			return
		}
		p.wg.Go(func() { p.serve(&link{client: client}) })
	}
}

func (p *Proxy) serve(k *link) {
	defer k.close()
	if m := p.now(); m != blackHole && m != refuse {
		server, err := net.Dial("tcp", p.target)
		if err != nil {
			return
		}
		k.server = server
	}
	if !p.enter(k) {
		return
	}
	defer p.leave(k)
	if k.server != nil {
		p.wg.Go(func() { p.pump(k, k.server, k.client, p.reply) })
	}
	p.pump(k, k.client, k.server, p.request)
}

func (p *Proxy) now() mode {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mode
}

func (p *Proxy) enter(k *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	// The mode may have changed since the connection to the server was tried.
	if p.mode == refuse {
		return false
	}
	k.lost = k.server == nil
	p.links[k] = true
	return true
}

func (p *Proxy) leave(k *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, k)
}

// pump passes on what judge lets through, until a side closes or judge asks for the cut.
func (p *Proxy) pump(k *link, from, to net.Conn, judge func(*link, []byte) verdict) {
	defer k.close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			p.wait()
			switch judge(k, buf[:n]) {
			case deliver:
				if _, err := to.Write(buf[:n]); err != nil {
					return
				}
			case half:
				_, _ = to.Write(buf[:(n+1)/2])
				return
			case cut:
				return
			}
		}
		if err != nil {
			return
		}
	}
}

type verdict int

const (
	deliver verdict = iota
	swallow
	half
	cut
)

func (p *Proxy) request(k *link, b []byte) verdict {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mode == blackHole || k.lost {
		k.lost = true
		return swallow
	}
	if p.match != nil {
		all := append(k.recent, b...)
		if bytes.Contains(all, p.match) {
			k.cut, p.match = true, nil
		}
		k.recent = bytes.Clone(all[max(0, len(all)-len(p.match)):])
	}
	return deliver
}

func (p *Proxy) reply(k *link, _ []byte) verdict {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.mode == blackHole || k.lost:
		k.lost = true
		return swallow
	case p.mode == cutReplies || k.cut:
		return cut
	case p.mode == halveReplies:
		return half
	}
	return deliver
}
