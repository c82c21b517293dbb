package model

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/gosojourn/sojourn"
)

var (
	logKey   = sojourn.NewKey[[]int]("log")
	countKey = sojourn.NewKey[int]("count")
	notesKey = sojourn.NewKey[[]int]("notes")
	plainKey = sojourn.NewKey[int]("plain")
	onceKey  = sojourn.NewKey[int]("once")
	largeKey = sojourn.NewKey[string]("large")
)

// large is more than four cookies hold.
var large = strings.Repeat("much ", 4000)

// A visit is one request under way, and what the ledger knows of it.
type visit struct {
	w       *world
	n       int
	req     *Request
	m       *sojourn.Manager
	ctx     context.Context // the handler's
	reqHTTP *http.Request
	out     http.ResponseWriter
	gone    context.CancelFunc
	rec     *httptest.ResponseRecorder

	began       int
	inside      int       // it has begun for its manager too
	lookedAt    time.Time // when the session was last asked for
	shown       []*token
	asOf        int    // what was acknowledged by then has to be in sight
	cur         *token // that the session is under, as committed
	id          string
	owner       string // as committed
	pending     string // with the logins that wait for a Commit
	loaded      bool
	failed      bool // the load, for good
	left        bool
	sent        bool // the first byte
	minted      bool // a token, by the Commit under way
	last        *token
	commitBegan int
	stamping    *ending
	aged        bool            // an hour has passed since it began: what it writes may be an hour old
	doubted     []*token        // which the Commit under way may end
	held        []*token        // in limbo
	stranded    bool            // the session has ended under what waits for a Commit
	snap        view            // after the last Commit
	had         view            // in a seal: what it held when the Commit under way began
	creates     map[string]bool // ids of records that it has asked the store for
	unsure      bool            // it may have been given a seal, or a session of the store's under the same id
	alone       bool            // no other request of its browser has been under way beside it
	said        bool            // the header is out
	noSealLeft  bool            // its browser is to have none after it
	stamped     *ending         // sealed: the RevokeOthers that has put this session above the fence
	fnWait      bool
	refused     error // what ErrorHandler was told
	told        error // what an event has told of a Commit
	set         changes
}

// changes are what a handler has done since the last Commit.
type changes struct {
	tags     []*tag
	popped   []*tag
	any      bool
	login    string
	remember bool
	anew     bool // a login as another owner leaves nothing of what was there
	logout   bool
	token    bool // asks for another token
	took     bool // a value that was in the session, which no other may get
	moves    bool // a seal may go into the store by it
}

func onEvent(ctx context.Context, e sojourn.Event) {
	v := visitOf(ctx)
	if v == nil {
		return
	}
	switch e.Name {
	case sojourn.EventCreated, sojourn.EventRenewed:
		v.minted = true
	case sojourn.EventTooLate, sojourn.EventLoginAbandoned, sojourn.EventFailed:
		v.told = e.Err
	case sojourn.EventUsedAfterEnd, sojourn.EventTokenRefused, sojourn.EventUnavailable:
		if e.Reason == "dropped" || e.Reason == "cross_site" || e.Reason == "ambiguous_change" || e.Name == sojourn.EventUnavailable && e.Reason == "" {
			v.told = e.Err
		}
	}
}

func onError(w http.ResponseWriter, r *http.Request, err error) {
	if v := visitOf(r.Context()); v != nil {
		v.refused = err
	}
	w.WriteHeader(http.StatusServiceUnavailable)
}

// newVisit makes a request of a browser, with the cookies that it has now.
func (w *world) newVisit(n int, q *Request) *visit {
	v := &visit{w: w, n: n, req: q, m: w.managers[q.Host]}
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	pairs := w.jars[q.Browser].pairs(now)
	if q.Beside {
		pairs = append(pairs, w.jars[(q.Browser+1)%browsers].pairs(now)...)
	}
	pairs = w.ledger.start(v, pairs)
	if w.planted != nil {
		pairs = w.planted.shows(pairs)
	}
	v.request(pairs)
	v.alone = true
	for _, o := range w.running {
		if o.req.Browser == q.Browser {
			v.alone, o.alone = false, false
		}
	}
	w.running[n] = v
	return v
}

