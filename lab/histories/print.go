package histories

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// String is o without its times.
func (o Op) String() string {
	asked := o.Do
	for _, s := range []string{o.Value, o.Whom} {
		if s != "" {
			asked += " " + s
		}
	}
	told := o.Text
	switch {
	case o.Outcome != Done:
		told = strings.TrimSpace(string(o.Outcome) + " " + o.Why)
	case o.Do == "who":
		told = fmt.Sprintf("owner %q, mark %q", o.Owner, o.Mark)
	}
	if o.Shown != "" || o.Sent != "" {
		asked = strings.TrimSpace(short(o.Shown) + " " + asked)
		if o.Sent != "" {
			told = strings.TrimSpace(told + " now " + short(o.Sent))
		}
	}
	if told == "" {
		return asked
	}
	return asked + ": " + told
}

// short tells tokens apart without showing them: enough of the secret part for that, and no more.
func short(token string) string {
	if len(token) <= 28 {
		return token[:min(len(token), 6)]
	}
	return token[:4] + "/" + token[24:28]
}

// Print is the history as text, a line for each deed in the order of the calls.
func Print(ops []Op) string {
	ops = slices.Clone(ops)
	slices.SortFunc(ops, func(a, b Op) int { return cmp.Compare(a.Call, b.Call) })
	var b strings.Builder
	for _, o := range ops {
		fmt.Fprintf(&b, "%9s .. %-9s client %d, process %d: %s\n", millis(o.Call), millis(o.Return), o.Client, o.Process, o)
	}
	return b.String()
}

func millis(n int64) string { return fmt.Sprintf("%.2fms", float64(n)/float64(time.Millisecond)) }
