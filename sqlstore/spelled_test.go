package sqlstore

import "testing"

func TestF66_SpelledOut(t *testing.T) {
	got, ok := spelled("UPDATE t SET a = ?, b = ?, c = ? WHERE d = ? LIMIT ?", []any{"AZaz09-_", []byte("1f"), nil, int64(-7), 100})
	if want := "UPDATE t SET a = 'AZaz09-_', b = '1f', c = NULL WHERE d = -7 LIMIT 100"; got != want || !ok {
		t.Errorf("%q, %v, want %q", got, ok, want)
	}
	for _, bad := range []any{"a'b", "a\\", "a b", "\xbf", []byte("\x00"), 1.5, true} {
		if got, ok := spelled("SELECT ?", []any{bad}); ok {
			t.Errorf("%q is spelled out: %s", bad, got)
		}
	}
	for _, args := range [][]any{nil, {1, 2}} {
		if _, ok := spelled("SELECT ?", args); ok {
			t.Errorf("%d values for one place", len(args))
		}
	}
}

// Every statement of MySQL can be spelled out for values as they are made: none has a ? of another meaning.
func TestF66_EveryStatementCanBeSpelledOut(t *testing.T) {
	w := mysql.writer(table{"", "sessions"})
	for q, text := range texts {
		for _, x := range w.word(text) {
			n := 0
			for _, c := range x.sql {
				if c == '?' {
					n++
				}
				if c == '"' {
					t.Errorf("%d quotes with a sign that depends on sql_mode: %s", q, x.sql)
				}
			}
			args := make([]any, n)
			for i := range args {
				args[i] = "abc"
			}
			if _, ok := spelled(x.sql, args); !ok {
				t.Errorf("%d: %s", q, x.sql)
			}
		}
	}
}
