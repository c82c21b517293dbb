package compliance_test

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
)

// What is about time runs on a fake clock, and so in memory.
var timeChecks = map[string]check{
	"O28":    everySessionEnds,
	"O30":    idleFromTheLastUse,
	"O32":    absoluteFromTheBeginning,
	"O40":    statusExtendsNothing,
	"V7.1.1": limitsAreTold,
	"V7.1.2": limitsAreTold,
	"V7.3.1": idleFromTheLastUse,
	"V7.3.2": absoluteFromTheBeginning,
	"N15":    activityAndLogin,
	"N17":    levels,
	"C6":     serverJudges,
}

func everySessionEnds(t *testing.T, _ opener) {
	for _, cfg := range []sojourn.Config{{}, sojourn.AAL1(), sojourn.AAL2(), sojourn.AAL3(), {IdleTimeout: sojourn.NoIdleTimeout}, strict} {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t, memstore.New(), cfg)
			p := s.Policy()
			c := s.beginAs("ann")
			time.Sleep(p.Lifetime)
			if s.owner(c) != "" || p.Lifetime > 30*24*time.Hour {
				t.Errorf("alive after %v", p.Lifetime)
			}
		})
	}
	refused(t, sojourn.Config{Lifetime: -1}, "Lifetime")
	p := accepted(t, strict).Policy()
	if p.IdleTimeout > 30*time.Minute || p.Lifetime > 8*time.Hour {
		t.Errorf("%v and %v are not the sheet's", p.IdleTimeout, p.Lifetime)
	}
}

func idleFromTheLastUse(t *testing.T, _ opener) {
	for _, sleep := range []struct {
		d    time.Duration
		live bool
	}{{57 * time.Minute, true}, {time.Hour, false}} {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t, memstore.New(), sojourn.Config{IdleTimeout: time.Hour})
			c := s.beginAs("ann")
			for range 3 {
				time.Sleep(57 * time.Minute)
				if s.owner(c) != "ann" {
					t.Fatal("a session in use has ended")
				}
			}
			time.Sleep(sleep.d)
			if live := s.owner(c) == "ann"; live != sleep.live {
				t.Errorf("%v after the last use it is live: %v", sleep.d, live)
			}
		})
	}
}

func absoluteFromTheBeginning(t *testing.T, _ opener) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, memstore.New(), sojourn.Config{Lifetime: 5 * time.Hour, IdleTimeout: 2 * time.Hour})
		c := s.beginAs("ann")
		for range 4 {
			time.Sleep(time.Hour)
			c = s.post(c, s.renew).set
		}
		time.Sleep(time.Hour - time.Millisecond)
		if s.owner(c) != "ann" {
			t.Error("it has ended before its time")
		}
		time.Sleep(time.Millisecond)
		if s.owner(c) != "" {
			t.Error("renewed four times, it outlives its limit")
		}
	})
}

func activityAndLogin(t *testing.T, _ opener) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, memstore.New(), sojourn.Config{Lifetime: 4 * time.Hour, IdleTimeout: time.Hour})
		c := s.beginAs("ann")
		first := s.info(c)
		time.Sleep(30 * time.Minute)
		s.post(c, put("x"))
		used := s.info(c)
		c = s.post(c, s.login("ann")).set
		again := s.info(c)
		if !used.Deadline.Equal(first.Deadline) || !used.Expires.After(first.Expires) {
			t.Errorf("use: from %v and %v to %v and %v", first.Expires, first.Deadline, used.Expires, used.Deadline)
		}
		if !again.Deadline.After(used.Deadline) || !again.AuthTime.After(used.AuthTime) {
			t.Errorf("a login: from %v to %v", used.Deadline, again.Deadline)
		}
	})
}

func serverJudges(t *testing.T, _ opener) {
	synctest.Test(t, func(t *testing.T) {
		for _, s := range []*site{newSite(t, memstore.New(), sojourn.Config{}), newSealedSite(t, sojourn.Config{})} {
			c := s.beginAs("ann")
			time.Sleep(time.Hour)
			if s.owner(c) != "" {
				t.Error("a client that keeps the cookie is logged in beyond the limit")
			}
		}
	})
}

func statusExtendsNothing(t *testing.T, _ opener) {
	synctest.Test(t, func(t *testing.T) {
		n := &counted{Store: memstore.New()}
		s := newSite(t, n, sojourn.Config{IdleTimeout: time.Hour})
		c := s.beginAs("ann")
		n.updates = 0
		time.Sleep(50 * time.Minute)
		w := httptest.NewRecorder()
		s.StatusHandler().ServeHTTP(w, request("GET", c))
		var left struct{ ExpiresIn int }
		if err := json.Unmarshal(w.Body.Bytes(), &left); err != nil || left.ExpiresIn != 600 || n.touches+n.updates != 0 || w.Header().Get("Set-Cookie") != "" {
			t.Errorf("%s, %v; %d writes", w.Body, err, n.touches+n.updates)
		}
		time.Sleep(10 * time.Minute)
		if s.owner(c) != "" {
			t.Error("to ask has put the end off")
		}
	})
}

func limitsAreTold(t *testing.T, _ opener) {
	p := accepted(t, sojourn.Config{Lifetime: 8 * time.Hour, IdleTimeout: 20 * time.Minute, RememberFor: 48 * time.Hour, MaxPerOwner: 3}).Policy()
	asJSON, err := json.Marshal(p)
	for _, want := range []string{"20m", "8h", "48h", "3 sessions at most"} {
		if !strings.Contains(p.String(), want) {
			t.Errorf("no %q in\n%s", want, p)
		}
	}
	for _, want := range []string{`"idle_timeout":1200`, `"lifetime":28800`, `"remember_for":172800`, `"max_per_owner":3`} {
		if !strings.Contains(string(asJSON), want) {
			t.Errorf("no %s in %s, %v", want, asJSON, err)
		}
	}
}

func levels(t *testing.T, _ opener) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		cfg            sojourn.Config
		absolute, idle time.Duration
		level          int
	}{
		{sojourn.AAL1(), 30 * day, 0, 1}, {sojourn.AAL2(), day, time.Hour, 2}, {sojourn.Config{}, day, time.Hour, 2}, {sojourn.AAL3(), day / 2, 15 * time.Minute, 3},
	} {
		if p := accepted(t, c.cfg).Policy(); p.Lifetime != c.absolute || p.IdleTimeout != c.idle || p.AAL != c.level {
			t.Errorf("%v, idle %v, AAL%d; want %v, %v, AAL%d", p.Lifetime, p.IdleTimeout, p.AAL, c.absolute, c.idle, c.level)
		}
	}
}
