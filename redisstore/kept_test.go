package redisstore

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"
)

// The client gives the memory of an answered command to the next one, while who writes to a broken connection may
// still read it: a part of one session's command would go out as another's. See kept.
func TestACommandThatMayBeSentAgainIsKept(t *testing.T) {
	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{serveNothing(t)}, ForceSingleClient: true, DisableCache: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	g := newGuard(client)
	one := client.B().Get().Key("a").Build()
	if err := g.do(t.Context(), one).Error(); !rueidis.IsRedisNil(err) {
		t.Fatal(err)
	}
	several := []rueidis.Completed{client.B().Get().Key("b").Build(), client.B().Get().Key("c").Build()}
	g.doMulti(t.Context(), slices.Clone(several)...)
	cached := client.B().Get().Key("d").Cache()
	g.doCache(t.Context(), cached, time.Minute)
	held := append(several, one, rueidis.Completed(cached))
	for i, key := range []string{"b", "c", "a", "d"} {
		if got := held[i].Commands(); !slices.Equal(got, []string{"GET", key}) {
			t.Errorf("the memory of GET %s was given away: it holds %q", key, got)
		}
	}
}

// serveNothing serves a Redis in which nothing is.
func serveNothing(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go answerNothing(c)
		}
	}()
	return l.Addr().String()
}

func answerNothing(c net.Conn) {
	defer c.Close()
	for r := bufio.NewReader(c); ; {
		words, err := readCommand(r)
		if err != nil {
			return
		}
		answer := "+OK\r\n"
		switch words[0] {
		case "GET":
			answer = "$-1\r\n"
		case "HELLO":
			answer = "%1\r\n$5\r\nproto\r\n:3\r\n"
		}
		if _, err := io.WriteString(c, answer); err != nil {
			return
		}
	}
}

// readCommand reads one as clients send it: a list of strings.
func readCommand(r *bufio.Reader) ([]string, error) {
	number := func(kind string) (int, error) {
		line, err := r.ReadString('\n')
		if err != nil {
			return 0, err
		}
		if !strings.HasPrefix(line, kind) {
			return 0, fmt.Errorf("%q", line)
		}
		return strconv.Atoi(strings.TrimSpace(line[1:]))
	}
	n, err := number("*")
	if err != nil {
		return nil, err
	}
	words := make([]string, n)
	for i := range words {
		size, err := number("$")
		if err != nil {
			return nil, err
		}
		text := make([]byte, size+2)
		if _, err := io.ReadFull(r, text); err != nil {
			return nil, err
		}
		words[i] = string(text[:size])
	}
	return words, nil
}
