// Beside runs two more session libraries, gin-contrib/sessions and Fiber's session middleware, in their memory stores
// and as they come, through what lab/faultsbeside asks of scs and gorilla, and prints what docs/comparison.md says of
// them.
//
//	go run ./lab/compat/beside
package main

import (
	"fmt"
	"io"
	"log"
	"os"
	"strings"
	"sync"
)

// A session is what a handler is given. Each library saves it as its documentation shows.
type session interface {
	Get(key string) any
	Set(key string, value any)
	Renew()
	End()
}

// A peer answers a request that shows cookie, and returns what it set.
type peer struct {
	name string
	ask  func(cookie string, handler func(s session)) (set string)
}

func main() { report(os.Stdout, ginContrib(), fiberSession()) }

func report(w io.Writer, peers ...peer) {
	for _, p := range peers {
		fmt.Fprintf(w, "%s\n", p.name)
		fmt.Fprintf(w, "  cookie: %s\n", plain(p.ask("", func(s session) { s.Set("name", "gopher") })))
		fmt.Fprintf(w, "  increments lost, at once: %d of %d\n", lost(p, 20), 20)
		fmt.Fprintf(w, "  logged-out sessions that a slow request brought back: %d of %d\n", revived(p, 20), 20)
		fmt.Fprintf(w, "  tokens of before a login that still log in: %d of %d\n", fixed(p, 20), 20)
	}
}

// plain hides what is drawn anew each time.
func plain(set string) string {
	name, rest, _ := strings.Cut(set, "=")
	_, attributes, _ := strings.Cut(rest, "; ")
	var kept []string
	for a := range strings.SplitSeq(attributes, "; ") {
		if !strings.HasPrefix(strings.ToLower(a), "expires=") {
			kept = append(kept, a)
		}
	}
	return name + "=...; " + strings.Join(kept, "; ")
}

func pair(set string) string {
	p, _, _ := strings.Cut(set, ";")
	return p
}

// All requests have read before the first one writes.
func lost(p peer, of int) int {
	cookie := pair(p.ask("", func(s session) { s.Set("n", 0) }))
	var read, all sync.WaitGroup
	read.Add(of)
	for range of {
		all.Go(func() {
			p.ask(cookie, func(s session) {
				n, _ := s.Get("n").(int)
				read.Done()
				read.Wait()
				s.Set("n", n+1)
			})
		})
	}
	all.Wait()
	n := 0
	p.ask(cookie, func(s session) { n, _ = s.Get("n").(int) })
	return of - n
}

// A request reads, the person logs out elsewhere, the request writes; then whoever has the old cookie comes.
func revived(p peer, of int) (n int) {
	for range of {
		cookie := pair(p.ask("", func(s session) { s.Set("owner", "bob") }))
		p.ask(cookie, func(slow session) {
			slow.Get("owner")
			p.ask(cookie, func(s session) { s.End() })
			slow.Set("late", "yes")
		})
		p.ask(cookie, func(s session) {
			if s.Get("owner") == "bob" {
				n++
			}
		})
	}
	return n
}

// Somebody has planted a token; its victim logs in with what the library has for that.
func fixed(p peer, of int) (n int) {
	for range of {
		planted := pair(p.ask("", func(s session) { s.Set("seen", "yes") }))
		p.ask(planted, func(s session) {
			s.Renew()
			s.Set("owner", "bob")
		})
		p.ask(planted, func(s session) {
			if s.Get("owner") == "bob" {
				n++
			}
		})
	}
	return n
}

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal("beside: ", err)
	}
	return v
}
