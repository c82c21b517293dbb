package scscompat_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/legacy"
	"github.com/gosojourn/sojourn/memstore"
	scs "github.com/gosojourn/sojourn/scscompat"
)

// oldRows are the rows of a store that was written for scs, to be read from.
type oldRows struct{ *plainStore }

func (o oldRows) Find(_ context.Context, key string) ([]byte, error) {
	b, found, err := o.plainStore.Find(key)
	if err == nil && !found {
		err = sojourn.ErrNotFound
	}
	return b, err
}

func (o oldRows) Delete(_ context.Context, key string) error { return o.plainStore.Delete(key) }

// moved is an application before and after it has set Store by Native.
func moved(keep time.Duration, set func(s *scs.SessionManager)) (before, after *scs.SessionManager, rows *plainStore) {
	rows = newPlainStore()
	before, after = newApp(rows), newApp(nil)
	for _, s := range []*scs.SessionManager{before, after} {
		if set != nil {
			set(s)
		}
	}
	after.Legacy = &legacy.SCS{Rows: oldRows{rows}, KeepFor: keep}
	return before, after, rows
}

func TestMovesInFromSCS(t *testing.T) {
	for what, set := range map[string]func(s *scs.SessionManager){
		"as New has it": nil,
		"hashed":        func(s *scs.SessionManager) { s.HashTokenInStore = true },
		"JSON":          func(s *scs.SessionManager) { s.Codec = jsonCodec{} },
	} {
		before, after, rows := moved(legacy.NoKeep, set)
		old := begin(t, before)
		ask(before, old, func(_ http.ResponseWriter, ctx context.Context) { before.Put(ctx, strings.Repeat("long", 30), "name") })
		token := old
		for range 3 {
			_, token = ask(after, token, func(_ http.ResponseWriter, ctx context.Context) {
				if id, name := after.Get(ctx, "userID"), after.GetString(ctx, strings.Repeat("long", 30)); name != "name" || id != 7 && id != 7.0 {
					t.Errorf("%s: found %v, %q", what, id, name)
				}
			})
		}
		if len(token) != 64 || len(rows.rows) != 0 || userAt(after, old) != 0 {
			t.Errorf("%s: token %q, %d old rows, the old token is good for %d", what, token, len(rows.rows), userAt(after, old))
		}
	}
}

// jsonCodec is a codec of the application's own.
type jsonCodec struct{}

func (jsonCodec) Encode(deadline time.Time, values map[string]interface{}) ([]byte, error) {
	return json.Marshal(map[string]any{"deadline": deadline, "values": values})
}

func (jsonCodec) Decode(b []byte) (time.Time, map[string]interface{}, error) {
	var x struct {
		Deadline time.Time
		Values   map[string]any
	}
	err := json.Unmarshal(b, &x)
	return x.Deadline, x.Values, err
}

// Middleware of one's own sends what Commit and Token answer: the old token until KeepFor is over, and then ours.
func TestMovesInWithoutMiddleware(t *testing.T) {
	for _, keep := range []time.Duration{time.Hour, legacy.NoKeep} {
		before, after, _ := moved(keep, nil)
		old := begin(t, before)
		ctx, err := after.Load(t.Context(), old)
		if err != nil || after.GetInt(ctx, "userID") != 7 {
			t.Fatalf("%v, user %d", err, after.GetInt(ctx, "userID"))
		}
		token, _, err := after.Commit(ctx)
		if err != nil || (token == old) != (keep > 0) || userAt(after, token) != 7 {
			t.Errorf("kept for %v: token %q, %v", keep, token, err)
		}
	}
}

// Login and logout as in scs's documentation, from the old token.
func TestRenewAndDestroyAnOldSession(t *testing.T) {
	before, after, rows := moved(time.Hour, nil)
	old := begin(t, before)
	_, token := ask(after, old, func(_ http.ResponseWriter, ctx context.Context) {
		if err := after.RenewToken(ctx); err != nil {
			t.Error(err)
		}
		after.Put(ctx, "userID", 8)
	})
	if userAt(after, token) != 8 || userAt(after, old) != 0 || len(rows.rows) != 0 {
		t.Errorf("new token %d, old token %d, %d old rows", userAt(after, token), userAt(after, old), len(rows.rows))
	}

	old = begin(t, before)
	w, _ := ask(after, old, func(_ http.ResponseWriter, ctx context.Context) {
		if err := after.Destroy(ctx); err != nil {
			t.Error(err)
		}
	})
	if got := w.Header().Get("Set-Cookie"); !strings.Contains(got, "Max-Age=0") || len(rows.rows) != 0 || userAt(after, old) != 0 {
		t.Errorf("sent %q, %d old rows, user %d", got, len(rows.rows), userAt(after, old))
	}
}

// An old store that does not answer is an error, and nobody is taken for a stranger.
func TestOldRowsAway(t *testing.T) {
	before, after, rows := moved(time.Hour, nil)
	old := begin(t, before)
	rows.set(down("find"))
	w, token := ask(after, old, func(_ http.ResponseWriter, ctx context.Context) { after.Put(ctx, "seen", true) })
	if w.Code != 500 || token != old { // what newApp's ErrorFunc answers
		t.Errorf("status %d, another token: %v", w.Code, token != old)
	}
	rows.set(nil)
	if userAt(after, old) != 7 {
		t.Error("the session has gone")
	}
}

func TestLegacyIsForNative(t *testing.T) {
	rows := oldRows{newPlainStore()}
	for want, s := range map[string]*scs.SessionManager{
		"Native":      {Lifetime: time.Hour, Cookie: scs.SessionCookie{Name: "session"}, Store: newPlainStore(), Legacy: &legacy.SCS{Rows: rows}},
		"IdleTimeout": {Lifetime: time.Hour, Cookie: scs.SessionCookie{Name: "session"}, Store: scs.Native(memstore.New()), IdleTimeout: time.Hour, Legacy: &legacy.SCS{Rows: rows, KeepFor: time.Hour}},
		"Rows is nil": {Lifetime: time.Hour, Cookie: scs.SessionCookie{Name: "session"}, Store: scs.Native(memstore.New()), Legacy: &legacy.SCS{}},
	} {
		if _, err := s.Manager(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error that names %s, got %v", want, err)
		}
	}
	s := newApp(newPlainStore())
	s.Adjust = func(cfg *sojourn.Config) { cfg.Legacy = &legacy.SCS{Rows: rows, Owner: "userID"} }
	if _, err := s.Manager(); err == nil || errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("by Adjust: %v", err)
	}
}
