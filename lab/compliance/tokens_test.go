package compliance_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/sealed"
)

var tokenChecks = map[string]check{
	"O2":     takenIsNeverAdopted,
	"O3":     allRandom,
	"O4":     opaque,
	"O5":     valuesAreUnreadable,
	"O6":     dumpOpensNothing,
	"O8":     oneIntendedPlace,
	"O21":    neverAdopted,
	"O22":    validatedFirst,
	"O27":    severalOfAName,
	"O41":    all(eachGuessIsTold, guessersAreRefused),
	"V7.2.1": all(dumpOpensNothing, secretIsVerified),
	"V7.2.2": all(allRandom, neverAdopted),
	"V7.2.3": all(allRandom, takenIsNeverAdopted),
}

// takenOnce says of the first id that somebody has it.
type takenOnce struct {
	sojourn.Store
	ids []string
}

func (s *takenOnce) Create(ctx context.Context, r sojourn.Record) error {
	s.ids = append(s.ids, r.ID)
	if len(s.ids) == 1 {
		return sojourn.ErrConflict
	}
	return s.Store.Create(ctx, r)
}

func takenIsNeverAdopted(t *testing.T, open opener) {
	taken := &takenOnce{Store: open(t)}
	s := newSite(t, taken, sojourn.Config{})
	c := s.begin("mine")
	if len(taken.ids) != 2 || taken.ids[0] == taken.ids[1] || !strings.HasPrefix(value(c), taken.ids[1]) {
		t.Errorf("ids %q, cookie %q", taken.ids, c[:39])
	}
	if p := s.Policy(); p.SecretBits < 128 {
		t.Errorf("%d bits of secret", p.SecretBits)
	}
}

func allRandom(t *testing.T, open opener) {
	s := newSite(t, open(t), sojourn.Config{})
	const n = 400
	var tokens [][]byte
	for range n {
		v := value(s.begin("x"))
		raw, err := base64.RawURLEncoding.DecodeString(v)
		if err != nil || len(raw) != 48 {
			t.Fatalf("%q: %d bytes, %v", v, len(raw), err)
		}
		tokens = append(tokens, raw)
	}
	for bit := range 48 * 8 { // 400 throws of a fair coin are outside 120 to 280 once in 10^15
		ones := 0
		for _, raw := range tokens {
			ones += int(raw[bit/8] >> (bit % 8) & 1)
		}
		if ones < 120 || ones > 280 {
			t.Errorf("bit %d is set in %d of %d tokens", bit, ones, n)
		}
	}
}

// hides tells whether neither text nor base64 of it is in where.
func hides(where []byte, secret string) bool {
	if bytes.Contains(where, []byte(secret)) {
		return false
	}
	for shift := range 3 { // base64 of a text depends on where it begins
		raw := base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat(" ", shift) + secret))
		if bytes.Contains(where, []byte(raw[4:len(raw)-4])) {
			return false
		}
	}
	return true
}

const personal = "Ann Example, 12 High Street, ann@example.com"

func opaque(t *testing.T, open opener) {
	for _, s := range []*site{newSite(t, open(t), sojourn.Config{}), newSealedSite(t, sojourn.Config{})} {
		c := s.begin(personal)
		c = s.post(c, s.login("ann@example.com")).set
		if s.name(c) != personal || s.owner(c) != "ann@example.com" {
			t.Fatal("the session is not there")
		}
		raw, _ := base64.RawURLEncoding.DecodeString(value(c))
		for _, secret := range []string{personal, "ann@example.com"} {
			if !hides([]byte(c), secret) || !hides(raw, secret) {
				t.Errorf("the cookie tells %q", secret)
			}
		}
	}
}

func valuesAreUnreadable(t *testing.T, open opener) {
	c := newSealedSite(t, sojourn.Config{}).begin(personal)
	if raw, _ := base64.RawURLEncoding.DecodeString(value(c)); !hides([]byte(c), personal) || !hides(raw, personal) {
		t.Error("the seal can be read")
	}
	store := open(t)
	s := newSite(t, store, sojourn.Config{EncryptAtRest: true})
	c = s.begin(personal)
	if s.name(c) != personal {
		t.Error("the value does not come back")
	}
	for _, r := range dump(t, store) {
		if !hides(r.Data, personal) {
			t.Error("the store has the value in plain text")
		}
	}
	store = open(t)
	newSite(t, store, sojourn.Config{}).begin(personal)
	if hides(dump(t, store)[0].Data, personal) {
		t.Error("this test does not find a value that is there in plain text")
	}
}

func dumpOpensNothing(t *testing.T, open opener) {
	store := open(t)
	s := newSite(t, store, sojourn.Config{})
	c := s.beginAs("ann")
	all := dump(t, store)
	if len(all) != 1 {
		t.Fatalf("%d records", len(all))
	}
	r := all[0]
	if !hides(r.Data, value(c)[24:]) {
		t.Error("the secret is in the store")
	}
	if secret, _ := base64.RawURLEncoding.DecodeString(value(c)[24:]); bytes.Contains(r.Data, secret) {
		t.Error("the bytes of the secret are in the store")
	}
	shown := "__Host-Http-id=" + r.ID
	for i := range len(r.Data) - 30 + 1 { // whatever thirty bytes he takes for the secret
		if s.owner(shown+base64.RawURLEncoding.EncodeToString(r.Data[i:i+30])) != "" {
			t.Fatalf("the bytes from %d on log in", i)
		}
	}
	if s.owner(c) != "ann" {
		t.Error("the owner himself is logged out by it")
	}
}

