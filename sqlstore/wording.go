package sqlstore

import (
	"fmt"
	"slices"
	"strings"
)

// A wording is a statement as one make of server understands it.
type wording struct {
	sql string

	// The keys are the parameters to be given first, in other places than the statement has them.
	keysAt, keys int
}

func (w wording) order(args []any) []any {
	if w.keysAt == 0 {
		return args
	}
	end := w.keysAt + w.keys
	return slices.Concat(args[w.keysAt:end], args[:w.keysAt], args[end:])
}

// word writes text in every way that the dialect has.
func (w writer) word(text string) []wording {
	text = w.sql(text)
	if w.d.wordings == nil {
		return []wording{plain(text)}
	}
	var all []wording
	for _, f := range w.d.wordings {
		all = append(all, f(text))
	}
	return all
}

func plain(text string) wording { return wording{sql: text} }

// mysql5 waits for whoever holds a lock.
func mysql5(text string) wording {
	return plain(strings.Replace(text, " FOR SHARE NOWAIT", " LOCK IN SHARE MODE", 1))
}

// mariaDB answers at once where a row or the table is locked.
func mariaDB(text string) wording {
	if strings.HasPrefix(text, "SELECT") {
		return plain(strings.Replace(text, " FOR SHARE NOWAIT", " LOCK IN SHARE MODE NOWAIT", 1))
	}
	return plain("SET STATEMENT innodb_lock_wait_timeout=0, lock_wait_timeout=0 FOR " + text)
}

// mysql8 is for MySQL from 8.0.1 on, which has no such words but for a query: one within the statement locks
// the rows first. A save that is shared, and a sweep, pass by those that are locked, and are not told why they
// were not met. Without the LIMIT the query would be merged into the statement, without STRAIGHT_JOIN come
// after it, and it would wait. An INSERT may wait nevertheless (see abandoned). Whatever meets LOCK TABLES waits
// for a second, which is the least that there is to be set.
func mysql8(text string) wording {
	const hint = " /*+ SET_VAR(lock_wait_timeout=1) */ "
	verb, rest, _ := strings.Cut(text, " ")
	table, set := "", ""
	switch verb {
	case "INSERT":
		return plain(verb + hint + rest)
	case "UPDATE":
		table, rest, _ = strings.Cut(rest, " SET ")
		set, rest, _ = strings.Cut(rest, " WHERE ")
		set = " SET " + set
		verb += hint
	case "DELETE":
		table, rest, _ = strings.Cut(strings.TrimPrefix(rest, "FROM "), " WHERE ")
		verb += hint + table + " FROM "
	default:
		return plain(text)
	}
	key, rest, _ := strings.Cut(rest, " AND ")
	column, _, _ := strings.Cut(key, " ")
	n, how := strings.Count(key, "?"), "NOWAIT"
	if n > 1 && !strings.HasPrefix(rest, "owner") { // a revocation passes nobody by
		how = "SKIP LOCKED"
	}
	return wording{
		sql: fmt.Sprintf("%s(SELECT %s AS k FROM %s WHERE %s LIMIT %d FOR UPDATE %s) AS x STRAIGHT_JOIN %s ON %s = x.k%s WHERE %s",
			verb, column, table, key, n, how, table, column, set, rest),
		keysAt: strings.Count(set, "?"), keys: n,
	}
}
