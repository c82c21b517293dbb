package gorillacompat

import (
	"context"
	"fmt"
	"net/http"

	"github.com/gorilla/sessions"

	"github.com/gosojourn/sojourn"
)

// A part is one session object in its request: the Store that its session names, which so finds back what was
// loaded, whether or not Save is given the request.
type part struct {
	*Store
	name    string
	request *request
	visit   *visit
	opening bool // gorilla's registry is about to ask New for the session

	r       *http.Request
	session *sessions.Session
	err     error // why the session could not be had: it cannot be saved either

	id   string            // the public id of what is stored, "" if nothing is
	was  map[string]string // the values as they are stored, as far as Values shows them
	have attributes

	around bool // the LoadAndSave of the store's manager is around the handler, and sends the cookie
}

func (p *part) New(r *http.Request, name string) (*sessions.Session, error) {
	if p.opening && name == p.name {
		p.opening = false // under the request's mutex, which Store.Get holds
		return p.open(r)
	}
	return p.Store.New(r, name)
}

// open loads the session. There always is one, with an error too. The caller holds the request's mutex.
func (p *part) open(r *http.Request) (*sessions.Session, error) {
	p.r, p.was = r, make(map[string]string)
	p.session = sessions.NewSession(p, p.name)
	*p.session.Options = *p.Options
	p.session.IsNew = true
	p.have = p.defaults()
	p.request.parts[p.session] = p
	m, err := p.manager(p.name, p.have)
	if err == nil {
		err = p.visit.run(m, r, nil, p.load)
	}
	if err != nil {
		p.err = fmt.Errorf("gorillacompat: session %q: %w", p.name, err)
	}
	return p.session, p.err
}

// broken answers a session that cannot be saved.
func (p *part) broken(err error) *sessions.Session {
	p.err = err
	p.session = sessions.NewSession(p, p.name)
	*p.session.Options = *p.Options
	p.session.IsNew = true
	p.request.parts[p.session] = p
	return p.session
}

func (p *part) load(h handle) error {
	if err := h.Load(h.ctx); err != nil {
		return err
	}
	p.id, p.around = h.Info(h.ctx).ID, h.around
	p.session.ID, p.session.IsNew = p.id, p.id == ""
	kept, err := keptIn(h.ctx, h.Manager)
	if err != nil {
		return err
	}
	if kept.options != "" {
		if p.have, err = parseAttributes(kept.options); err != nil {
			return err
		}
		*p.session.Options = sessions.Options(p.have)
	}
	for _, e := range kept.entries {
		k, v, err := e.decode()
		if err != nil {
			p.unreadable(h.ctx, err)
			continue
		}
		p.session.Values[k], p.was[e.key] = v, e.value
	}
	return nil
}

// unreadable tells of a value that this program does not know the type of. It stays where it is.
func (p *part) unreadable(ctx context.Context, err error) {
	e := sojourn.Event{Name: sojourn.EventUnreadable, ID: p.id, Reason: "value", Err: fmt.Errorf("gorillacompat: session %q: %w", p.name, err)}
	p.tell(ctx, e)
}

// save makes what is stored what the program has made of the session. owner logs somebody in; verb, if not nil,
// is called with the change set.
func (p *part) save(r *http.Request, w http.ResponseWriter, owner string, verb func(handle) error) error {
	p.request.mu.Lock()
	defer p.request.mu.Unlock()
	if p.err != nil {
		return fmt.Errorf("gorillacompat: save: nothing was saved, because the session was not loaded: %w", p.err)
	}
	if r == nil {
		r = p.r
	}
	want := p.have
	if p.session.Options != nil {
		want = attributesOf(p.session.Options)
	}
	m, err := p.manager(p.name, p.bearing(want))
	if err != nil {
		return err
	}
	s := saving{part: p, want: want, owner: owner, verb: verb, sent: w != nil && begun(w)}
	if s.changes, err = diff(p.was, p.session.Values); err == nil {
		p.visit.memo.arm()
		err = p.visit.run(m, r, w, s.do)
	}
	if err != nil {
		return fmt.Errorf("gorillacompat: save: session %q: %w", p.name, err)
	}
	return nil
}

// bearing are the attributes of the cookie that a Save has to do with: what ends a session takes away the cookie
// that it has.
func (p *part) bearing(want attributes) attributes {
	switch {
	case p.around:
		return p.defaults()
	case want.MaxAge < 0:
		return p.have
	}
	return want
}
