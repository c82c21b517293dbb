package histories

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Jar is what the tabs of one browser share: the cookie of the session.
type Jar struct {
	mu           sync.Mutex
	cookie, name string
	all          [][2]string // cookies and names that it has had
}

// Copy is another jar that holds what j holds now: a thief's, or that of a tab which is restored.
func (j *Jar) Copy() *Jar {
	j.mu.Lock()
	defer j.mu.Unlock()
	return &Jar{cookie: j.cookie, name: j.name, all: slices.Clone(j.all)}
}

// shown is the cookie that goes with a request, and the name of its session.
func (j *Jar) shown(old int) (cookie, name string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if i := len(j.all) - 1 - old; old > 0 && i >= 0 {
		return j.all[i][0], j.all[i][1]
	}
	return j.cookie, j.name
}

// keep does what a browser does with Set-Cookie, and answers the name of the session that is sent, "" for none.
func (j *Jar) keep(res *http.Response, name string) (sent string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, c := range res.Cookies() {
		if c.MaxAge < 0 || c.Value == "" || !c.Expires.IsZero() && c.Expires.Year() < 2000 {
			j.cookie, j.name = "", ""
			continue
		}
		j.cookie, j.name = c.Name+"="+c.Value, name
		if name == "" {
			j.name = c.Value
		}
		if sent = j.name; len(j.all) == 0 || j.all[len(j.all)-1][1] != sent {
			j.all = append(j.all, [2]string{j.cookie, sent})
		}
	}
	return sent
}

// A Client asks one thing after the other, and records what it asked and what it was told.
type Client struct {
	ID    int
	Jar   *Jar
	rec   *Recorder
	http  *http.Client
	urls  []string // of the processes
	crowd string   // the same for all clients of one history, and for no others
}

// NewClient makes one that asks the processes at urls, and notes in rec what it is told.
func NewClient(id int, jar *Jar, rec *Recorder, transport http.RoundTripper, urls []string) *Client {
	return &Client{ID: id, Jar: jar, rec: rec, urls: urls, http: &http.Client{Transport: transport, Timeout: 20 * time.Second}}
}

// Ask sends d to a process. A client that leaves, or gets no whole answer, does not know what became of it.
func (c *Client) Ask(ctx context.Context, process int, d Deed) Answer {
	cookie, name := c.Jar.shown(d.Old)
	o := Op{Client: c.ID, Process: process, Deed: d, Shown: name, Call: c.rec.Now()}
	o.Answer, o.Sent = c.send(ctx, c.urls[process], cookie, d)
	o.Return = c.rec.Now()
	if o.Answer.Name != "" {
		o.Shown = o.Answer.Name
	}
	c.rec.add(o)
	return o.Answer
}

func (c *Client) send(ctx context.Context, url, cookie string, d Deed) (Answer, string) {
	method := http.MethodPost
	if d.Safe {
		method = http.MethodGet
	}
	r, err := http.NewRequestWithContext(ctx, method, url+"/?"+d.query(), nil)
	if err != nil {
		return Answer{Outcome: None}, ""
	}
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	// A request that can be sent again is: on a kept connection that has died. That would be two deeds.
	r.GetBody = nil
	res, err := c.http.Do(r)
	if err != nil {
		return Answer{Outcome: Unknown}, ""
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	var a Answer
	if err != nil || json.Unmarshal(text, &a) != nil {
		a = Answer{Outcome: Unknown, Text: strings.TrimSpace(string(text))}
	}
	return a, c.Jar.keep(res, a.Sent)
}
