package sojourn_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sealed"
	"github.com/gosojourn/sojourn/sojourntest"
)

// A zero Config has the limits of NIST's second level.
func TestDefaultsAreThoseOfAAL2(t *testing.T) {
	zero, second := newManager(t, sojourn.Config{}).Policy(), newManager(t, sojourn.AAL2()).Policy()
	if zero.Lifetime != second.Lifetime || zero.IdleTimeout != second.IdleTimeout || zero.AAL != 2 {
		t.Errorf("%v and %v, AAL%d; want %v and %v", zero.Lifetime, zero.IdleTimeout, zero.AAL, second.Lifetime, second.IdleTimeout)
	}
	if zero.RememberedAAL != 1 {
		t.Errorf("a remembered session: AAL%d, want 1: 30 days are within its limit, and no idle limit is none of the second", zero.RememberedAAL)
	}
}

// N17: the presets are within their levels, and one second more is not.
func TestPresets(t *testing.T) {
	for _, c := range []struct {
		cfg  sojourn.Config
		want int
	}{
		{sojourn.AAL1(), 1}, {sojourn.AAL2(), 2}, {sojourn.AAL3(), 3},
		{sojourn.Config{Lifetime: 24*time.Hour + time.Second, IdleTimeout: time.Hour}, 1},
		{sojourn.Config{Lifetime: 24 * time.Hour, IdleTimeout: time.Hour + time.Second}, 1},
		{sojourn.Config{Lifetime: 12 * time.Hour, IdleTimeout: 15*time.Minute + time.Second}, 2},
		{sojourn.Config{Lifetime: 12 * time.Hour, IdleTimeout: sojourn.NoIdleTimeout}, 1},
		{sojourn.Config{Lifetime: 30*24*time.Hour + time.Second, IdleTimeout: time.Minute}, 0},
	} {
		if got := newManager(t, c.cfg).Policy(); got.AAL != c.want {
			t.Errorf("%v, idle %v: AAL%d, want %d", got.Lifetime, got.IdleTimeout, got.AAL, c.want)
		}
	}
}

// What the policy says of the cookie is what goes out.
func TestPolicyIsWhatIsSent(t *testing.T) {
	for _, cfg := range []sojourn.Config{
		{},
		{DangerouslyAllowHTTP: true},
		{Cookie: sojourn.Cookie{Domain: "example.com", SameSite: http.SameSiteStrictMode, Persistent: true}},
		{Cookie: sojourn.Cookie{Path: "/app", SameSite: http.SameSiteNoneMode, Partitioned: true}},
	} {
		m := newManager(t, cfg)
		w, _ := ask(m, "", putName)
		p := m.Policy().Cookie
		all := w.Result().Cookies()
		got := all[len(all)-1] // behind the expiry of a host-only twin
		sites := map[string]http.SameSite{"Lax": http.SameSiteLaxMode, "Strict": http.SameSiteStrictMode, "None": http.SameSiteNoneMode}
		if got.Name != p.Name || got.Domain != p.Domain || got.Path != p.Path || got.Secure != p.Secure || got.HttpOnly != p.HTTPOnly ||
			got.SameSite != sites[p.SameSite] || got.Partitioned != p.Partitioned || (got.MaxAge > 0) != p.Persistent {
			t.Errorf("%+v\nis sent as %v", *p, got)
		}
	}
}

// standing is how p stands to a requirement.
func standing(t *testing.T, p sojourn.Policy, id string) sojourn.Standing {
	t.Helper()
	for _, r := range p.Requirements {
		if r.ID == id {
			return r.Standing
		}
	}
	t.Fatalf("there is no requirement %s", id)
	return ""
}