func secretIsVerified(t *testing.T, open opener) {
	s := newSite(t, open(t), sojourn.Config{})
	c := []byte(s.beginAs("ann"))
	for i := len("__Host-Http-id="); i < len(c); i++ {
		was := c[i]
		c[i] = 'A' + (was+1)%26
		if c[i] != was && s.owner(string(c)) != "" {
			t.Errorf("with another character %d it is still ann's", i)
		}
		c[i] = was
	}
	if s.owner(string(c)) != "ann" {
		t.Error("nobody can log in")
	}
}

func oneIntendedPlace(t *testing.T, open opener) {
	store := open(t)
	web := newSite(t, store, sojourn.Config{})
	token := value(web.beginAs("ann"))
	r := request("POST", "")
	r.URL.RawQuery = "__Host-Http-id=" + token + "&id=" + token + "&jsessionid=" + token
	r.URL.Path = "/;__Host-Http-id=" + token
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Session-Token", token)
	r.PostForm = map[string][]string{"__Host-Http-id": {token}, "id": {token}}
	web.send(r, func(_ http.ResponseWriter, r *http.Request) {
		if o := web.Info(r.Context()).Owner; o != "" {
			t.Errorf("logged in as %q without a cookie", o)
		}
	})
	api := newSite(t, store, sojourn.Config{Header: "Authorization"})
	if o := api.owner("__Host-Http-id=" + token); o != "" {
		t.Errorf("where a header is meant, a cookie logs in %q", o)
	}
}

func neverAdopted(t *testing.T, open opener) {
	s := newSite(t, open(t), sojourn.Config{})
	for _, forged := range []string{
		"__Host-Http-id=" + strings.Repeat("A", 64),
		"__Host-Http-id=" + value(s.begin("x"))[:24] + strings.Repeat("A", 40),
	} {
		was := s.saw(sojourn.EventTokenRefused, "token_unknown")
		a := s.post(forged, s.login("ann"))
		if a.set == "" || value(a.set)[:24] == value(forged)[:24] {
			t.Errorf("after a login under %q the cookie is %q", forged, a.set)
		}
		if s.owner(forged) != "" {
			t.Error("the forged token is live")
		}
		if s.saw(sojourn.EventTokenRefused, "token_unknown") == was {
			t.Error("nothing is told of it")
		}
	}
}

func validatedFirst(t *testing.T, open opener) {
	n := &counted{Store: open(t)}
	s := newSite(t, n, sojourn.Config{})
	good := value(s.begin("x"))
	n.loads = 0
	for _, bad := range []string{
		"x", good[:63], good + "A", good[:63] + "=", good[:63] + "é", good[:63] + "\x00", strings.Repeat("A", 9000), good[:24],
		`"` + good[:62] + `"`, "' OR 1=1 --", strings.Repeat("\xff", 64), good[:63] + "%", "<script>alert(1)</script>",
	} {
		a := s.post("__Host-Http-id="+bad, func(_ http.ResponseWriter, r *http.Request) { name.Get(r.Context()) })
		if n.loads != 0 || a.Code != 200 || a.set != "" {
			t.Errorf("%.20q: %d loads, status %d, cookie %q", bad, n.loads, a.Code, a.set)
		}
		if said := a.Body.String() + s.log.String(); len(bad) > 24 && strings.Contains(said, bad) || strings.Contains(said, "OR 1=1") {
			t.Errorf("%.20q is repeated", bad)
		}
	}
}

func severalOfAName(t *testing.T, open opener) {
	n := &counted{Store: open(t)}
	s := newSite(t, n, sojourn.Config{})
	stale, mine, planted := s.begin("x"), s.beginAs("ann"), s.beginAs("mallory")
	s.post(stale, s.logout)
	if o := s.owner(stale + "; " + mine); o != "ann" {
		t.Errorf("behind a stale cookie: %q", o)
	}
	if o := s.owner(mine + "; " + planted); o != "" || s.saw(sojourn.EventTokenRefused, "token_ambiguous") == 0 {
		t.Errorf("two live ones: %q", o)
	}
	var many []string
	for i := range 100 {
		many = append(many, "__Host-Http-id="+strings.Repeat(string(rune('a'+i%26)), 63)+string(rune('A'+i/26)))
	}
	n.loads = 0
	if s.owner(strings.Join(many, "; ")); n.loads > 4 {
		t.Errorf("a hundred cookies cost %d loads", n.loads)
	}
}

func eachGuessIsTold(t *testing.T, open opener) {
	s := newSite(t, open(t), sojourn.Config{})
	for i := range 50 {
		s.name("__Host-Http-id=" + strings.Repeat("A", 62) + string(rune('a'+i%26)) + string(rune('a'+i/26)))
	}
	if got := s.saw(sojourn.EventTokenRefused, "token_unknown"); got != 50 {
		t.Errorf("of fifty guesses %d are told", got)
	}
}

