package admin_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/admin"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sojourntest"
)

// figure is what the page has under one title: the number, and the words beneath.
func figure(t *testing.T, body, id string) (value, note string) {
	t.Helper()
	m := regexp.MustCompile(`(?s)id="figure-` + id + `">.*?class="value">(.*?)</p>.*?class="note soft">(.*?)</p>`).FindStringSubmatch(body)
	if m == nil {
		t.Fatalf("no figure %s on the page:\n%s", id, body)
	}
	return m[1], m[2]
}

// The figures are those of the last ten minutes, whatever came before.
func TestFiguresAreOfTenMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.mount(admin.Config{Authorize: func(*http.Request) (string, error) { return "root", nil }})
		root := s.as("root")
		root.SetCookies(nil) // an old token would be refused
		for range 1500 {
			s.figures.OnEvent(t.Context(), sojourn.Event{Name: sojourn.EventEnded, Reason: "logout"})
		}
		s.figures.OnEvent(t.Context(), sojourn.Event{Name: sojourn.EventEnded, Reason: "revoked"})
		s.figures.OnEvent(t.Context(), sojourn.Event{Name: sojourn.EventTokenRefused, Reason: "cross_site"})
		look := func(after time.Duration, ended, note, refused string) {
			t.Helper()
			time.Sleep(after)
			body := want(t, root.Get("/admin/"), 200)
			if v, n := figure(t, body, "ended"); v != ended || n != note {
				t.Errorf("ended: %s, %s; want %s, %s", v, n, ended, note)
			}
			if _, n := figure(t, body, "refused"); n != refused {
				t.Errorf("refused: %s; want %s", n, refused)
			}
		}
		look(0, "1,501", "logout 1,500, revoked 1, limit 0, replaced 0", "unknown 0, malformed 0, cross site 1")
		look(9*time.Minute, "1,501", "logout 1,500, revoked 1, limit 0, replaced 0", "unknown 0, malformed 0, cross site 1")
		look(2*time.Minute, "0", "logout 0, revoked 0, limit 0, replaced 0", "unknown 0, malformed 0")
		s.figures.OnEvent(t.Context(), sojourn.Event{Name: sojourn.EventEnded, Reason: "limit"})
		look(0, "1", "logout 0, revoked 0, limit 1, replaced 0", "unknown 0, malformed 0")
		look(24*time.Minute, "0", "logout 0, revoked 0, limit 0, replaced 0", "unknown 0, malformed 0")
	})
}

// What the store takes is told to a quarter, and what it did not answer is counted.
func TestLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		time.Sleep(11 * time.Minute)
		root := s.as("root")
		ask := func(op sojourn.OpName, took time.Duration, err error) {
			_, end := s.figures.Start(t.Context(), sojourn.Op{Name: op})
			time.Sleep(took)
			end(err)
		}
		for range 90 {
			ask(sojourn.OpLoad, 2*time.Millisecond, nil)
		}
		for range 10 {
			ask(sojourn.OpUpdate, 100*time.Millisecond, sojourn.ErrConflict)
		}
		ask(sojourn.OpListAll, time.Minute, nil) // is not timed
		for range 3 {
			ask(sojourn.OpLoad, time.Second, errors.New("no route to host"))
		}
		value, note := figure(t, want(t, root.Get("/admin/"), 200), "latency")
		within := func(text string, least, most float64) {
			t.Helper()
			n, err := strconv.ParseFloat(strings.TrimSuffix(text, " ms"), 64)
			if err != nil || n < least || n > most {
				t.Errorf("%q, want %v to %v ms", text, least, most)
			}
		}
		within(value, 100, 125)
		half, rest, _ := strings.Cut(strings.TrimPrefix(note, "half within "), ";")
		within(half, 2, 2.5)
		if !strings.Contains(rest, "3 failed") {
			t.Errorf("the note is %q", note)
		}
	})
}

// Figures that nobody feeds are not shown as if nothing went on.
func TestFiguresThatNobodyFeeds(t *testing.T) {
	m, err := sojourn.New(memstore.New(), sojourn.Config{})
	if err != nil {
		t.Fatal(err)
	}
	h, err := admin.New(m, admin.Config{Authorize: func(*http.Request) (string, error) { return "root", nil }, Figures: admin.NewFigures()})
	if err != nil {
		t.Fatal(err)
	}
	want(t, sojourntest.NewBrowser(t, m, h).Get("/"), 200, "Nobody tells these figures anything")
	s := newSite(t)
	lacks(t, want(t, s.as("root").Get("/admin/"), 200), "Nobody tells")
}

// A question that is counted makes one object, the function that is called at its end.
func TestFiguresCostOneObject(t *testing.T) {
	f := admin.NewFigures()
	ctx := context.Background()
	if n := testing.AllocsPerRun(1000, func() {
		_, end := f.Start(ctx, sojourn.Op{Name: sojourn.OpLoad})
		end(nil)
	}); n > 1 {
		t.Errorf("%v objects for each question", n)
	}
}

// Text can be read against what it stands on, in light and in dark: 4.5 to 1 at least, and 3 to 1 for what is drawn
// (WCAG 2.2, 1.4.3 and 1.4.11).
func TestContrast(t *testing.T) {
	colours := map[string][2]string{}
	for _, m := range regexp.MustCompile(`--(\S+): light-dark\((#\w{6}), (#\w{6})\)`).FindAllStringSubmatch(admin.StyleSheet(), -1) {
		colours[m[1]] = [2]string{m[2], m[3]}
	}
	for _, c := range []struct {
		front, behind string
		least         float64
	}{
		{"ink", "paper", 4.5}, {"ink", "card", 4.5}, {"ink", "tint", 4.5}, {"ink", "bad-tint", 4.5},
		{"soft", "paper", 4.5}, {"soft", "card", 4.5},
		{"accent", "paper", 4.5}, {"accent", "card", 4.5}, // links, and the charts
		{"on-accent", "accent", 4.5}, {"on-bad", "bad", 4.5},
		{"bad", "paper", 3}, {"bad", "card", 3}, {"edge", "paper", 3}, {"edge", "card", 3},
	} {
		front, behind := colours[c.front], colours[c.behind]
		for i, scheme := range []string{"light", "dark"} {
			if front[i] == "" || behind[i] == "" {
				t.Fatalf("the style sheet has no %s or %s", c.front, c.behind)
			}
			a, b := luminance(t, front[i]), luminance(t, behind[i])
			if got := (max(a, b) + .05) / (min(a, b) + .05); got < c.least {
				t.Errorf("%s: %s on %s has %.2f, want %.1f", scheme, c.front, c.behind, got, c.least)
			}
		}
	}
}

// luminance is the relative luminance of a colour (WCAG 2.2, definitions).
func luminance(t *testing.T, colour string) float64 {
	var r, g, b int
	if _, err := fmt.Sscanf(colour, "#%02x%02x%02x", &r, &g, &b); err != nil {
		t.Fatal(err)
	}
	linear := func(v int) float64 {
		x := float64(v) / 255
		if x <= .04045 {
			return x / 12.92
		}
		return math.Pow((x+.055)/1.055, 2.4)
	}
	return .2126*linear(r) + .7152*linear(g) + .0722*linear(b)
}
