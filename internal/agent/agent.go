// Package agent tells the family of a browser and of its operating system from a User-Agent header (RFC 9110, 10.1.5).
// It knows nothing of sessions.
package agent

import "strings"

// A sign is a part of a User-Agent that gives its family away.
type sign struct{ part, family string }

// browsers has first those that also name the browser which they are built on. Behind the names of iOS are
// browsers that have Apple's engine and their own name.
var browsers = []sign{
	{"Edg/", "edge"}, {"EdgA/", "edge"}, {"EdgiOS/", "edge"}, {"Edge/", "edge"},
	{"OPR/", "opera"}, {"OPX/", "opera"}, {"OPT/", "opera"}, {"Opera", "opera"},
	{"SamsungBrowser/", "samsung"}, {"Vivaldi/", "vivaldi"}, {"YaBrowser/", "yandex"}, {"UCBrowser/", "uc"}, {"DuckDuckGo/", "duckduckgo"},
	{"Firefox/", "firefox"}, {"FxiOS/", "firefox"},
	{"Chrome/", "chrome"}, {"CriOS/", "chrome"}, {"Chromium/", "chrome"},
	{"Trident/", "explorer"}, {"MSIE ", "explorer"},
	{"Safari/", "safari"},
}

// systems are as coarse as a browser that is asked for the desktop's page makes them: an iPad then says Macintosh, and
// an Android phone X11 and Linux.
var systems = []sign{
	{"CrOS", "chromeos"}, {"Windows", "windows"},
	{"iPhone", "apple"}, {"iPad", "apple"}, {"iPod", "apple"}, {"Macintosh", "apple"}, {"Mac OS X", "apple"}, {"Darwin", "apple"},
	{"Android", "linux"}, {"Linux", "linux"}, {"X11", "linux"},
}

// Families returns the families of the browser and of the operating system that userAgent names, without their
// versions. A program that is no browser counts as a family by the name before its first slash, in lower case. "" is an
// operating system that is not known, and a browser where nothing is said.
func Families(userAgent string) (browser, system string) {
	if browser = find(browsers, userAgent); browser == "" {
		name, _, _ := strings.Cut(strings.TrimSpace(userAgent), "/")
		name, _, _ = strings.Cut(name, " ")
		browser = strings.ToLower(name)
	}
	return browser, find(systems, userAgent)
}

func find(signs []sign, text string) string {
	for _, s := range signs {
		if strings.Contains(text, s.part) {
			return s.family
		}
	}
	return ""
}
