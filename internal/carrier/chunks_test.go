package carrier

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gosojourn/sojourn/internal/token"
)

// room is how much of a text all cookies of c hold.
func room(c *Carrier) (n int) {
	for i := range c.Chunks {
		n += MaxCookie - len(c.chunkName(i)) - tagLen
	}
	return n - 1
}

// text is a text of n characters that is not the same all along.
func text(n int, seed byte) string {
	r := rand.New(rand.NewChaCha8([32]byte{seed}))
	b := make([]byte, n)
	for i := range b {
		b[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[r.IntN(64)]
	}
	return string(b)
}

func shownPairs(t testing.TB, c *Carrier, text string) (pairs []string) {
	t.Helper()
	parts, err := c.split(text)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range parts {
		pairs = append(pairs, c.chunkName(i)+"="+p)
	}
	return pairs
}

// V3.3.5, C8: name and value fill a cookie to the byte and never beyond, and one byte more than all of
// them hold is refused.
func TestChunksFillTheirCookies(t *testing.T) {
	c := seals()
	most, first := room(c), MaxCookie-len(c.Name)-1
	for length, count := range map[int]int{minText: 1, first: 1, first + 1: 2, most - 1: 4, most: 4} {
		whole := text(length, 1)
		parts, err := c.split(whole)
		if err != nil || len(parts) != count || parts[0][0] != byte('0'+count) {
			t.Errorf("%d bytes: %d cookies, %v; want %d", length, len(parts), err, count)
			continue
		}
		for i, p := range parts {
			if n := len(c.chunkName(i)) + len(p); n > MaxCookie || i+1 < len(parts) && n != MaxCookie {
				t.Errorf("%d bytes: cookie %d of %d has %d bytes", length, i, len(parts), n)
			}
		}
		if s := c.Seals(cookie(shownPairs(t, c, whole)...)); s.N != 1 || s.Texts[0] != whole || s.Malformed {
			t.Errorf("%d bytes are not found again", length)
		}
	}
}

func TestWhatFitsNoCookies(t *testing.T) {
	c := seals()
	most, first := room(c), MaxCookie-len(c.Name)-1
	_, err := c.split(text(most+1, 1))
	if !errors.Is(err, ErrTooLarge) || !strings.Contains(err.Error(), "16306 bytes when sealed, 4 cookies hold 16305") || most != 16305 {
		t.Errorf("one byte too many of %d: %v", most, err)
	}
	one := cookies()
	if _, err := one.split(text(first, 1)); err != nil {
		t.Error(err)
	}
	if _, err := one.split(text(first+1, 1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("two cookies where one is allowed: %v", err)
	}
}

// Duplicates of another path or domain, and what an older session has left, in any order: what is
// found is the same.
func TestSealsDoNotDependOnTheOrder(t *testing.T) {
	c := seals()
	one, two, single := text(9000, 1), text(9000, 2), text(100, 3)
	pairs := slices.Concat(shownPairs(t, c, one), shownPairs(t, c, two), shownPairs(t, c, single),
		shownPairs(t, c, text(16000, 4))[1:], // left over: its first is gone
		[]string{c.Name + ".1=junk", c.Name + ".1=zzzz" + text(50, 5), c.Name + ".2=", "theme=dark"})
	want := []string{one, two, single}
	slices.Sort(want)
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		r.Shuffle(len(pairs), func(i, j int) { pairs[i], pairs[j] = pairs[j], pairs[i] })
		s := c.Seals(cookie(strings.Join(pairs, "; ")))
		got := slices.Sorted(slices.Values(s.Texts[:s.N]))
		if !slices.Equal(got, want) || !s.Any || s.Malformed {
			t.Fatalf("%d texts, malformed %v", s.N, s.Malformed)
		}
	}
	// A forger's chunk with the tag of a text: still the order decides nothing.
	mine := shownPairs(t, c, one)
	forged := mine[1][:len(c.Name)+3+tagLen] + "forged"
	a := c.Seals(cookie(slices.Concat(mine, []string{forged})...))
	b := c.Seals(cookie(slices.Concat([]string{forged}, mine)...))
	if a != b {
		t.Error("a forged chunk makes the order matter")
	}
}

func TestMalformedSeals(t *testing.T) {
	c := seals()
	good := text(100, 1)
	long := shownPairs(t, c, text(9000, 1))
	for line, want := range map[string]struct {
		n         int
		any, junk bool
	}{
		"":                        {0, false, false},
		"__Host-Http-id=":         {0, false, false},
		"__Host-Http-id=1" + good: {1, true, false},
		"__Host-Http-id=1" + good + "; __Host-Http-id=0": {1, true, true},
		"__Host-Http-id=1short":                          {0, true, true},
		"__Host-Http-id=1" + good + "+":                  {0, true, true},
		"__Host-Http-id=5" + good:                        {0, true, true},
		"__Host-Http-id=2" + good:                        {0, true, true},
		"__Host-Http-id=2tag":                            {0, true, true},
		"__Host-Http-id.1=" + good:                       {0, true, false},
		"__Host-Http-id.4=" + good:                       {0, false, false},
		"__Host-Http-id.0=" + good:                       {0, false, false},
		"__Host-Http-id.11=" + good:                      {0, false, false},
		long[0]:                                          {0, true, true},
		long[0] + "; " + long[1]:                         {0, true, true},
		long[1] + "; " + long[2]:                         {0, true, false},
		long[0] + "; " + long[1] + "; " + long[2]:        {1, true, false},
	} {
		if s := c.Seals(cookie(line)); s.N != want.n || s.Any != want.any || s.Malformed != want.junk {
			t.Errorf("%.60q: %d, any %v, malformed %v", line, s.N, s.Any, s.Malformed)
		}
	}
	h := &Carrier{Header: "X-Session", Chunks: MaxChunks}
	o, err := h.SendSealed(good, false, 0, nil)
	if err != nil || !o.Token() || o.first[0] != "1"+good {
		t.Fatalf("%v, %v", o, err)
	}
	if s := h.Seals(http.Header{"X-Session": {o.first[0], "2" + good}}); s.N != 1 || s.Texts[0] != good || !s.Malformed {
		t.Errorf("in a header: %+v", s)
	}
	if _, err := h.SendSealed(text(maxText+1, 1), false, 0, nil); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too long for a header: %v", err)
	}
}

