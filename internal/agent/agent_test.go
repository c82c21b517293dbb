package agent_test

import (
	"strings"
	"testing"

	"github.com/gosojourn/sojourn/internal/agent"
)

func TestFamilies(t *testing.T) {
	for _, c := range []struct{ agent, browser, system string }{
		{"", "", ""},
		{"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "firefox", "linux"},
		{"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36", "chrome", "windows"},
		{"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0", "edge", "windows"},
		{"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 OPR/120.0.0.0", "opera", "windows"},
		{"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15", "safari", "apple"},
		{"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1", "safari", "apple"},
		{"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/138.0.7204.53 Mobile/15E148 Safari/604.1", "chrome", "apple"},
		{"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/140.0 Mobile/15E148 Safari/605.1.15", "firefox", "apple"},
		{"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile Safari/537.36", "chrome", "linux"},
		{"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36", "samsung", "linux"},
		{"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36", "chrome", "chromeos"},
		{"Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko", "explorer", "windows"},
		{"curl/8.14.1", "curl", ""},
		{"Shop 4 (my phone)", "shop", ""},
	} {
		if browser, system := agent.Families(c.agent); browser != c.browser || system != c.system {
			t.Errorf("%q is %q on %q, want %q on %q", c.agent, browser, system, c.browser, c.system)
		}
	}
}

// What a client says of itself is told from its own words alone, and a longer version number changes nothing.
func FuzzFamilies(f *testing.F) {
	f.Add("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	f.Add("/")
	f.Add(" \x00a/ Edg")
	f.Fuzz(func(t *testing.T, text string) {
		browser, system := agent.Families(text)
		if len(browser) > 3*len(text)+10 {
			t.Errorf("%q: a browser of %d bytes", text, len(browser))
		}
		if strings.ContainsAny(browser, "/ ") {
			t.Errorf("%q: the browser %q has more than a name", text, browser)
		}
		if b, s := agent.Families(text + "9"); system != s || browser != b && strings.Contains(text, "/") {
			t.Errorf("%q is %q on %q, and with another digit %q on %q", text, browser, system, b, s)
		}
	})
}
