package histories

import (
	"encoding/json"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// A Deed is what a client asks of an application.
type Deed struct {
	Do    string // what: see the specifications
	Value string // what is put, appended or marked
	Whom  string // who logs in, or is to be revoked
	Safe  bool   // asked by GET, else by POST
	Old   int    // shows the cookie that the browser had so many before: a restored tab, or a thief; 0: the present one
}

func (d Deed) query() string {
	return url.Values{"do": {d.Do}, "value": {d.Value}, "whom": {d.Whom}}.Encode()
}

// DeedOf is what a request asks.
func DeedOf(get func(name string) string, method string) Deed {
	return Deed{Do: get("do"), Value: get("value"), Whom: get("whom"), Safe: method == http.MethodGet}
}

// An Outcome says what the application knows of a deed.
type Outcome string

const (
	Done    Outcome = "done"    // it has taken effect
	None    Outcome = "none"    // it has had no effect, and will have none
	Ended   Outcome = "ended"   // None, because the session has ended
	Revoked Outcome = "revoked" // a login that did not count, because the owner's sessions were revoked meanwhile
	Unknown Outcome = "unknown" // it may have taken effect, or may yet
)

// An Answer is what the application says.
type Answer struct {
	Outcome Outcome
	Text    string // what was read or taken
	Owner   string // who is logged in
	Mark    string // the value that each browser has
	Why     string `json:",omitempty"` // the error
	Name    string `json:",omitempty"` // of the session that was shown, where the cookie does not tell sessions apart
	Sent    string `json:",omitempty"` // of the session that the response begins, likewise
}

// Bytes is a as a response.
func (a Answer) Bytes() []byte {
	b, _ := json.Marshal(a)
	return b
}

// An Op is one line of a history.
type Op struct {
	Client, Process int
	Deed
	Answer
	Shown, Sent  string // the tokens, or names, that went with it; "": none
	Call, Return int64  // nanoseconds since the recorder began, by its monotonic clock

	behind string // see neighbours
	seen   bool
}

// A Recorder keeps a history. All times are by its own clock.
type Recorder struct {
	began time.Time

	mu  sync.Mutex
	ops []Op
}

// NewRecorder begins an empty history.
func NewRecorder() *Recorder { return &Recorder{began: time.Now()} }

// Now is the time since it began, in nanoseconds.
func (r *Recorder) Now() int64 { return int64(time.Since(r.began)) }

func (r *Recorder) add(o Op) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ops = append(r.ops, o)
}

// Ops are the lines so far.
func (r *Recorder) Ops() []Op {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Op(nil), r.ops...)
}
