package harness_test

import (
	"bufio"
	"fmt"
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
				for s := bufio.NewScanner(c); s.Scan(); heard.Add(1) {
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

func TestProxy(t *testing.T) {
	addr, heard := echo(t)
	p := harness.NewProxy(t, addr)
	dial := func() net.Conn {
		t.Helper()
		c, err := net.Dial("tcp", p.Addr())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
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
	p.BlackHole()
	want(c, "anybody?", "", 0)
	want(dial(), "anybody?", "", 0)
	p.Heal()
	want(c, "still there?", "", 0) // a stream with a hole in it is not mended
	want(dial(), "back", "back", 1)

	c = dial()
	want(c, "before", "before", 1)
	p.Refuse()
	want(c, "no", "", 0)
	want(dial(), "no", "", 0)
	p.Heal()
	want(dial(), "yes", "yes", 1)
}
