package admin_test

import (
	"context"
	"errors"
	"html"
	"iter"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/admin"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sealed"
	"github.com/gosojourn/sojourn/sojourntest"
)

// Sessions are found by owner, by id and by what is known of the device; a page shows what is known of them, and
// nothing of what they hold.
func TestSearch(t *testing.T) {
	s := newSite(t)
	root := s.as("root")
	s.device = sojourn.Device{Label: "Firefox on Linux", Addr: "192.0.2.7", Agent: "Mozilla/5.0 (X11)"}
	ann := s.info(s.as("ann")).ID
	s.device = sojourn.Device{Label: "Chrome on Windows", Addr: "198.51.100.1"}
	bob := s.info(s.as("bob")).ID
	visitor := s.info(s.as("")).ID
	row := func(id string) string { return `data-session="` + id + `"` }
	for _, c := range []struct {
		by, query  string
		words      []string
		rows, none []string
	}{
		{"", "", []string{"4 sessions of everybody", "a visitor", `<span class="badge">yours</span>`}, []string{ann, bob, visitor}, nil},
		{"owner", "", []string{"4 sessions of everybody"}, []string{ann, bob, visitor}, nil},
		{"owner", "ann", []string{"1 session of <bdi>ann</bdi>", "End all sessions of <bdi>ann</bdi>"}, []string{ann}, []string{bob, visitor}},
		{"owner", "an", []string{"No live session of <bdi>an</bdi>"}, nil, []string{ann, bob, visitor}},
		{"id", bob, []string{"1 session with this id"}, []string{bob}, []string{ann}},
		{"id", strings.Repeat("a", 24), []string{"No live session with this id"}, nil, []string{ann, bob}},
		{"device", "FIREFOX", []string{"1 session with “<bdi>FIREFOX</bdi>” in the device"}, []string{ann}, []string{bob}},
		{"device", "198.51", nil, []string{bob}, []string{ann}},
		{"device", "x11", nil, []string{ann}, []string{bob}},
		{"device", "Opera", []string{"No live session with"}, nil, []string{ann, bob}},
	} {
		body := want(t, root.Get(find(c.by, c.query)), 200, c.words...)
		for _, id := range c.rows {
			if !strings.Contains(body, row(id)) {
				t.Errorf("%s %q: without %s", c.by, c.query, id)
			}
		}
		for _, id := range c.none {
			lacks(t, body, row(id))
		}
		lacks(t, body, "what nobody else is to see", "key-of-a-value")
	}
	body := want(t, root.Get("/admin/session?id="+ann), 200, "ann", ann, "Firefox on Linux", "192.0.2.7", "Mozilla/5.0 (X11)", "Ends anyway", "End this session")
	lacks(t, body, "what nobody else is to see", "key-of-a-value", "your own session")
	want(t, root.Get("/admin/session?id="+s.info(root).ID), 200, "your own session")
	want(t, root.Get("/admin/session?id="+strings.Repeat("a", 24)), 404, "no such session")
	want(t, root.Get(find("planet", "ann")), 400, "Search by owner")
	lacks(t, want(t, root.Get("/admin/?q=hello"), 400, "Search by owner"), "data-session")
	want(t, root.Get(find("owner", strings.Repeat("a", 256))), 400, "at most 255 bytes")
	want(t, root.Get("/admin/?by=owner&q=%ff"), 400, "UTF-8")
}

// A token that somebody pastes where an id belongs is on no page.
func TestTokenIsNotRepeated(t *testing.T) {
	s := newSite(t)
	root := s.as("root")
	token := root.Cookies()[0].Value
	for _, path := range []string{find("id", token), "/admin/session?id=" + token} {
		lacks(t, want(t, root.Get(path), 400, "That is a token"), token)
	}
	lacks(t, want(t, root.PostForm("/admin/end-session?id="+token, nil), 400, "That is a token"), token)
	lacks(t, page(t, root.Get("/admin/")), token, token[24:])
}

