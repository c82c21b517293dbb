package sojourn

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/gosojourn/sojourn/internal/bridge"
	"github.com/gosojourn/sojourn/internal/record"
	"github.com/gosojourn/sojourn/internal/token"
	"github.com/gosojourn/sojourn/internal/value"
)

// A rowKeeper keeps sessions in rows of another library's format, so that its processes and ours may serve the
// same sessions. Rows have no version, so nothing is compared when one is written: the change set is made on the
// row as it is at that moment, and in this process one writer of a session waits for the other. Two processes
// that write one session at once may still lose a change.
type rowKeeper struct {
	bridge.Rows
	m    *Manager
	busy busy
	past recent[bool] // ids that this process has ended
}

func newOnRows(rows bridge.Rows, cfg Config) (*Manager, error) {
	legacy := cfg.Legacy
	cfg, err := cfg.resolve(false, false)
	if legacy != nil {
		err = errors.Join(errors.New("sojourn: Legacy is set, and the sessions stay in the rows of the old library, which need no moving in: remove it, or keep the sessions in a Store"), err)
	}
	if cfg.EncryptAtRest {
		err = errors.Join(errors.New("sojourn: EncryptAtRest (true) would make rows that the old library cannot read: remove it, or keep the sessions in a Store"), err)
	}
	if err != nil {
		return nil, err
	}
	m := newManager(cfg)
	k := &rowKeeper{Rows: rows, m: m, busy: busy{lanes: map[string]*lane{}}}
	k.past.age = pastAge
	m.keeper = k
	m.resends = cfg.IdleTimeout != NoIdleTimeout
	return m, nil
}

func (k *rowKeeper) can(v verb) error {
	return fmt.Errorf("sojourn: %s: rows of another library's format have no owner and no version: keep the sessions in a Store: %w", v, errors.ErrUnsupported)
}

// rowID is the public name of the session under a token.
func rowID(text string) string {
	sum := sha256.Sum256([]byte("sojourn row 1\x00" + text))
	return base64.RawURLEncoding.EncodeToString(sum[:token.IDBytes])
}

func (k *rowKeeper) find(s *session, b *budget) {
	shown := k.m.carrier.Texts(s.st.r.Header, k.WellFormed)
	s.shown, s.phase = shown.Any, anonymous
	for _, text := range shown.Texts[:shown.N] {
		switch r, err := k.read(s.st, b, text); {
		case errors.Is(err, ErrNotFound):
		case err != nil:
			s.several = nil
			s.cannotLoad(rowID(text), err)
			return
		case s.base.ID == "":
			s.base = r
		default:
			s.several = append(s.several, r)
		}
	}
	switch {
	case len(s.several) > 0:
		s.several = append(s.several, s.base)
		s.base = stored{}
		s.note(Event{Name: EventTokenRefused, Reason: "token_ambiguous"})
	case s.base.ID != "":
		s.phase = live
	case shown.N > 0:
		s.note(Event{Name: EventTokenRefused, ID: rowID(shown.Texts[0]), Reason: "token_unknown"})
	case shown.Malformed:
		s.note(Event{Name: EventTokenRefused, Reason: "token_malformed"})
	}
}

// read answers the session under text, ErrNotFound, or an error that is Unavailable.
func (k *rowKeeper) read(ctx context.Context, b *budget, text string) (stored, error) {
	r, found, err := k.Find(k.m.toSettle(ctx, b), text)
	switch {
	case err != nil:
		return stored{}, unavailable("load", err)
	case !found || !time.Now().Before(r.Deadline):
		k.m.answers(opLoad)
		return stored{}, ErrNotFound
	}
	k.m.answers(opLoad)
	return k.loaded(text, &r), nil
}

// loaded is a row as the heart knows sessions. Its Data is the token. When it was last used nobody knows, so with
// an idle limit each use is one that the row has to learn of.
func (k *rowKeeper) loaded(text string, r *bridge.Row) stored {
	var d value.Draft
	for _, name := range slices.Sorted(maps.Keys(r.Values)) {
		d.Put(name, r.Values[name])
	}
	s := stored{Record: Record{ID: rowID(text), Expiry: r.Deadline, Data: []byte(text)}, Content: record.Content{
		Remembered: r.Remembered, Deadline: r.Deadline.UnixMilli(), Stamps: d.Last(), Values: d.AppendTo(nil)}}
	if k.m.cfg.IdleTimeout == NoIdleTimeout {
		s.Seen = time.Now()
	}
	return s
}

// shownAs is the token of s.
func (k *rowKeeper) shownAs(s *session) string { return string(s.base.Data) }

