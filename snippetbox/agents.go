package main

import (
	"net/http"
	"strings"

	"github.com/gosojourn/sojourn"
)

// device is what a session remembers of the browser that logged in, for its person to know it by.
func device(r *http.Request) sojourn.Device {
	agent := r.UserAgent()
	return sojourn.Device{Addr: address(r), Agent: agent[:min(len(agent), 255)], Label: label(agent, r.Header.Get("Sec-Ch-Ua"))}
}

// A hint is a word by which something is recognised. The order counts: nearly every browser calls
// itself by its ancestors' names as well.
type hint struct{ word, name string }

var browsers = []hint{
	{"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"}, {"Vivaldi/", "Vivaldi"},
	{"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"}, {"CriOS/", "Chrome"}, {"Chrome/", "Chromium"},
	{"Safari/", "Safari"}, {"curl/", "curl"},
}

// brands tell apart those that the User-Agent header calls alike (Sec-CH-UA).
var brands = []hint{{`"Google Chrome"`, "Chrome"}, {`"Brave"`, "Brave"}}

var systems = []hint{
	{"Windows", "Windows"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"},
	{"CrOS", "ChromeOS"}, {"Mac OS X", "macOS"}, {"Linux", "Linux"},
}

// label is a browser and where it runs, such as "Firefox on Android".
func label(agent, brand string) string {
	browser := first(browsers, agent)
	if browser == "Chromium" {
		if b := first(brands, brand); b != "" {
			browser = b
		}
	}
	if browser == "" {
		browser = "Unknown device"
	}
	if system := first(systems, agent); system != "" {
		return browser + " on " + system
	}
	return browser
}

func first(hints []hint, text string) string {
	for _, h := range hints {
		if strings.Contains(text, h.word) {
			return h.name
		}
	}
	return ""
}
