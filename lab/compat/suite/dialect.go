package suite

import (
	"encoding/binary"
	"encoding/json"
	"net/url"
	"strings"
)

// A Dialect is how an application is asked for its pages.
type Dialect struct {
	page func(name, who string) ask
}

// An ask is a request to be.
type ask struct {
	method, path, kind string
	body               string
}

// reads are the pages that are asked for by GET.
var reads = map[string]bool{"home": true, "about": true, "stream": true, "chat": true, "nowhere": true}

// Form is a web application: pages by GET, forms by POST.
var Form = Dialect{page: func(name, who string) ask {
	if reads[name] {
		return ask{method: "GET", path: path(name)}
	}
	return ask{"POST", path(name), "application/x-www-form-urlencoded", url.Values{"name": {who}}.Encode()}
}}

// JSON is an API: the same paths, with bodies in JSON.
var JSON = Dialect{page: func(name, who string) ask {
	a := Form.page(name, who)
	if name == "home" {
		a.path = "/home" // "/" would be any path
	}
	if a.method == "POST" {
		a.kind, a.body = "application/json", ""
		if name == "login" {
			a.body = `{"name":` + quoted(who) + `}`
		}
	}
	return a
}}

// Connect is the Connect protocol: a procedure for each page, GET for those without side effects.
func Connect(service string) Dialect {
	procedures := map[string]string{"home": "Home", "login": "Login", "logout": "Logout", "about": "About", "add": "Add", "slow": "Slow",
		"refuse": "Refuse", "stream": "Stream", "late": "Late", "break": "Break", "breaklater": "BreakLater", "nowhere": "Nowhere"}
	return Dialect{
		page: func(name, who string) ask {
			message := "{}"
			if name == "login" {
				message = quoted(who)
			}
			a := ask{"POST", service + procedures[name], "application/json", message}
			switch name {
			case "home", "about":
				return ask{method: "GET", path: a.path + "?encoding=json&message=" + url.QueryEscape(message)}
			case "nowhere":
				return ask{method: "GET", path: a.path}
			case "stream", "late":
				frame := binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message)))
				a.kind, a.body = "application/connect+json", string(frame)+message
			}
			return a
		},
	}
}

func path(name string) string {
	if name == "home" {
		return "/"
	}
	return "/" + name
}

func quoted(s string) string {
	b, _ := json.Marshal(s)
	return strings.TrimSpace(string(b))
}
