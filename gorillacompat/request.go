package gorillacompat

import (
	"context"
	"errors"
	"hash/maphash"
	"net/http"
	"sync"

	"github.com/gorilla/sessions"
)

// A request is what stores of this package know of one HTTP request. It lives in the request's context, beside
// gorilla's registry.
type request struct {
	mu         sync.Mutex // held across a Get and a Save: those of one request come one after the other
	visits     map[visitKey]*visit
	registered map[visitKey]*part
	parts      map[*sessions.Session]*part
}

type visitKey struct {
	store *Store
	name  string
}

type requestKey struct{}

// doors keep two goroutines from attaching to one request at once, which replaces its context. One door is
// for many requests, and nobody asks a store behind it.
var (
	doors [64]sync.Mutex
	seed  = maphash.MakeSeed()
)

// requestOf finds or attaches both records of r.
func requestOf(r *http.Request) *request {
	door := &doors[maphash.Comparable(seed, r)%uint64(len(doors))]
	door.Lock()
	defer door.Unlock()
	if q, ok := r.Context().Value(requestKey{}).(*request); ok {
		return q
	}
	sessions.GetRegistry(r)
	q := &request{
		visits:     make(map[visitKey]*visit),
		registered: make(map[visitKey]*part),
		parts:      make(map[*sessions.Session]*part),
	}
	*r = *r.WithContext(context.WithValue(r.Context(), requestKey{}, q))
	return q
}

// newPart begins a session object. The caller holds mu.
func (q *request) newPart(s *Store, name string) *part {
	k := visitKey{s, name}
	if q.visits[k] == nil {
		q.visits[k] = &visit{}
	}
	return &part{Store: s, name: name, request: q, visit: q.visits[k]}
}

var errStranger = errors.New("gorillacompat: save: the session was not made by Get or New of a store of this package, or it was, by a store that wraps it, and Save was not given the request")

// partOf finds what this package keeps of session: by the store that it names, or, where another store has put
// itself in its place, by the request.
func partOf(r *http.Request, session *sessions.Session) (*part, error) {
	if p, ok := session.Store().(*part); ok && p.session == session {
		return p, nil
	}
	if r == nil {
		return nil, errStranger
	}
	q := requestOf(r)
	q.mu.Lock()
	defer q.mu.Unlock()
	if p := q.parts[session]; p != nil {
		return p, nil
	}
	return nil, errStranger
}