// What a configuration gives up, the policy says.
func TestPolicyOwnsUp(t *testing.T) {
	ring, err := sealed.New([]string{sealed.GenerateKey()}, sealed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	onClients, err := sojourn.NewSealed(ring, sojourn.Config{})
	if err != nil {
		t.Fatal(err)
	}
	revocable, err := sojourn.NewSealed(ring, sojourn.Config{Revocations: memstore.New()})
	if err != nil {
		t.Fatal(err)
	}
	zero := newManager(t, sojourn.Config{})
	for _, c := range []struct {
		what string
		m    *sojourn.Manager
		id   string
		want sojourn.Standing
	}{
		{"by default", zero, "O9", sojourn.Met},
		{"plain http", newManager(t, sojourn.Config{DangerouslyAllowHTTP: true}), "O9", sojourn.Deviates},
		{"plain http", newManager(t, sojourn.Config{DangerouslyAllowHTTP: true}), "O12", sojourn.Deviates},
		{"plain http", newManager(t, sojourn.Config{DangerouslyAllowHTTP: true}), "O15", sojourn.Deviates},
		{"in a header", newManager(t, sojourn.Config{Header: "X-Session"}), "O12", sojourn.NotInUse},
		{"in a header", newManager(t, sojourn.Config{Header: "X-Session"}), "O20", sojourn.Application},
		{"with a domain", newManager(t, sojourn.Config{Cookie: sojourn.Cookie{Domain: "example.com"}}), "O16", sojourn.Application},
		{"with a domain", newManager(t, sojourn.Config{Cookie: sojourn.Cookie{Domain: "example.com"}}), "C4", sojourn.Deviates},
		{"no idle limit", newManager(t, sojourn.Config{IdleTimeout: sojourn.NoIdleTimeout}), "V7.3.1", sojourn.Deviates},
		{"by default", zero, "O18", sojourn.Met},
		{"persistent", newManager(t, sojourn.Config{Cookie: sojourn.Cookie{Persistent: true}}), "O18", sojourn.Deviates},
		{"by default", zero, "O33", sojourn.Deviates},
		{"by default", zero, "O48", sojourn.Application},
		{"limited", newManager(t, sojourn.Config{MaxPerOwner: 3}), "O48", sojourn.Met},
		{"by default", zero, "O35", sojourn.Met},
		{"sealed", onClients, "O35", sojourn.Deviates},
		{"sealed", onClients, "V7.4.1", sojourn.Deviates},
		{"sealed, revocable", revocable, "V7.4.1", sojourn.Met},
		{"sealed, revocable", revocable, "O49", sojourn.Deviates},
		{"sealed", onClients, "V9", sojourn.Met},
		{"by default", zero, "V9", sojourn.NotInUse},
	} {
		if got := standing(t, c.m.Policy(), c.id); got != c.want {
			t.Errorf("%s: %s is %q, want %q", c.what, c.id, got, c.want)
		}
	}
}

// Every requirement of our list has a row, once, and a word of how.
func TestRequirementsAreWhole(t *testing.T) {
	want := strings.Fields(`O1 O2 O3 O4 O5 O6 O8 O9 O12 O13 O14 O15 O16 O18 O19 O20 O21 O22 O23 O25 O26 O27 O28 O29 O30 O31 O32 O33 O34 O35 O36
		O37 O38 O40 O41 O42 O43 O44 O45 O46 O47 O48 O49 O50 O51 O52 O53 V3.3.1 V3.3.2 V3.3.3 V3.3.4 V3.3.5 V7.1.1 V7.1.2 V7.1.3 V7.2.1 V7.2.2 V7.2.3
		V7.2.4 V7.3.1 V7.3.2 V7.4.1 V7.4.2 V7.4.3 V7.4.4 V7.4.5 V7.5.1 V7.5.2 V7.5.3 V9 V11 V16 N2 N5 N9 N12 N15 N17 C1 C2 C3 C4 C6 C8 C9 C10 C15 L1
		D1 D2 D3 D4 D5`)
	for _, m := range managersOfEachKind(t) {
		var got []string
		for _, r := range m.Policy().Requirements {
			got = append(got, r.ID)
			if r.Source == "" || r.Standing == "" || !strings.HasSuffix(r.Asks, ".") || !strings.HasSuffix(r.How, ".") {
				t.Errorf("%+v", r)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%v\nwant %v", got, want)
		}
	}
}

func managersOfEachKind(t *testing.T) (all []*sojourn.Manager) {
	ring, err := sealed.New([]string{sealed.GenerateKey()}, sealed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := sojourn.NewSealed(ring, sojourn.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, cfg := range []sojourn.Config{
		{}, {Header: "Authorization"}, {DangerouslyAllowHTTP: true}, {IdleTimeout: sojourn.NoIdleTimeout, MaxPerOwner: 1},
		{Cookie: sojourn.Cookie{Domain: "example.com", SameSite: http.SameSiteNoneMode, Persistent: true}},
	} {
		all = append(all, newManager(t, cfg))
	}
	return append(all, s)
}

func TestPolicyAsText(t *testing.T) {
	text := newManager(t, sojourn.Config{}).Policy().String()
	for _, want := range []string{
		"kept          memory of this process; gone with a restart; for one process\n",
		"cookie        __Host-Http-id; Path=/; Secure; HttpOnly; SameSite=Lax; ends with the browser\n",
		"idle          1h from the last use, at most 3m less\n",
		"remembered    720h, no idle limit, and a cookie that outlives the browser\n",
		"limits of     NIST SP 800-63B-4 AAL2; remembered: AAL1\n",
		"deviates      O33    By time never",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %q in\n%s", want, text)
		}
	}
	for line := range strings.Lines(text) {
		if len(line) < 15 || line[12:14] != "  " {
			t.Errorf("this line is out of line: %q", line)
		}
	}
}

// Programs read seconds and bytes.
func TestPolicyAsJSON(t *testing.T) {
	b, err := json.Marshal(newManager(t, sojourn.AAL3()).Policy())
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Lifetime     float64
		IdleTimeout  float64 `json:"idle_timeout"`
		AAL          int
		Cookie       struct{ Name string }
		Durability   struct{ Restart string }
		Requirements []sojourn.Requirement
	}
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if got.Lifetime != 43200 || got.IdleTimeout != 900 || got.AAL != 3 || got.Cookie.Name != "__Host-Http-id" || got.Durability.Restart != "gone" || len(got.Requirements) < 80 {
		t.Errorf("%+v", got)
	}
}

// A store that does not tell is said to be one; a wrapper passes on what the store inside says.
func TestDurabilityIsTheStoresOwn(t *testing.T) {
	of := func(s sojourn.Store) sojourn.Durability {
		m, err := sojourn.New(s, sojourn.Config{})
		if err != nil {
			t.Fatal(err)
		}
		return m.Policy().Durability
	}
	if d := of(struct{ sojourn.Store }{memstore.New()}); d.Medium != "" || d.Restart != sojourn.OutlivingUnknown {
		t.Errorf("of a store that does not tell: %+v", d)
	}
	if d := of(&sojourntest.FaultyStore{Store: memstore.New()}); d.Restart != sojourn.OutlivesNothing {
		t.Errorf("through a wrapper: %+v", d)
	}
}