var sealedChecks = map[string]check{
	"O19": everyBit,
	"O31": everyBit,
	"O26": chunksTogether,
	"C9":  chunksTogether,
	"V9":  audience,
	"V11": keysChange,
}

func everyBit(t *testing.T, _ opener) {
	s := newSealedSite(t, sojourn.Config{})
	c := s.beginAs("ann")
	raw, err := base64.RawURLEncoding.DecodeString(value(c))
	if err != nil {
		t.Fatal(err)
	}
	if s.owner(c) != "ann" {
		t.Fatal("nobody can log in")
	}
	for bit := range len(raw) * 8 {
		raw[bit/8] ^= 1 << (bit % 8)
		if s.owner("__Host-Http-id="+base64.RawURLEncoding.EncodeToString(raw)) != "" {
			t.Errorf("bit %d can be altered", bit)
		}
		raw[bit/8] ^= 1 << (bit % 8)
	}
}

func chunksTogether(t *testing.T, _ opener) {
	s := newSealedSite(t, sojourn.Config{})
	mine := strings.Split(s.begin(strings.Repeat("x", 10_000)), "; ")
	yours := strings.Split(s.begin(strings.Repeat("y", 10_000)), "; ")
	if len(mine) < 2 || len(mine) > 4 || len(yours) != len(mine) {
		t.Fatalf("%d and %d cookies", len(mine), len(yours))
	}
	read := func(c []string) int { return len(s.name(strings.Join(c, "; "))) }
	backwards := slices.Clone(mine)
	slices.Reverse(backwards)
	if read(mine) != 10_000 || read(backwards) != 10_000 {
		t.Error("the whole set is not read")
	}
	for i := range mine {
		if n := read(slices.Delete(slices.Clone(mine), i, i+1)); n != 0 {
			t.Errorf("without cookie %d it is a session of %d bytes", i, n)
		}
		mixed := slices.Clone(mine)
		mixed[i] = yours[i]
		if n := read(mixed); n != 0 {
			t.Errorf("with another's cookie %d it is a session of %d bytes", i, n)
		}
		a, _, _ := strings.Cut(mine[i], "=")
		b, _, _ := strings.Cut(mine[(i+1)%len(mine)], "=")
		swapped := slices.Clone(mine)
		swapped[i], swapped[(i+1)%len(mine)] = a+"="+value(mine[(i+1)%len(mine)]), b+"="+value(mine[i])
		if n := read(swapped); n != 0 {
			t.Errorf("with %s and %s swapped it is a session of %d bytes", a, b, n)
		}
	}
	shorter := s.post(strings.Join(mine, "; "), put("z"))
	if n := len(shorter.Header()["Set-Cookie"]); n != len(mine) || !shorter.expired {
		t.Errorf("a shorter session leaves pieces of the longer: %d lines for %d cookies", n, len(mine))
	}
}

func audience(t *testing.T, _ opener) {
	key := sealed.GenerateKey()
	here := newSealedSite(t, sojourn.Config{Purpose: "shop"}, key)
	c := here.beginAs("ann")
	if here.owner(c) != "ann" {
		t.Fatal("nobody can log in")
	}
	for what, there := range map[string]*site{
		"another purpose": newSealedSite(t, sojourn.Config{Purpose: "bank"}, key),
		"another name":    newSealedSite(t, sojourn.Config{Cookie: sojourn.Cookie{Name: "__Host-other"}}, key),
		"another key":     newSealedSite(t, sojourn.Config{Purpose: "shop"}),
	} {
		if o := there.owner(there.Policy().Cookie.Name + "=" + value(c)); o != "" {
			t.Errorf("under %s it is %q", what, o)
		}
	}
}

func keysChange(t *testing.T, _ opener) {
	old, next := sealed.GenerateKey(), sealed.GenerateKey()
	ring, err := sealed.New([]string{old}, sealed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	seals := map[string]bool{}
	for range 100 {
		text, err := ring.Seal(nil, []byte("x"), nil)
		if err != nil || seals[string(text)] {
			t.Fatalf("one text is sealed alike twice: a nonce came again; %v", err)
		}
		seals[string(text)] = true
	}
	before := newSealedSite(t, sojourn.Config{}, old)
	c := before.begin("x")
	during := newSealedSite(t, sojourn.Config{}, next, old)
	a := during.post(c, put("y"))
	after := newSealedSite(t, sojourn.Config{}, next)
	if during.name(c) != "x" || after.name(a.set) != "y" || after.name(c) != "" {
		t.Errorf("during the change %q, behind it %q, the old seal %q", during.name(c), after.name(a.set), after.name(c))
	}
	for _, bad := range []string{"", "short", strings.Repeat("A", 43)} {
		if _, err := sealed.New([]string{bad}, sealed.Options{}); err == nil || errors.Is(err, sojourn.ErrNotFound) {
			t.Errorf("the key %q is taken", bad)
		}
	}
}