// start notes the beginning of v, and what it shows.
func (l *ledger) start(v *visit, pairs []string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	v.began = l.tick()
	v.asOf = v.began
	if k := v.req.Thief; k != 0 {
		var sent []*token
		for _, t := range l.all {
			if t.text != "" && (t.seal || !v.req.OldSeal) {
				sent = append(sent, t)
			}
		}
		if len(sent) >= k {
			pairs = []string{sent[len(sent)-k].text}
		}
	}
	for _, p := range pairs {
		if t := l.tokens[p]; t != nil {
			v.shown = append(v.shown, t)
		}
	}
	return pairs
}

// enter notes that the manager has seen v begin: before, its clock may not have been read.
func (v *visit) enter() {
	l := v.w.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	if v.inside == 0 {
		v.inside = l.tick()
	}
}

// asksFor notes that v has the store create a record.
func (v *visit) asksFor(id string) {
	if v.creates == nil {
		v.creates = make(map[string]bool)
	}
	v.creates[id] = true
}

func (v *visit) request(pairs []string) {
	method := http.MethodPost
	if v.req.Safe {
		method = http.MethodGet
	}
	r := httptest.NewRequest(method, "https://"+jarHost+"/", nil)
	if len(pairs) > 0 {
		r.Header.Set("Cookie", strings.Join(pairs, "; "))
	}
	if v.req.CrossSite {
		r.Header.Set("Sec-Fetch-Site", "cross-site")
	}
	ctx, gone := context.WithCancel(context.WithValue(context.Background(), visitKey{}, v))
	v.gone = gone
	if v.req.Deadline {
		within, stop := context.WithTimeout(ctx, time.Second)
		ctx, v.gone = within, func() { gone(); stop() }
	}
	v.ctx = r.WithContext(ctx).Context()
	v.reqHTTP = r.WithContext(ctx)
}

// serve is the whole of the request, up to the answer's arrival.
func (v *visit) serve() {
	w := httptest.NewRecorder()
	v.rec = w
	begun := time.Now()
	handled := time.Time{}
	aborted := v.through(w, func(out http.ResponseWriter, r *http.Request) {
		v.over("load before the handler", begun)
		v.enter()
		v.ctx, v.out = r.Context(), out
		for _, verb := range v.req.Do {
			v.w.between(v, "before "+verb.String())
			v.do(verb)
		}
		v.w.between(v, "before the end")
		v.fnWait = false
		handled = time.Now()
		v.beginCommit()
	})
	if !handled.IsZero() {
		v.over("the Commit at the end", handled)
		v.endCommit(v.outcome(aborted))
	}
	lines := w.Result().Header["Set-Cookie"]
	if !v.sent {
		v.sentCookies(lines)
	}
	v.w.between(v, "the response on its way")
	v.w.arrive(v, lines)
}

// through calls the middleware, and reports whether the connection was aborted.
func (v *visit) through(w http.ResponseWriter, h http.HandlerFunc) (aborted bool) {
	defer func() {
		if e := recover(); e == http.ErrAbortHandler {
			aborted = true
		} else if e != nil {
			panic(e)
		}
	}()
	v.m.LoadAndSave(h).ServeHTTP(w, v.reqHTTP)
	return false
}

// outcome is what a Commit that LoadAndSave made has come to.
func (v *visit) outcome(aborted bool) error {
	switch {
	case v.told != nil:
		return v.told
	case v.refused != nil:
		return v.refused
	case aborted:
		return errAborted
	}
	return nil
}

var errAborted = errors.New("model: the connection was aborted, and no event says why")

// realSlack is what a busy machine, or a disk that is, may add. What is exact is measured by the clock of a bubble,
// and beside a timer in lab/faults.
const realSlack = 12 * time.Second

// over holds a call to its budget.
func (v *visit) over(what string, begun time.Time) {
	slack := time.Duration(0)
	if v.w.real {
		slack = realSlack
	}
	if took := time.Since(begun); took > storeTimeout+slack && !v.fnWait && !v.w.open.Load() {
		v.wrong("%s took %s", what, took)
	}
	v.fnWait = false
}

