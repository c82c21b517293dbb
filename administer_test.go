package sojourn_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"strings"
	"testing"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sojourntest"
)

// watched is a manager on a store that fails on command, and what its OnEvent is told of revocations.
func watched(t *testing.T) (m *sojourn.Manager, f *sojourntest.FaultyStore, told *[]string) {
	t.Helper()
	f, told = &sojourntest.FaultyStore{Store: memstore.New()}, new([]string)
	m, err := sojourn.New(f, sojourn.Config{OnEvent: func(_ context.Context, e sojourn.Event) {
		if e.Name == sojourn.EventEnded || e.Name == sojourn.EventAdmin {
			*told = append(*told, fmt.Sprintf("%s %s id:%t owner:%s actor:%s failed:%t", e.Name, e.Reason, e.ID != "", e.Owner, e.Actor, e.Err != nil))
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	return m, f, told
}

// begin begins a session, of owner if that is not "", and answers its id and how its browser sees it afterwards.
func begin(t *testing.T, m *sojourn.Manager, owner string) (id string, look func() sojourn.Info) {
	t.Helper()
	b := sojourntest.NewBrowser(t, m, http.NotFoundHandler())
	b.Session(func(ctx context.Context) {
		name.Put(ctx, "gopher")
		if owner != "" {
			if err := m.Login(ctx, owner); err != nil {
				t.Error(err)
			}
		}
	})
	look = func() (i sojourn.Info) {
		b.Session(func(ctx context.Context) { i = m.Info(ctx) })
		return i
	}
	return look().ID, look
}

// An administrator finds and ends anybody's session by its id, a visitor's too, and it is told who did it.
func TestAdministratorEndsAnybodysSession(t *testing.T) {
	m, f, told := watched(t)
	ctx := sojourn.WithActor(t.Context(), "root")
	for _, owner := range []string{"ann", ""} {
		*told = nil
		id, look := begin(t, m, owner)
		if i, err := m.Find(ctx, id); err != nil || i.ID != id || i.Owner != owner || i.Current {
			t.Errorf("Find: %+v, %v", i, err)
		}
		f.Fail(errors.New("no route to host"))
		if _, err := m.Find(ctx, id); !sojourn.Unavailable(err) {
			t.Errorf("Find while the store is away: %v", err)
		}
		if err := m.RevokeID(ctx, id); !sojourn.Unavailable(err) {
			t.Errorf("RevokeID while the store is away: %v", err)
		}
		f.Fail(nil)
		if err := m.RevokeID(ctx, id); err != nil {
			t.Error(err)
		}
		if i := look(); i.ID != "" {
			t.Errorf("the session of %q goes on: %+v", owner, i)
		}
		if _, err := m.Find(ctx, id); !errors.Is(err, sojourn.ErrNotFound) {
			t.Errorf("Find of what has ended: %v", err)
		}
		if err := m.RevokeID(ctx, id); !errors.Is(err, sojourn.ErrNotFound) {
			t.Errorf("RevokeID of what has ended: %v", err)
		}
		want := []string{
			"authz_admin revoke id:true owner: actor:root failed:true",
			"session_expired revoked id:true owner:" + owner + " actor:root failed:false",
			"authz_admin revoke id:true owner:" + owner + " actor:root failed:false",
			"authz_admin revoke id:true owner: actor:root failed:true",
		}
		if got := strings.Join(*told, "\n"); got != strings.Join(want, "\n") {
			t.Errorf("told\n%s\nwant\n%s", got, strings.Join(want, "\n"))
		}
	}
}

// Whoever ends sessions without WithActor is no administrator: there is no such event, and no actor.
func TestActorIsToldWhereOneIsNamed(t *testing.T) {
	m, f, told := watched(t)
	for _, c := range []struct {
		who  string
		want string
	}{
		{"", "session_expired revoked id:true owner:ann actor: failed:false\nsession_expired revoked id:false owner:ann actor: failed:false"},
		{"root", "session_expired revoked id:true owner:ann actor:root failed:false\nauthz_admin revoke id:true owner:ann actor:root failed:false\n" +
			"session_expired revoked id:false owner:ann actor:root failed:false\nauthz_admin revoke_all id:false owner:ann actor:root failed:false"},
	} {
		id, _ := begin(t, m, "ann")
		*told = nil
		ctx := sojourn.WithActor(t.Context(), c.who)
		if err := errors.Join(m.Revoke(ctx, "ann", id), m.RevokeAll(ctx, "ann")); err != nil {
			t.Error(err)
		}
		if got := strings.Join(*told, "\n"); got != c.want {
			t.Errorf("%q: told\n%s\nwant\n%s", c.who, got, c.want)
		}
	}
	f.Fail(errors.New("no route to host"))
	*told = nil
	if err := m.RevokeAll(sojourn.WithActor(t.Context(), "root"), "ann"); !sojourn.Unavailable(err) {
		t.Errorf("RevokeAll while the store is away: %v", err)
	}
	if got := strings.Join(*told, "\n"); got != "authz_admin revoke_all id:false owner:ann actor:root failed:true" {
		t.Errorf("told %s", got)
	}
}

// What was pasted in place of an id may be a token: no event has it.
func TestAdministratorsEventHasNoToken(t *testing.T) {
	var ids []string
	m := newManager(t, sojourn.Config{OnEvent: func(_ context.Context, e sojourn.Event) { ids = append(ids, e.ID) }})
	token := strings.Repeat("t0ken-_1", 8)
	ctx := sojourn.WithActor(t.Context(), "root")
	if _, err := m.Find(ctx, token); !errors.Is(err, sojourn.ErrNotFound) || strings.Contains(err.Error(), "t0ken") {
		t.Errorf("Find: %v", err)
	}
	for _, err := range []error{m.RevokeID(ctx, token), m.Revoke(ctx, "ann", token)} {
		if !errors.Is(err, sojourn.ErrNotFound) || strings.Contains(err.Error(), "t0ken") {
			t.Errorf("revoke: %v", err)
		}
	}
	if len(ids) != 2 || ids[0]+ids[1] != "" {
		t.Errorf("the events have %q", ids)
	}
}

// An administrator who ends the session of his own request goes on without one.
func TestAdministratorEndsHisOwnSession(t *testing.T) {
	m, _, _ := watched(t)
	b := sojourntest.NewBrowser(t, m, http.NotFoundHandler())
	b.Session(func(ctx context.Context) { _ = m.Login(ctx, "root") })
	b.Session(func(ctx context.Context) {
		id := m.Info(ctx).ID
		if i, err := m.Find(ctx, id); err != nil || !i.Current {
			t.Errorf("Find of one's own: %+v, %v", i, err)
		}
		if err := m.RevokeID(ctx, id); err != nil || m.Info(ctx).ID != "" {
			t.Errorf("RevokeID of one's own: %v, %+v", err, m.Info(ctx))
		}
	})
}

func TestFindOfSealedSessions(t *testing.T) {
	m := newSealedSite(t, sojourn.Config{}, newGate()).Manager
	if _, err := m.Find(t.Context(), strings.Repeat("a", 24)); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Find: %v", err)
	}
	if err := m.RevokeID(t.Context(), strings.Repeat("a", 24)); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("RevokeID: %v", err)
	}
}

// traced notes when it is called.
type traced struct {
	name string
	log  *[]string
}

func (o traced) Start(ctx context.Context, op sojourn.Op) (context.Context, func(error)) {
	*o.log = append(*o.log, o.name+" "+string(op.Name))
	return ctx, func(err error) { *o.log = append(*o.log, fmt.Sprintf("%s ends: %t", o.name, err == nil)) }
}

func TestObserversSeeEachQuestion(t *testing.T) {
	var log []string
	m := newManager(t, sojourn.Config{Observer: sojourn.Observers(traced{"outer", &log}, traced{"inner", &log})})
	if _, err := m.Count(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(log, ", "), "outer count, inner count, inner ends: true, outer ends: true"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// Support has an id from a log line. Find says whose session it is, RevokeID ends it, and the security log has who did it.
func ExampleManager_RevokeID() {
	sessions, err := sojourn.New(memstore.New(), sojourn.Config{OnEvent: func(_ context.Context, e sojourn.Event) {
		if e.Name == sojourn.EventAdmin {
			fmt.Println(e.Actor, "asked to", e.Reason, "a session of", e.Owner+":", e.Err)
		}
	}})
	if err != nil {
		log.Fatal(err)
	}
	var t testing.T
	id, _ := begin(&t, sessions, "ann")

	ctx := sojourn.WithActor(context.Background(), "support@example.com")
	i, err := sessions.Find(ctx, id)
	fmt.Println("of", i.Owner, err)
	fmt.Println(sessions.RevokeID(ctx, id))
	fmt.Println(sessions.RevokeID(ctx, id))
	// Output:
	// of ann <nil>
	// support@example.com asked to revoke a session of ann: <nil>
	// <nil>
	// support@example.com asked to revoke a session of : sojourn: no such session
	// sojourn: no such session
}
