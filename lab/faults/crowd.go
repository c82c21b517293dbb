package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gosojourn/sojourn/lab/histories"
)

const (
	counters = 4 // sessions with a counter
	adders   = 6 // clients who add to them: two of the sessions have two
	goers    = 3 // clients who come, log in, and go
)

// A crowd asks an application without a pause, and remembers what each of it was told.
type crowd struct {
	urls      []string
	rec       *histories.Recorder
	transport *http.Transport
	counted   [counters]histories.Jar
	all       sync.WaitGroup

	mu         sync.Mutex
	kept, gone []person // in the order in which they came, and went
	stayed     int      // so many of kept, the first, do not leave
	before     int      // so many of gone were it before the crowd came
}

// A person has logged in, and has logged out or not.
type person struct {
	name  string
	jar   *histories.Jar // with the cookie of the login
	since time.Time
}

func newCrowd(t *testing.T, urls []string) *crowd {
	c := &crowd{urls: urls, rec: histories.NewRecorder(), transport: &http.Transport{MaxIdleConnsPerHost: adders + goers, DisableCompression: true}}
	t.Cleanup(c.transport.CloseIdleConnections)
	return c
}

func (c *crowd) client(id int, jar *histories.Jar) *histories.Client {
	return histories.NewClient(id, jar, c.rec, c.transport, c.urls)
}

// ask asks any process. Who was not served waits a moment, as a person would.
func (c *crowd) ask(k *histories.Client, d histories.Deed) histories.Answer {
	a := k.Ask(context.Background(), rand.IntN(len(c.urls)), d)
	if a.Outcome == histories.None || a.Outcome == histories.Unknown {
		time.Sleep(20 * time.Millisecond)
	}
	return a
}

// persist asks until the deed is done.
func (c *crowd) persist(t *testing.T, k *histories.Client, d histories.Deed) histories.Answer {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; {
		a := c.ask(k, d)
		if a.Outcome == histories.Done {
			return a
		}
		if time.Now().After(end) {
			t.Fatalf("for a minute nobody could %s: %s %s %s", d.Do, a.Outcome, a.Text, a.Why)
		}
	}
}

// come begins the counters' sessions, and has everybody ask until ctx ends.
func (c *crowd) come(ctx context.Context, t *testing.T) {
	for i := range c.counted {
		c.persist(t, c.client(i, &c.counted[i]), histories.Deed{Do: "begin", Value: "b"})
	}
	for id := range adders {
		k := c.client(id, &c.counted[id%counters])
		c.all.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				do := "add"
				if i%3 == 2 {
					do = "count"
				}
				c.ask(k, histories.Deed{Do: do})
			}
		})
	}
	for id := range goers {
		c.all.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				c.visit(adders+id, i)
			}
		})
	}
}

// standing is how long a session has been there at least when it is ended: of one that is younger the server may have
// forgotten the login together with the logout, and nobody would come back.
const standing = 500 * time.Millisecond

// visit has a person come and log in, and another one, who has been there for a while, log out or be logged out.
func (c *crowd) visit(id, i int) {
	jar := new(histories.Jar)
	p := person{name: fmt.Sprintf("person %d.%d", id, i)}
	k := c.client(id, jar)
	if c.ask(k, histories.Deed{Do: "begin", Value: p.name}).Outcome == histories.Done &&
		c.ask(k, histories.Deed{Do: "login", Whom: p.name}).Outcome == histories.Done {
		p.jar, p.since = jar.Copy(), time.Now()
		c.note(&c.kept, p)
	}
	p, ok := c.leaving()
	if !ok {
		return
	}
	d := histories.Deed{Do: "logout"}
	if i%2 == 0 {
		d = histories.Deed{Do: "revoke", Whom: p.name}
	}
	if c.ask(c.client(id, p.jar.Copy()), d).Outcome == histories.Done {
		c.note(&c.gone, p)
	}
}

// leaving takes the next of those who have been there for long enough; every third of them stays for good.
func (c *crowd) leaving() (person, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stayed < len(c.kept)/3 {
		c.stayed++
	}
	if c.stayed == len(c.kept) || time.Since(c.kept[c.stayed].since) < standing {
		return person{}, false
	}
	p := c.kept[c.stayed]
	c.kept = slices.Delete(c.kept, c.stayed, c.stayed+1)
	return p, true
}

func (c *crowd) note(all *[]person, p person) {
	c.mu.Lock()
	defer c.mu.Unlock()
	*all = append(*all, p)
}

// back is the moment at which everybody is served again: after since, and after the last answer that was none. It is
// false if somebody has not been yet.
func (c *crowd) back(since int64) (at int64, all bool) {
	first := map[int]int64{}
	for _, o := range c.rec.Ops() { // in the order of their answers
		f, served := first[o.Client]
		switch {
		case o.Return < since:
		case o.Outcome != histories.Done:
			delete(first, o.Client)
		case !served || o.Return < f:
			first[o.Client] = o.Return
		}
	}
	for _, f := range first {
		at = max(at, f)
	}
	return at, len(first) == adders+goers
}

// busy says that all sorts have been served.
func (c *crowd) busy() bool {
	c.mu.Lock()
	gone := len(c.gone)
	c.mu.Unlock()
	n := 0
	for _, o := range c.rec.Ops() {
		if o.Outcome == histories.Done {
			n++
		}
	}
	return n > 100 && gone > c.before+3
}
