package main

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const hidden = "xxxxx"

// tooShort is the length under which a password is hidden only where it stands in its URL: to take "a" out of every
// word would make each message a riddle that tells it.
const tooShort = 4

// hide has t never write the passwords of the URLs among texts. What parses flags and URLs quotes them in its errors.
func (t *terminal) hide(texts ...string) {
	var all []string
	for _, text := range texts {
		all = append(all, secretsOf(text)...)
	}
	// Of two that begin alike, the longer one first: the shorter would leave its end to be read.
	slices.SortFunc(all, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	var pairs []string
	for _, secret := range all {
		pairs = append(pairs, secret, hidden)
	}
	t.secrets = strings.NewReplacer(pairs...)
}

// secretsOf answers what must not be seen of a text that may be a URL, or a flag with one, in each of its spellings.
// It goes by the text: one that is no URL, for a % or a / in its password, is what errors quote. Any @ may be the one
// that ends the password. What is before an address in brackets is of a DSN of MySQL's.
func secretsOf(text string) (all []string) {
	scheme, rest, ok := strings.Cut(text, ":")
	rest = strings.TrimLeft(rest, "/")
	for at := range len(rest) {
		if rest[at] != '@' {
			continue
		}
		_, password, ok := strings.Cut(rest[:at], ":")
		if !ok && scheme != "" && strings.Contains(rest[at:], "(") {
			password = rest[:at]
		}
		all = append(all, spellings(":", password, "@")...)
	}
	if !ok {
		rest = text
	}
	for _, pair := range strings.FieldsFunc(rest, func(r rune) bool { return strings.ContainsRune("?& ", r) }) {
		name, value, _ := strings.Cut(pair, "=")
		if strings.Contains(strings.ToLower(name), "pass") || strings.Contains(strings.ToLower(name), "pwd") {
			all = append(all, spellings("=", value, "")...)
		}
	}
	return all
}

// spellings are a secret as it was written and as it was meant, and both as errors quote and escape them. A short one
// comes between what is before and after it.
func spellings(before, secret, after string) (all []string) {
	if secret == "" {
		return nil
	}
	texts := []string{secret}
	if meant, err := url.PathUnescape(secret); err == nil {
		texts = append(texts, meant)
	}
	for _, text := range texts {
		user := url.UserPassword("", text).String()
		for _, form := range []string{
			text, inside(strconv.Quote(text)), inside(strconv.QuoteToASCII(text)), hexed(text),
			url.PathEscape(text), url.QueryEscape(text), strings.TrimPrefix(user, ":"),
		} {
			if len(text) < tooShort {
				form = before + form + after
			}
			all = append(all, form)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func inside(quoted string) string { return quoted[1 : len(quoted)-1] }

// hexed is how package time quotes: what is not ASCII byte by byte.
func hexed(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		switch {
		case c == '"' || c == '\\':
			b.WriteString(`\` + string(c))
		case c < ' ' || c >= 0x80:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
