package main

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// anID is a session's id that begins with a dash, as one of 64 does: a flag of that shape there is none.
var anID = regexp.MustCompile(`^-[A-Za-z0-9_-]{23}$`)

// tidy lets one dash do for two before a word, and takes an id for what it is where it begins with a dash.
func tidy(args []string) []string {
	end := len(args)
	if i := slices.Index(args, "--"); i >= 0 {
		end = i
	}
	var flags, values []string
	for _, arg := range args[:end] {
		switch {
		case anID.MatchString(arg):
			values = append(values, arg)
		case len(arg) > 2 && arg[0] == '-' && arg[1] != '-':
			flags = append(flags, "-"+arg)
		default:
			flags = append(flags, arg)
		}
	}
	if end < len(args) {
		values = append(values, args[end+1:]...)
	}
	if len(values) == 0 {
		return flags
	}
	return slices.Concat(flags, []string{"--"}, values)
}

// readable refuses what is no UTF-8, without repeating it. The parser of flags would put other characters in its place,
// and so name another owner, file or password.
func readable(told []string) error {
	for _, text := range told {
		if !utf8.ValidString(text) {
			return usage("an argument, or one of %s, is not UTF-8, as all owners, ids and names here are", strings.Join(settings, ", "))
		}
	}
	return nil
}

// mostOwner is how many bytes an owner has at most.
const mostOwner = 255

// ownerFits refuses whom nobody can have logged in as. An empty one is what a script with an empty variable says,
// and must not mean everybody.
func ownerFits(owner *string) error {
	switch {
	case owner == nil:
		return nil
	case *owner == "":
		return usage("--owner is empty: an owner is who is logged in, and a visitor's session has none")
	case len(*owner) > mostOwner:
		return usage("--owner has %d bytes: an owner has %d at most, so nobody is logged in as that", len(*owner), mostOwner)
	}
	return nil
}

// word is text for a terminal: nothing in it moves the cursor or passes for another column.
func word(text string) string {
	if text == "" {
		return "-"
	}
	return strings.Map(func(r rune) rune {
		if !printable(r) {
			return '\uFFFD'
		}
		return r
	}, text)
}