// What clients and owners call themselves is text, whatever is in it.
func TestHostileText(t *testing.T) {
	s := newSite(t)
	root := s.as("root")
	s.device = sojourn.Device{Label: `"><script>alert(1)</script>`, Addr: `' onmouseover='x`, Agent: "</dd>{{.}}${x}<img src=x>"}
	owner := "<b onclick=x>&\"'\n\u202egnp.exe javascript:alert(1)"
	b := s.as(owner)
	for _, path := range []string{"/admin/", find("owner", owner), find("device", "<script>"), "/admin/session?id=" + s.info(b).ID} {
		body := want(t, root.Get(path), 200, html.EscapeString("<script>alert(1)</script>"), `&#34;&gt;`, `\n\u202egnp.exe`)
		lacks(t, body, "<script>alert", "<b onclick", "<img", "' onmouseover")
		field := regexp.MustCompile(`<input id="q"[^>]*>`) // has what was typed
		lacks(t, field.ReplaceAllString(body, ""), "\u202e")
	}
	// The button ends the sessions of this owner, every letter of the name counting.
	body := page(t, root.Get(find("owner", owner)))
	_, action, _ := strings.Cut(body, `<form action="end-owner`)
	action, _, _ = strings.Cut(action, `"`)
	want(t, root.PostForm("/admin/end-owner"+html.UnescapeString(action), nil), 200, "have ended")
	if i := s.info(b); i.ID != "" {
		t.Errorf("the session of %q goes on", i.Owner)
	}
}

// A page asks for no more than it shows, and says that there is more.
func TestPageAsksForWhatItShows(t *testing.T) {
	read := 0
	var one sojourn.Record
	s := newSiteOn(t, counted{memstore.New(), &read, &one}, admin.Config{SearchLimit: 700})
	root := s.as("root")
	s.device = sojourn.Device{Label: "Firefox on Linux"}
	id := s.info(s.as("ann")).ID
	var err error
	if one, err = s.store.Load(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		query      string
		rows, read int
		words      string
	}{
		{"", 50, 51, "The first 50 sessions of more, of everybody"},
		{"?show=many", 500, 501, "The first 500 sessions of more"},
		{"?by=owner&q=ann", 50, 501, "The latest used 50 of the first 500 sessions of more, of <bdi>ann</bdi>"},
		{"?by=owner&q=ann&show=many", 500, 501, "The first 500 sessions of more"},
		{"?by=device&q=firefox", 50, 51, "The first 50 sessions of more"},
		{"?by=device&q=opera", 0, 701, "looked at 700 sessions, and there are others"},
	} {
		read = 0
		body := want(t, root.Get("/admin/"+c.query), 200, c.words)
		if n := strings.Count(body, "data-session="); n != c.rows || read != c.read {
			t.Errorf("%q shows %d rows and reads %d, want %d and %d", c.query, n, read, c.rows, c.read)
		}
		if more := strings.Contains(body, "Show up to 500"); more != (c.rows == 50) {
			t.Errorf("%q offers more: %t", c.query, more)
		}
	}
	want(t, root.Get("/admin/"), 200, "1,234,567")
}

// Where all of an owner's were looked at, the page says of how many it shows the latest.
func TestPageSaysOfHowManyItShowsTheLatest(t *testing.T) {
	s := newSite(t)
	root := s.as("root")
	for range 60 {
		s.as("ann")
	}
	want(t, root.Get(find("owner", "ann")), 200, "The latest used 50 of 60 sessions of <bdi>ann</bdi>", "Show up to 500")
	lacks(t, want(t, root.Get(find("owner", "ann")+"&show=many"), 200, "60 sessions of <bdi>ann</bdi>"), "latest used")
}

// counted is a store that lists one record over and over, and counts how often.
type counted struct {
	*memstore.Store
	read *int
	one  *sojourn.Record
}

func (c counted) ListAll(context.Context) iter.Seq2[sojourn.Record, error] {
	return func(yield func(sojourn.Record, error) bool) {
		for {
			if *c.read++; !yield(*c.one, nil) {
				return
			}
		}
	}
}
func (c counted) Count(context.Context) (int, error) { return 1_234_567, nil }

func (c counted) ListOwner(ctx context.Context, _ string) iter.Seq2[sojourn.Record, error] {
	return c.ListAll(ctx)
}