func (v *visit) wrong(format string, a ...any) {
	l := v.w.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wrong("request %d: "+format, append([]any{v.n}, a...)...)
}

// sentCookies notes the text of the token that the response carries.
func (v *visit) sentCookies(lines []string) {
	var j jar
	j.take(lines, time.Now())
	pairs := j.pairs(time.Now())
	l := v.w.ledger
	tokens, seals := l.kinds(pairs)
	v.sentSeal(seals)
	v.sentToken(tokens)
}

func (v *visit) sentToken(pairs []string) {
	l := v.w.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case len(pairs) > 1:
		l.wrong("request %d sets %d cookies", v.n, len(pairs))
	case len(pairs) == 1 && v.last == nil:
		// Of a Commit whose outcome is not known, nothing may be sent.
		l.wrong("request %d sends a token that no Commit has acknowledged", v.n)
	case len(pairs) == 1:
		v.last.text = pairs[0]
		l.tokens[pairs[0]] = v.last
	case v.last != nil && v.cur == v.last && v.last.certain():
		l.wrong("request %d does not send its new token", v.n)
	}
}

// arrive hands the response to the browser, if that still waits for it.
func (w *world) arrive(v *visit, lines []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.planted != nil {
		lines = w.planted.sets(lines)
	}
	if !v.left && v.req.Thief == 0 {
		j := &w.jars[v.req.Browser]
		j.take(lines, time.Now())
		w.ledger.noSeal(v, j.pairs(time.Now()))
	}
	delete(w.running, v.n)
	v.gone()
}

// look reads all there is, and checks it.
func (v *visit) look() (view, bool) {
	begun := time.Now()
	v.lookedAt = begun
	err := v.m.Load(v.ctx)
	v.over("load", begun)
	if err != nil {
		if !v.failed && !sojourn.Unavailable(err) {
			v.wrong("Load: %v", err)
		}
		v.failed = true
		return view{}, false
	}
	s := v.see()
	l := v.w.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	if !v.loaded {
		v.loaded = true
		l.recognize(v, &s)
	}
	l.seen(v, &s, v.cur, v.asOf)
	return s, true
}

func (v *visit) see() view {
	i := v.m.Info(v.ctx)
	return view{ID: i.ID, Owner: i.Owner, Count: countKey.Get(v.ctx), Log: logKey.Get(v.ctx), Notes: notesKey.Get(v.ctx),
		Plain: plainKey.Get(v.ctx), Once: onceKey.Get(v.ctx)}
}

// recognize judges the session that v has been given for what it shows.
func (l *ledger) recognize(v *visit, s *view) {
	if s.ID == "" {
		if t := l.due(v); t != nil {
			l.wrong("request %d shows a token of session %s, which nobody has ended, and is given none", v.n, short(t.id))
		}
		return
	}
	v.cur = l.shownOf(v, s)
	switch {
	case v.cur == nil:
		l.wrong("request %d is given session %s of %q, whose token it does not show: it shows %v", v.n, short(s.ID), s.Owner, shows(v.shown))
	case l.wasDead(v, v.cur):
		l.wrong("request %d shows a token of session %s that was dead (%s), and is given the session", v.n, short(s.ID), v.cur.why)
	}
	v.id, v.owner, v.pending = s.ID, s.Owner, s.Owner
	if v.cur == nil {
		return
	}
	if v.cur.sealed != nil {
		l.sameSeal(v, s)
	}
	l.given(v, s)
}

// shows names tokens by session and owner.
func shows(all []*token) (names []string) {
	for _, t := range all {
		names = append(names, fmt.Sprintf("%s of %q", short(t.id), t.owner))
	}
	return names
}

// shownOf is the token, of those that v shows, which s is under; a dead one only if there is no other.
func (l *ledger) shownOf(v *visit, s *view) (cur *token) {
	for _, t := range v.shown {
		if t.id == s.ID && t.owner == s.Owner && (cur == nil || !l.wasDead(v, t)) {
			cur = t
		}
	}
	return cur
}

// wasDead reports whether t had ended when v began, and may not be seen any more.
func (l *ledger) wasDead(v *visit, t *token) bool {
	return t.dead != 0 && t.dead < v.began && !l.maySeeRevoked(v, t)
}