// write makes the changes on the row as it is now.
func (k *rowKeeper) write(s *session, b *budget, wk *work) (w written, err error) {
	d := &wk.turn.draft
	d.fresh = wk.write == writeNew
	text := ""
	if !d.fresh {
		text = string(s.base.Data)
		if !k.busy.enter(text, b.act.Done()) {
			return w, unavailable("save", errQueued)
		}
		defer k.busy.leave(text)
		now, err := k.read(s.st, b, text)
		if errors.Is(err, ErrNotFound) {
			return w, ErrEnded
		} else if err != nil {
			return w, err
		}
		d.on(&now)
	}
	now := time.Now().UnixMilli()
	if err := d.apply(s, wk.ops, false, now); err != nil || d.fresh && !d.worthCreating() {
		return w, err
	}
	if !d.changed() && !k.m.touchDue(&d.stored, now) {
		return written{base: &s.base}, nil
	}
	s.touched = true
	return k.save(s, b, d, text, now)
}

// save writes the draft over the row under text, or under a new token and ends that row.
func (k *rowKeeper) save(s *session, b *budget, d *draft, text string, now int64) (w written, err error) {
	before := text
	if w.new = d.fresh || d.renewed; w.new {
		text = k.NewToken()
	}
	d.Values = d.values.AppendTo(nil)
	r := bridge.Row{Deadline: time.UnixMilli(d.Deadline), Remembered: d.Remembered, Values: map[string][]byte{}}
	for name := range d.Values.Names() {
		r.Values[name], _ = d.Values.Get(name)
	}
	act := k.m.toAct(s.st, b)
	if err := k.Save(act, text, r, expiry(&d.Content, &k.m.cfg, now)); errors.Is(err, bridge.ErrEncode) {
		return w, fmt.Errorf("sojourn: save: %w", err)
	} else if err != nil {
		return w, unavailable("save", err)
	}
	if w.new && before != "" {
		if err := k.Delete(act, before); err != nil {
			return w, unavailable("renew", err) // the new token is given to nobody
		}
	}
	k.m.answers(opSave)
	next := k.loaded(text, &r)
	next.Expiry = expiry(&d.Content, &k.m.cfg, now)
	w.base = &next
	switch {
	case w.new:
		w.out = k.m.handOver(text, w.base)
	case k.m.resends && (k.m.cfg.Cookie.Persistent || w.base.Remembered):
		// The cookie may be from a process of the other library, which lets it end with the idle limit.
		w.again = k.m.handOver(text, w.base)
	}
	return w, nil
}

func (k *rowKeeper) end(s *session, b *budget, r *stored) error {
	text := string(r.Data)
	if !k.busy.enter(text, b.act.Done()) {
		return unavailable("delete", errQueued)
	}
	defer k.busy.leave(text)
	if err := k.Delete(k.m.toAct(s.st, b), text); err != nil {
		return unavailable("delete", err)
	}
	k.m.answers(opSave)
	k.past.put(r.ID, true, nil)
	return nil
}

// still knows what this process has ended: a row is found by its token, and that is not kept for a stream.
func (k *rowKeeper) still(_ *budget, w *watched) (ends time.Time, err error) {
	if _, past := k.past.get(w.id); past {
		return ends, ErrEnded
	}
	return ends, nil
}

func (k *rowKeeper) confirm(ctx context.Context, b *budget, r *stored) (stored, error) {
	now, err := k.read(ctx, b, string(r.Data))
	if errors.Is(err, ErrNotFound) {
		err = ErrEnded
	}
	return now, err
}

// busy are the sessions that somebody in this process is writing.
type busy struct {
	mu    sync.Mutex
	lanes map[string]*lane
}

// A lane is one session's: who holds it has put something into turn.
type lane struct {
	turn chan struct{}
	n    int // who hold it or wait
}

// enter waits, behind those that came before, until nobody else writes name, or until over.
func (x *busy) enter(name string, over <-chan struct{}) bool {
	x.mu.Lock()
	l := x.lanes[name]
	if l == nil {
		l = &lane{turn: make(chan struct{}, 1)}
		x.lanes[name] = l
	}
	l.n++
	x.mu.Unlock()
	select {
	case l.turn <- struct{}{}:
		return true
	case <-over:
		x.away(name, l)
		return false
	}
}

func (x *busy) leave(name string) {
	x.mu.Lock()
	l := x.lanes[name]
	x.mu.Unlock()
	<-l.turn
	x.away(name, l)
}

// away forgets a lane that nobody holds or waits for.
func (x *busy) away(name string, l *lane) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if l.n--; l.n == 0 {
		delete(x.lanes, name)
	}
}