// Sessions that browsers keep are listed nowhere. With Revocations an owner's can be ended.
func TestSealedSessions(t *testing.T) {
	ring, err := sealed.New([]string{sealed.GenerateKey()}, sealed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := sojourn.NewSealed(ring, sojourn.Config{Revocations: memstore.New()})
	if err != nil {
		t.Fatal(err)
	}
	h, err := admin.New(m, admin.Config{Authorize: func(*http.Request) (string, error) { return "root", nil }})
	if err != nil {
		t.Fatal(err)
	}
	root := sojourntest.NewBrowser(t, m, h)
	ann := sojourntest.NewBrowser(t, m, h)
	ann.Session(func(ctx context.Context) { err = m.Login(ctx, "ann") })
	if err != nil {
		t.Fatal(err)
	}
	want(t, root.Get("/"), 200, "cannot tell which there are")
	want(t, root.Get("/?by=owner&q=ann"), 200, "cannot tell which there are", "End all sessions of <bdi>ann</bdi>")
	id := strings.Repeat("a", 24)
	want(t, root.Get("/session?id="+id), 200, "cannot look one up")
	want(t, root.PostForm("/end-session?id="+id, nil), 501, "cannot do that")
	want(t, root.PostForm("/end-owner?owner=ann", nil), 200, "have ended")
	ann.Session(func(ctx context.Context) {
		if i := m.Info(ctx); i.Owner != "" {
			t.Errorf("ann is logged in: %+v", i)
		}
	})
}

// Everybody's sessions end only for who types the word.
func TestEverybodyNeedsTheWord(t *testing.T) {
	s := newSite(t)
	root, calls, err := s.as("root"), 0, error(nil)
	s.pages.SetEveryone(func(context.Context) error { calls++; return err })
	for _, word := range []string{"", "Everybody", "everybody ", "yes"} {
		want(t, root.PostForm("/admin/end-everyone", url.Values{"confirm": {word}}), 422, "Nothing was done", "type the word everybody")
	}
	want(t, root.PostForm("/admin/end-everyone?confirm=everybody", nil), 422) // a word in an address is not typed
	if calls != 0 {
		t.Errorf("it was done %d times", calls)
	}
	want(t, root.PostForm("/admin/end-everyone", url.Values{"confirm": {"everybody"}}), 200, "sessions have ended")
	err = errors.New("no route to host")
	body := want(t, root.PostForm("/admin/end-everyone", url.Values{"confirm": {"everybody"}}), 503, "may not have been done")
	lacks(t, body, "Try again</button>")
	if calls != 2 {
		t.Errorf("it was done %d times, want 2", calls)
	}
}

// Then everybody is out, who asked for it too, and it is told who that was.
func TestEverybodyIsOut(t *testing.T) {
	s := newSite(t)
	root, ann := s.as("root"), s.as("ann")
	s.told.acts()
	want(t, root.PostForm("/admin/end-everyone", url.Values{"confirm": {"everybody"}}), 200, "sessions have ended", "Your own session was among them")
	if acts := s.told.acts(); len(acts) != 1 || acts[0].Actor != "root@example.com" || acts[0].Reason != "revoke_everyone" || acts[0].Err != nil {
		t.Errorf("told of %+v", acts)
	}
	if s.info(ann).ID != "" {
		t.Error("ann is still logged in")
	}
	want(t, root.Get("/admin/"), 403)
}

// Where owners are numbers, people are found and shown by the names that they are known by.
func TestNamesOfOwners(t *testing.T) {
	s := newSite(t)
	numbers, down := map[string]string{"ann@example.com": "7", "bob@example.com": "8"}, error(nil)
	s.mount(admin.Config{
		OwnerOf: func(_ context.Context, typed string) (string, error) { return numbers[typed], down },
		NameOf: func(_ context.Context, owner string) string {
			for name, number := range numbers {
				if number == owner {
					return name
				}
			}
			return ""
		},
	})
	root, ann, bob := s.as("root"), s.info(s.as("7")).ID, s.info(s.as("8")).ID
	for _, typed := range []string{"ann@example.com", "7"} {
		body := want(t, root.Get(find("owner", typed)), 200, "1 session of <bdi>ann@example.com</bdi>", ann,
			`<a href="./?by=owner&amp;q=7"><bdi>ann@example.com</bdi></a>`, `action="end-owner?owner=7"`, "End all sessions of <bdi>ann@example.com</bdi>")
		lacks(t, body, bob)
	}
	want(t, root.Get("/admin/"), 200, "<bdi>ann@example.com</bdi>", "<bdi>bob@example.com</bdi>", "<bdi>root</bdi>")
	want(t, root.Get("/admin/session?id="+ann), 200, "<bdi>ann@example.com</bdi>", "(<bdi>7</bdi>)")
	want(t, root.Get(find("owner", "carol")), 200, "No live session of <bdi>carol</bdi>")
	down = errors.New("the table of accounts is locked")
	want(t, root.Get(find("owner", "ann@example.com")), 503, "the table of accounts is locked")
}
