package sojourn_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sealed"
	"github.com/gosojourn/sojourn/sojourntest"
)

// twoSealed makes managers of one ring, each as another process.
func twoSealed(t *testing.T, of sojourn.OwnerIndex) (a, b *sojourn.Manager) {
	t.Helper()
	ring, err := sealed.New([]string{sealed.GenerateKey()}, sealed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []**sojourn.Manager{&a, &b} {
		if *m, err = sojourn.NewSealed(ring, sojourn.Config{Revocations: of}); err != nil {
			t.Fatal(err)
		}
	}
	return a, b
}

// An owner is UTF-8. RevokeAll takes any bytes, and 0xff stands for everybody inside: with sealed sessions everybody in
// this process is a stranger for two seconds, and who logs in is logged out at once.
func TestFaultRevokeAllOfWhatIsNoOwner(t *testing.T) {
	a, _ := twoSealed(t, memstore.New())
	bob := sojourntest.NewBrowser(t, a, http.NotFoundHandler())
	bob.Session(func(ctx context.Context) { _ = a.Login(ctx, "bob") })
	if err := a.RevokeAll(context.Background(), "\xff"); err == nil {
		t.Error("it is said to be done")
	}
	bob.Session(func(ctx context.Context) {
		if who := a.Info(ctx).Owner; who != "bob" {
			t.Errorf("bob is %q: everybody's sessions were ended", who)
		}
	})
}

// Everybody is out "within the time that it names". Sealed sessions are good for longer where another process reads: a
// second, and what it believes a fence for.
func TestFaultCancelledRevokeEveryoneOfSealed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := twoSealed(t, memstore.New())
		bob := sojourntest.NewBrowser(t, b, http.NotFoundHandler())
		bob.Session(func(ctx context.Context) { _ = b.Login(ctx, "bob") })
		bob.Session(func(ctx context.Context) { _ = b.Load(ctx) })
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		err := a.RevokeEveryone(ctx)
		if err == nil || !strings.Contains(err.Error(), "everybody is out") {
			t.Fatalf("the error is %v", err)
		}
		_, in, _ := strings.Cut(err.Error(), "within ")
		in, _, _ = strings.Cut(in, ",")
		lease, bad := time.ParseDuration(in)
		if bad != nil {
			t.Fatalf("%v names no time: %v", err, bad)
		}
		time.Sleep(lease)
		bob.Session(func(ctx context.Context) {
			if who := b.Info(ctx).Owner; who != "" {
				t.Errorf("%v: and %q is in", err, who)
			}
		})
	})
}

// ASVS 7.4.5 is what RevokeEveryone is for, by its own words. The policy tells auditors to call RevokeAll for each owner,
// which leaves visitors in.
func TestFaultPolicyDoesNotKnowRevokeEveryone(t *testing.T) {
	m, err := sojourn.New(memstore.New(), sojourn.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range m.Policy().Requirements {
		if r.ID == "V7.4.5" && !strings.Contains(r.How, "RevokeEveryone") {
			t.Errorf("%s: %s", r.ID, r.How)
		}
	}
}

// A Policy's StoreTimeout is "0 where nothing is waited for". Sealed sessions without Revocations wait for nothing.
func TestFaultPolicyWaitsForNothing(t *testing.T) {
	ring, err := sealed.New([]string{sealed.GenerateKey()}, sealed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := sojourn.NewSealed(ring, sojourn.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if p := m.Policy(); p.StoreTimeout != 0 {
		t.Errorf("the policy has %s for a store that there is not", p.StoreTimeout)
	}
}

// Of a Header no SameSite is sent, whatever row N9 says.
func TestFaultPolicyOfAHeaderTalksOfSameSite(t *testing.T) {
	m, err := sojourn.New(memstore.New(), sojourn.Config{Header: "Authorization"})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range m.Policy().Requirements {
		if strings.Contains(r.How, "SameSite is always sent") {
			t.Errorf("%s: %s", r.ID, r.How)
		}
	}
}

// A slow store's answers are two seconds and a half under way: less than Config.StoreTimeout.
type slowFence struct{ *memstore.Store }

func (slowFence) Local() bool { return false }

func (s slowFence) EveryoneFence(ctx context.Context) (uint64, time.Duration, error) {
	fence, age, err := s.Store.EveryoneFence(ctx)
	time.Sleep(2500 * time.Millisecond)
	return fence, age, err
}

// "When it returns nil, none of them passes another request." Sealed sessions do: what a process believes for two seconds
// counts from when the answer came, and not from when it was asked for.
func TestFaultRevokeEveryoneBesideASlowAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept := memstore.New()
		ring, err := sealed.New([]string{sealed.GenerateKey()}, sealed.Options{})
		if err != nil {
			t.Fatal(err)
		}
		a, err := sojourn.NewSealed(ring, sojourn.Config{Revocations: kept})
		if err != nil {
			t.Fatal(err)
		}
		b, err := sojourn.NewSealed(ring, sojourn.Config{Revocations: slowFence{kept}})
		if err != nil {
			t.Fatal(err)
		}
		bob, again := sojourntest.NewBrowser(t, a, http.NotFoundHandler()), sojourntest.NewBrowser(t, b, http.NotFoundHandler())
		bob.Session(func(ctx context.Context) { _ = a.Login(ctx, "bob") })
		again.SetCookies(bob.Cookies())
		go again.Session(func(ctx context.Context) { _ = b.Load(ctx) })
		time.Sleep(100 * time.Millisecond)
		if err := a.RevokeEveryone(t.Context()); err != nil {
			t.Fatal(err)
		}
		again.Session(func(ctx context.Context) {
			if who := b.Info(ctx).Owner; who != "" {
				t.Errorf("%q passes another request", who)
			}
		})
	})
}
