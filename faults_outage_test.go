package sojourn_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
)

// lines is a slog.Handler that keeps each line as text.
type lines struct {
	mu  sync.Mutex
	all []string
}

func (l *lines) Enabled(context.Context, slog.Level) bool { return true }
func (l *lines) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *lines) WithGroup(string) slog.Handler            { return l }
func (l *lines) Handle(_ context.Context, r slog.Record) error {
	text := r.Level.String() + " " + r.Message
	r.Attrs(func(a slog.Attr) bool { text += " " + a.String(); return true })
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, text)
	return nil
}

// at are the lines at level, or worse.
func (l *lines) at(level string) (some []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.all {
		if strings.HasPrefix(line, level) {
			some = append(some, line)
		}
	}
	return some
}

// F19: an outage is told when it begins, every ten seconds, and when it is over; OnEvent is told of each.
func TestF19_OutageInFewLines(t *testing.T) {
	kinds := map[string]func(op string) bool{"all": everything, "writes": writes, "reads": only("load", "fence")}
	for what, which := range kinds {
		for _, lasts := range []time.Duration{4 * time.Second, 35 * time.Second} {
			t.Run(fmt.Sprintf("%s fail for %v", what, lasts), func(t *testing.T) {
				log := &lines{}
				onStore(t, sojourn.Config{Logger: slog.New(log)}, func(t *testing.T, s *site) {
					c := s.begin()
					s.gate.set(down(which, errFire))
					n, began := 0, time.Now()
					for time.Since(began) < lasts {
						n++
						s.ask("POST", c, putName)
						time.Sleep(time.Second / 175)
					}
					until := time.Now()
					s.gate.set(nil)
					s.ask("POST", c, putName)
					if over := log.at("INFO"); len(over) != 0 {
						t.Errorf("one answer among failures is told as the end: %q", over)
					}
					time.Sleep(5 * time.Second)
					s.ask("POST", c, putName)
					errors := log.at("ERROR")
					if most := 1 + int(lasts/(10*time.Second)); len(errors) == 0 || len(errors) > most {
						t.Fatalf("%d ERROR lines, want 1 to %d", len(errors), most)
					}
					if !strings.Contains(errors[0], "method=POST") || !strings.Contains(errors[0], errFire.Error()) {
						t.Errorf("the first says neither method nor cause: %s", errors[0])
					}
					over := log.at("INFO")
					if len(over) != 1 || !strings.Contains(over[0], "answers again") || !strings.Contains(over[0], fmt.Sprintf("failed=%d", n)) {
						t.Errorf("its end, after %d failures, is told so: %q", n, over)
					} else if got := between(t, over[0]); got[0].Before(began) || got[0].Sub(began) > time.Second || got[1].After(until) || until.Sub(got[1]) > time.Second {
						t.Errorf("it was from %v to %v, and is told so: %s", began, until, over[0])
					}
					if told := s.events(sojourn.EventUnavailable, ""); told != n {
						t.Errorf("OnEvent was told of %d of %d", told, n)
					}
				})
			})
		}
	}
}

// F19: a store that answers every other question does not fill the log.
func TestF19_OutageThatComesAndGoes(t *testing.T) {
	log := &lines{}
	onStore(t, sojourn.Config{Logger: slog.New(log)}, func(t *testing.T, s *site) {
		c, began := s.begin(), time.Now()
		for i := range 1000 {
			if s.gate.set(nil); i%2 == 0 {
				s.gate.set(down(writes, errFire))
			}
			s.ask("POST", c, putName)
			time.Sleep(time.Second / 175)
		}
		// It is one outage: a line in ten seconds, and one for its end.
		if n, most := len(log.at("ERROR"))+len(log.at("INFO")), 2*(1+int(time.Since(began)/(10*time.Second))); n > most {
			t.Errorf("%d lines in %v, want at most %d", n, time.Since(began), most)
		}
	})
}

// between reads since and until from a line, as an operator does.
func between(t *testing.T, line string) (at [2]time.Time) {
	t.Helper()
	for i, key := range []string{" since=", " until="} {
		_, text, found := strings.Cut(line, key)
		text, _, _ = strings.Cut(text, " for=")
		text, _, _ = strings.Cut(text, " until=")
		text, _, _ = strings.Cut(text, " m=")
		var err error
		if at[i], err = time.Parse("2006-01-02 15:04:05.999999999 -0700 MST", text); err != nil || !found {
			t.Fatalf("no time behind %q: %s: %v", key, line, err)
		}
	}
	return at
}

// A blip just before an outage hides none of it: a server that is killed answers some and fails others at once.
func TestAnOutageBehindABlip(t *testing.T) {
	log := &lines{}
	onStore(t, sojourn.Config{Logger: slog.New(log)}, func(t *testing.T, s *site) {
		c, failed := s.begin(), 0
		for _, gap := range []time.Duration{0, 2 * time.Second, 7 * time.Second} { // the last one is an outage of its own
			time.Sleep(gap)
			s.gate.set(down(everything, errFire))
			for range 3 {
				s.ask("POST", c, putName)
				failed++
			}
			s.gate.set(nil)
			s.ask("POST", c, putName)
		}
		time.Sleep(6 * time.Second)
		s.ask("POST", c, putName)
		if over := log.at("INFO"); len(over) != 2 || !strings.Contains(over[0], "failed=6") || !strings.Contains(over[1], "failed=3") {
			t.Errorf("told, of %d failures: %q, want two ends", failed, over)
		}
	})
}

// F18, F19: touches that fail are one outage too, and spoil no page.
func TestF19_OutageOfTouches(t *testing.T) {
	log := &lines{}
	onStore(t, sojourn.Config{Logger: slog.New(log)}, func(t *testing.T, s *site) {
		c := s.begin()
		time.Sleep(30 * time.Minute)
		s.gate.set(down(only("touch"), errFire))
		for range 100 {
			if a := s.look(c, func(ctx context.Context) { name.Get(ctx) }); a.code != 200 {
				t.Fatalf("answered %d", a.code)
			}
		}
		if n := len(log.at("ERROR")); n != 1 || s.events(sojourn.EventUnavailable, "touch") != 100 {
			t.Errorf("%d lines and %d events, want 1 and 100", n, s.events(sojourn.EventUnavailable, "touch"))
		}
	})
}
