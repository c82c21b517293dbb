package harness_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gosojourn/sojourn/lab/harness"
)

// echo answers every line with the same line, and counts them.
func echo(t *testing.T) (addr string, heard *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	heard = new(atomic.Int64)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for s := bufio.NewScanner(c); s.Scan(); {
					heard.Add(1) // before the answer, which is when the test looks
					fmt.Fprintln(c, s.Text())
				}
			}()
		}
	}()
	return l.Addr().String(), heard
}

// say sends a line and returns the answer, "" for none within a moment.
func say(c net.Conn, line string) string {
	c.SetDeadline(time.Now().Add(300 * time.Millisecond))
	fmt.Fprintln(c, line)
	answer, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		return ""
	}
	return answer[:len(answer)-1]
}

func call(t *testing.T, p *harness.Proxy) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestProxy(t *testing.T) {
	addr, heard := echo(t)
	p := harness.NewProxy(t, addr)
	dial := func() net.Conn { return call(t, p) }
	want := func(c net.Conn, line, answer string, told int64) {
		t.Helper()
		before := heard.Load()
		if got := say(c, line); got != answer {
			t.Errorf("to %q the answer is %q, want %q", line, got, answer)
		}
		if n := heard.Load() - before; n != told {
			t.Errorf("the server heard %q %d times, want %d", line, n, told)
		}
	}

	c := dial()
	want(c, "hello", "hello", 1)
	p.CutNextReplyAfter([]byte("commit 7"))
	want(c, "commit 6", "commit 6", 1)
	want(c, "commit 7", "", 1) // done, and nobody told us
	want(dial(), "commit 7", "commit 7", 1)

	c = dial()
	p.CutReplies()
	want(c, "lost", "", 1)
	want(dial(), "lost too", "", 1)
	p.Heal()
	want(dial(), "found", "found", 1)

	c, idle := dial(), dial()
	want(idle, "hello", "hello", 1)
	p.BlackHole()
	want(c, "anybody?", "", 0)
	want(dial(), "anybody?", "", 0)
	p.Heal()
	want(c, "still there?", "", 0) // a stream with a hole in it is not mended
	want(idle, "I slept", "I slept", 1)
	want(dial(), "back", "back", 1)

	c = dial()
	want(c, "before", "before", 1)
	p.Refuse()
	want(c, "no", "", 0)
	want(dial(), "no", "", 0)
	p.Heal()
	want(dial(), "yes", "yes", 1)
}

func TestProxyFindsAMatchThatComesInTwoParts(t *testing.T) {
	addr, heard := echo(t)
	p := harness.NewProxy(t, addr)
	one, two := call(t, p), call(t, p)
	p.CutNextReplyAfter([]byte("commit"))
	fmt.Fprint(one, "com")
	if got := say(two, "mit"); got != "mit" {
		t.Errorf("parts on two connections are no match, but the answer is %q", got)
	}
	if got := say(one, "mit"); got != "" || heard.Load() != 2 {
		t.Errorf("the answer is %q and the server heard %d lines, want none and 2", got, heard.Load())
	}
}

func TestProxyTellsOfACutThatNeverCame(t *testing.T) {
	quiet := &recorder{TB: t}
	p := harness.NewProxy(quiet, "127.0.0.1:3306")
	p.CutNextReplyAfter([]byte("commit"))
	for range 2 {
		p.Heal()
		if quiet.errors != 1 {
			t.Errorf("%d errors, want 1", quiet.errors)
		}
	}
}

// A recorder counts errors instead of failing.
type recorder struct {
	testing.TB
	errors int
}

func (r *recorder) Errorf(string, ...any) { r.errors++ }

func TestProxyInADSN(t *testing.T) {
	p := harness.NewProxy(t, "127.0.0.1:3306")
	if got, want := p.DSN("root@tcp(127.0.0.1:3306)/app"), "root@tcp("+p.Addr()+")/app"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// What is held goes on when the proxy is healed, also of a client who has left meanwhile.
func TestProxyHolds(t *testing.T) {
	addr, heard := echo(t)
	p := harness.NewProxy(t, addr)
	stays, leaves := call(t, p), call(t, p)
	say(stays, "before")
	say(leaves, "before")
	p.Hold()
	if got := say(stays, "held"); got != "" {
		t.Errorf("answered %q while it held", got)
	}
	say(leaves, "last")
	leaves.Close()
	if n := heard.Load(); n != 2 {
		t.Errorf("the server heard %d lines, want 2", n)
	}
	p.Heal()
	stays.SetDeadline(time.Now().Add(5 * time.Second))
	if got, err := bufio.NewReader(stays).ReadString('\n'); got != "held\n" {
		t.Errorf("then it answered %q, %v", got, err)
	}
	for end := time.Now().Add(5 * time.Second); heard.Load() != 4; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the server heard %d lines, want 4", heard.Load())
		}
	}
}

func TestProxyHalvesReplies(t *testing.T) {
	addr, heard := echo(t)
	p := harness.NewProxy(t, addr)
	c := call(t, p)
	if got := say(c, "before"); got != "before" {
		t.Fatalf("got %q", got)
	}
	p.HalveReplies()
	c.SetDeadline(time.Now().Add(5 * time.Second))
	fmt.Fprintln(c, "1234567")
	if got, err := io.ReadAll(c); string(got) != "1234" || err != nil {
		t.Errorf("of a reply of eight bytes there came %q, %v", got, err)
	}
	if n := heard.Load(); n != 2 {
		t.Errorf("the server heard %d lines, want 2", n)
	}
}

func TestProxyStrandsConnections(t *testing.T) {
	addr, heard := echo(t)
	p := harness.NewProxy(t, addr)
	old := call(t, p)
	if got := say(old, "before"); got != "before" {
		t.Fatalf("got %q", got)
	}
	p.Strand()
	if got := say(old, "swallowed"); got != "" || heard.Load() != 1 {
		t.Errorf("a half-open connection answers %q, and the server heard %d lines", got, heard.Load())
	}
	if got := say(call(t, p), "new"); got != "new" {
		t.Errorf("a new connection answers %q", got)
	}
}

func TestProxyIsSlow(t *testing.T) {
	addr, _ := echo(t)
	p := harness.NewProxy(t, addr)
	c := call(t, p)
	p.Slow(time.Second)
	if got := say(c, "late"); got != "" {
		t.Errorf("within a moment there came %q", got)
	}
}
