package main

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"
)

func TestGuessingIsSlowedDown(t *testing.T) {
	s := newSite(t)
	b, ben := newBrowser(t, s.url), newBrowser(t, s.url)
	signUp(t, b, "ann")
	signUp(t, ben, "ben")
	for range accountBurst {
		b.post("/user/login", credentials("ann", "wrong password")).want(t, 422)
	}
	r := b.post("/user/login", credentials("ANN", pass))
	r.want(t, http.StatusTooManyRequests, "Please try again in a minute.", `value="ANN@example.com"`, "Log in</button>")
	if n, err := strconv.Atoi(r.Header.Get("Retry-After")); err != nil || n < 1 || n > 60 {
		t.Errorf("Retry-After: %q", r.Header.Get("Retry-After"))
	}
	ben.post("/user/login", credentials("ben", pass)).want(t, 200, "Log out")

	// A stolen session is no way around it.
	for range accountBurst {
		ben.post("/account/password", passwords3("wrong password", "a new password", "a new password")).want(t, 422)
	}
	r = ben.post("/account/password", passwords3(pass, "a new password", "a new password"))
	r.want(t, http.StatusTooManyRequests, "try again in a minute")
}

func TestRightGuessesAreNotCounted(t *testing.T) {
	s := newSite(t)
	b := member(t, s.url, "ann")
	for range addressBurst + 5 {
		b.post("/user/login", credentials("ann", pass)).want(t, 200)
	}
}

func TestLimit(t *testing.T) {
	now := time.Now()
	l := newLimit(3, time.Minute)
	l.now = func() time.Time { return now }
	for i := range 3 {
		if wait := l.take("a"); wait != 0 {
			t.Errorf("attempt %d has to wait %s", i, wait)
		}
	}
	if wait := l.take("a"); wait != time.Minute {
		t.Errorf("the fourth has to wait %s, want a minute", wait)
	}
	if wait := l.take("b"); wait != 0 {
		t.Errorf("another name has to wait %s", wait)
	}
	now = now.Add(59 * time.Second)
	if wait := l.take("a"); wait != time.Second {
		t.Errorf("after 59 seconds: %s, want another second", wait)
	}
	now = now.Add(time.Second)
	if l.take("a") != 0 || l.take("a") == 0 {
		t.Error("a minute later one more may pass, and no second one")
	}
	l.giveBack("a")
	if l.take("a") != 0 {
		t.Error("what was given back is not there")
	}

	for i := range 3 * maxLimited {
		l.take("other " + strconv.Itoa(i))
	}
	if n := len(l.names); n > maxLimited {
		t.Errorf("%d names are kept, want at most %d", n, maxLimited)
	}
	if l.take("a") == 0 {
		t.Error("whom it slows down is forgotten for the sake of new names")
	}
	now = now.Add(time.Hour)
	l.take("new")
	if n := len(l.names); n != 1 {
		t.Errorf("%d names are kept after an hour, want 1", n)
	}
}

func TestNetworks(t *testing.T) {
	for _, c := range []struct{ remote, network, address string }{
		{"192.0.2.7:1234", "192.0.2.7", "192.0.2.7"},
		{"[::ffff:192.0.2.7]:1234", "192.0.2.7", "::ffff:192.0.2.7"},
		{"[2001:db8:1:2:3:4:5:6]:1", "2001:db8:1:2::/64", "2001:db8:1:2:3:4:5:6"},
		{"[fe80::1%eth0]:1", "fe80::/64", "fe80::1%eth0"},
		{"@", "@", "@"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.remote
		if got := network(r); got != c.network {
			t.Errorf("network of %s: %s, want %s", c.remote, got, c.network)
		}
		if got := address(r); got != c.address {
			t.Errorf("address of %s: %s, want %s", c.remote, got, c.address)
		}
	}
}