// A header full of first values of four chunks each must not cost their product, which is minutes.
func TestSealsAreFoundInTwoPasses(t *testing.T) {
	c := seals()
	var b strings.Builder
	for range 40_000 {
		b.WriteString("__Host-Http-id=4" + text(8, byte(b.Len())) + ";__Host-Http-id.1=" + text(8, byte(b.Len())) + ";")
	}
	start := time.Now()
	s := c.Seals(cookie(b.String()))
	if took := time.Since(start); s.N != 0 || took > 10*time.Second {
		t.Errorf("%d texts, %v", s.N, took)
	}
}

// Whatever the header says, at most four texts come out of it, and a session that is all there is found
// among anything else, in any order.
func FuzzSealedCookies(f *testing.F) {
	for _, seed := range []string{"", "a=b", "__Host-Http-id=1" + strings.Repeat("A", 30), "__Host-Http-id.1=x; __Host-Http-id=2" + strings.Repeat("A", 30), "__Host-Http-id=9; __Host-Http-id=0", "__Host-Http-id.3=;;=", "__Host-Http-id=2AAAAx; __Host-Http-id.1=AAAAy" + strings.Repeat("A", 30)} {
		f.Add(seed, 1000)
		f.Add(seed, 9000)
	}
	c := seals()
	f.Fuzz(func(t *testing.T, line string, length int) {
		s := c.Seals(cookie(line))
		for _, text := range s.Texts[:s.N] {
			if len(text) < minText || len(text) > maxText || !token.Base64URL(text) {
				t.Fatalf("text of %d bytes", len(text))
			}
		}
		if strings.Contains(line, "__Host-Http-id") || length < minText || length > 16_000 {
			return
		}
		whole := text(length, 1)
		pairs := shownPairs(t, c, whole)
		back := slices.Clone(pairs)
		slices.Reverse(back)
		for _, h := range []http.Header{cookie(strings.Join(back, "; ") + "; " + line), cookie(append(pairs, line)...)} {
			if s = c.Seals(h); s.N != 1 || s.Texts[0] != whole || s.Malformed {
				t.Fatalf("a session of %d bytes is not found in it", length)
			}
		}
	})
}
