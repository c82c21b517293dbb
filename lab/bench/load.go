package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A target is one route, with connections that are kept and have sessions of their own. Requests are made
// of bytes and answers read as little as can be: what the client costs is taken from both sides of a pair.
type target struct {
	links []*link
}

type link struct {
	c        net.Conn
	r        *bufio.Reader
	requests [][]byte // one for each session, in turn
	next     int
	took     []time.Duration
}

// newTarget opens n connections to route, "GET /scs/read", with so many sessions each, of its own side. The
// bare handler has none, and is sent those of the other: the requests are the same.
func newTarget(addr, route, other string, n, each int) (*target, error) {
	method, path, _ := strings.Cut(route, " ")
	side := sideOf(route)
	if side == "bare" {
		side = sideOf(other)
	}
	t := &target{}
	for range n {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			return nil, err
		}
		l := &link{c: c, r: bufio.NewReader(c)}
		t.links = append(t.links, l)
		for range each {
			cookie, err := beginAt(addr, side)
			if err != nil {
				return nil, err
			}
			text := method + " " + path + " HTTP/1.1\r\nHost: " + addr + "\r\nCookie: " + cookie + "\r\n"
			if method == "POST" {
				text += "Content-Length: 0\r\n"
			}
			l.requests = append(l.requests, []byte(text+"\r\n"))
		}
	}
	return t, nil
}

func sideOf(route string) string {
	_, path, _ := strings.Cut(route, " ")
	return strings.Split(path, "/")[1]
}

func (t *target) close() {
	for _, l := range t.links {
		l.c.Close()
	}
}

func beginAt(addr, side string) (cookie string, err error) {
	res, err := http.Post("http://"+addr+"/"+side+"/begin", "", nil)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	io.Copy(io.Discard, res.Body)
	lines := res.Header["Set-Cookie"]
	if res.StatusCode != 200 || len(lines) == 0 {
		return "", fmt.Errorf("%s begins no session: %s", side, res.Status)
	}
	cookie, _, _ = strings.Cut(lines[len(lines)-1], ";")
	return cookie, nil
}

// once sends a request and reads the answer.
func (l *link) once() error {
	l.next = (l.next + 1) % len(l.requests)
	if _, err := l.c.Write(l.requests[l.next]); err != nil {
		return err
	}
	length := -1
	for first := true; ; first = false {
		line, err := l.r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if first && !bytes.Contains(line, []byte(" 200 ")) {
			return errors.New("answered " + string(bytes.TrimSpace(line)))
		}
		if len(line) <= 2 {
			break
		}
		if v, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			length, _ = strconv.Atoi(string(bytes.TrimSpace(v)))
		}
	}
	if length < 0 {
		return errors.New("an answer without a length")
	}
	_, err := l.r.Discard(length)
	return err
}

// A slice is what a target has done for a while.
type slice struct {
	requests int
	seconds  float64
	took     []time.Duration
}

// run keeps all connections busy for d.
func (t *target) run(d time.Duration) (slice, error) {
	start := time.Now()
	end := start.Add(d)
	var wg sync.WaitGroup
	errs := make([]error, len(t.links))
	for i, l := range t.links {
		l.took = l.took[:0]
		wg.Go(func() {
			for before := time.Now(); before.Before(end); {
				if errs[i] = l.once(); errs[i] != nil {
					return
				}
				now := time.Now()
				l.took = append(l.took, now.Sub(before))
				before = now
			}
		})
	}
	wg.Wait()
	s := slice{seconds: time.Since(start).Seconds()}
	for _, l := range t.links {
		s.requests += len(l.took)
		s.took = append(s.took, l.took...)
	}
	return s, errors.Join(errs...)
}

func percentile(took []time.Duration, q float64) time.Duration {
	if len(took) == 0 {
		return 0
	}
	slices.Sort(took)
	return took[int(q*float64(len(took)-1))]
}

// cpu is what the application has used so far.
func cpu(addr string) (time.Duration, error) {
	n, err := figure(addr, "cpu")
	return time.Duration(n), err
}

// figure asks the application for a number.
func figure(addr, name string) (int64, error) {
	res, err := http.Get("http://" + addr + "/" + name)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(string(text), 10, 64)
}
