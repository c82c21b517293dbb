package sealed

import (
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/vectors.json")

// A vector is a text that every implementation of docs/sealed-format.md opens.
type vector struct {
	What  string `json:"what"`
	Key   string `json:"key"`   // base64url
	Nonce string `json:"nonce"` // hexadecimal
	AD    string `json:"ad"`    // hexadecimal
	Plain string `json:"plain"` // hexadecimal
	Text  string `json:"text"`
}

const vectorsFile = "testdata/vectors.json"

func makeVectors(t *testing.T) (all []vector) {
	keys := []string{"q83vEjRWeJCrze8SNFZ4kAAi3LqYdlQyEP7cuph2VDI", "9Uqz0XLyuVlIuW6JkPQvbrV2hk5OSrqyQm2BxY1VKo8"}
	for i, c := range []struct {
		what, ad, plain string
		o               Options
	}{
		{"plain", "sojourn session 1\x00__Host-id\x00", "bob", Options{}},
		{"no additional data, nothing inside", "", "", Options{}},
		{"all bytes", "ad", func() string {
			var b [256]byte
			for i := range b {
				b[i] = byte(i)
			}
			return string(b[:])
		}(), Options{}},
		{"padded", "ad", "bob\x80\x00", Options{Pad: 32}},
		{"compressed", "ad", strings.Repeat("again and ", 20), Options{Compress: true}},
		{"compressed and padded", "ad", strings.Repeat("again and ", 20), Options{Compress: true, Pad: 32}},
	} {
		r := newRing(t, c.o, keys[i%2])
		var nonce [nonceLen]byte
		for j := range nonce {
			nonce[j] = byte(16*i + j)
		}
		text, err := r.seal(nil, []byte(c.plain), []byte(c.ad), &nonce)
		if err != nil {
			t.Fatal(err)
		}
		h := hex.EncodeToString
		all = append(all, vector{c.what, keys[i%2], h(nonce[:]), h([]byte(c.ad)), h([]byte(c.plain)), string(text)})
	}
	return all
}

// The format does not change: what is in testdata was sealed once and for all. (Only what is compressed
// could be written differently by another version of compress/flate, so that is not compared.)
func TestVectors(t *testing.T) {
	now := makeVectors(t)
	if *update {
		b, err := json.MarshalIndent(now, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(vectorsFile, append(b, '\n'), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	var all []vector
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	if len(all) != len(now) {
		t.Fatalf("%d vectors, want %d", len(all), len(now))
	}
	for i, v := range all {
		ad, _ := hex.DecodeString(v.AD)
		plain, _, err := newRing(t, Options{}, v.Key).Open(nil, []byte(v.Text), ad)
		if err != nil || hex.EncodeToString(plain) != v.Plain {
			t.Errorf("%s: %x, %v", v.What, plain, err)
		}
		if !strings.Contains(v.What, "compressed") && v != now[i] {
			t.Errorf("%s: is sealed as %s now, was %s", v.What, now[i].Text, v.Text)
		}
	}
}

// Another language opens the same texts, from docs/sealed-format.md alone.
func TestVectorsInNode(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("skipped: opening the vectors from JavaScript; it needs node (apt-get install nodejs)")
	}
	out, err := exec.Command(node, "testdata/open.mjs", vectorsFile).CombinedOutput()
	if err != nil || strings.Count(string(out), "opened") != len(makeVectors(t)) {
		t.Errorf("%v\n%s", err, out)
	}
}
