package integration

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
)

// V7.4.5 between two processes: of the logins that had begun in one when everybody's sessions were revoked in the other,
// and of the sessions that were there, none passes a request of either afterwards; what begins afterwards does.
func TestEveryonesEndInAnotherProcess(t *testing.T) {
	if text := os.Getenv(orderVar); text != "" {
		serveLoginsAndLooks(t, text)
		return
	}
	for _, k := range betweenProcesses {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			o := k.at(t)
			m := managerOn(t, o.store(t), sojourn.Config{StoreTimeout: time.Minute})
			url := startProcess(t, "TestEveryonesEndInAnotherProcess", o)
			for range 2 {
				endEveryone(t, m, url)
			}
		})
	}
}

func endEveryone(t *testing.T, m *sojourn.Manager, url string) {
	t.Helper()
	type session struct {
		begun  time.Time
		cookie string
	}
	var mu sync.Mutex
	var all []session
	add := func(begun time.Time, cookie string) {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, session{begun, cookie})
	}
	for i := range 3 { // which the other process has read, so that it remembers that nobody was revoked of late
		begun, cookie := loginThere(t, url, fmt.Sprint("before ", i))
		livesThere(t, url, "GET", cookie)
		add(begun, cookie)
		add(time.Now(), cookieOf(visit(m, "POST", "", plusOne)))
	}
	var wg sync.WaitGroup
	for i := range 60 {
		wg.Go(func() {
			time.Sleep(rand.N(40 * time.Millisecond))
			add(loginThere(t, url, fmt.Sprint("owner ", i)))
		})
	}
	for some := 0; some <= 6; time.Sleep(100 * time.Microsecond) { // then others are under way
		mu.Lock()
		some = len(all)
		mu.Unlock()
	}
	revoking := time.Now()
	if err := m.RevokeEveryone(t.Context()); err != nil {
		t.Errorf("RevokeEveryone: %v", err)
	}
	wg.Wait()
	before, after := 0, 0
	for _, x := range all {
		if !x.begun.Before(revoking) {
			after++
			continue
		}
		before++
		if x.cookie == "" {
			continue
		}
		if livesHere(m, "GET", x.cookie) || livesHere(m, "POST", x.cookie) || livesThere(t, url, "GET", x.cookie) || livesThere(t, url, "POST", x.cookie) {
			t.Errorf("a session that began %v before the revocation lives on", revoking.Sub(x.begun))
		}
	}
	_, fresh := loginThere(t, url, "after")
	for _, c := range []string{fresh, cookieOf(visit(m, "POST", "", plusOne))} {
		if !livesHere(m, "GET", c) || !livesThere(t, url, "POST", c) {
			t.Error("a session that began afterwards does not live")
		}
	}
	t.Logf("%d sessions and logins began before, %d beside", before, after)
}

func livesHere(m *sojourn.Manager, method, cookie string) (yes bool) {
	visit(m, method, cookie, func(_ http.ResponseWriter, r *http.Request) { yes = m.Info(r.Context()).ID != "" })
	return yes
}

func livesThere(t *testing.T, url, method, cookie string) bool {
	t.Helper()
	r, err := http.NewRequest(method, url+"/look", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Cookie", cookie)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Error(err)
		return false
	}
	defer res.Body.Close()
	said, _ := io.ReadAll(res.Body)
	return strings.HasPrefix(string(said), "lives")
}

// serveLoginsAndLooks is what the other process does.
func serveLoginsAndLooks(t *testing.T, text string) {
	m := managerOf(t, text)
	mux := http.NewServeMux()
	mux.Handle("/", loginsOf(t, m))
	mux.Handle("/look", m.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if m.Info(r.Context()).ID != "" {
			io.WriteString(w, "lives")
		}
	})))
	serveUntilInputEnds(t, mux)
}
