package sqlstore

import (
	"errors"
	"strings"
)

// SQLite. Its || makes text even of blobs, which loses a byte in a database that is encoded in
// UTF-16, so that a blob is put together in hexadecimal.
var sqlite = dialect{
	name:    "SQLite",
	quote:   `"`,
	part:    "substr(data, %d, %d)",
	touched: "unhex(hex(substr(data, 1, 33)) || hex(?) || hex(substr(data, 58)))",
	bytes:   "?",
	ascii:   "?",
	time:    "?",
	ifNew:   "ON CONFLICT DO NOTHING",
	schema:  "'main'",

	maxExpiry:   maxMillis,
	maxData:     1<<24 - 1,
	bytesValue:  plainBytes,
	expiryValue: func(s int64) any { return julian(s) },

	transient: func(err error) bool {
		var coded interface{ Code() int } // modernc.org/sqlite; the low byte is the primary code
		if errors.As(err, &coded) {
			c := coded.Code() & 0xff
			return c == 5 || c == 6 // SQLITE_BUSY, SQLITE_LOCKED
		}
		msg := err.Error() // others have codes of types of their own, and SQLite's messages
		return strings.Contains(msg, "database is locked") || strings.Contains(msg, "database table is locked")
	},
	missing: func(err error) bool {
		msg := err.Error()
		return strings.Contains(msg, "no such table") || strings.Contains(msg, "no such column") || strings.Contains(msg, "has no column named")
	},

	begin:  "BEGIN IMMEDIATE",
	commit: "COMMIT",
	cancel: "ROLLBACK",

	createTable:  "CREATE TABLE IF NOT EXISTS {table} (token TEXT PRIMARY KEY, data BLOB NOT NULL, expiry REAL NOT NULL)",
	createOwners: "CREATE TABLE IF NOT EXISTS {owners} (owner BLOB PRIMARY KEY, fence INTEGER NOT NULL)",
	indexExpiry:  "CREATE INDEX {expiryindex} ON {indexed} (expiry)",
	indexOwner:   "CREATE INDEX {ownerindex} ON {indexed} (owner, token) WHERE owner IS NOT NULL",
	addOwner:     "ALTER TABLE {table} ADD COLUMN owner BLOB",
	finish:       "INSERT INTO {owners} (owner, fence) VALUES (x'', 1) {ifnew}",
	finished:     "SELECT COUNT(*) FROM {owners} WHERE owner = x''",
	columns:      "SELECT lower(name), lower(type), 0 FROM pragma_table_info({name}, {schema})",
	indexes: `SELECT coalesce((SELECT lower(i.name) FROM pragma_index_info(l.name, {schema}) i WHERE i.seqno = 0), ''),` +
		` l."unique" AND NOT l.partial, (SELECT count(*) FROM pragma_index_info(l.name, {schema}))` +
		` FROM pragma_index_list({name}, {schema}) l`,
	ownerType: "blob",
	wants:     []want{{column: "token"}, {column: "data"}, {column: "expiry"}}, // a type there refuses nothing
	settings: []setting{
		{"PRAGMA busy_timeout", 1, "busy_timeout is 0, so that a writer fails at once while another writes: set it for every connection, in the DSN: _pragma=busy_timeout(5000) for modernc.org/sqlite, _busy_timeout=5000 for mattn/go-sqlite3"},
		{"SELECT count(*) FROM pragma_function_list WHERE name = 'unhex'", 1, "SQLite is older than 3.41: use a newer driver"},
	},
}

// julian is the Julian day in which the table counts.
func julian(seconds int64) float64 {
	return float64(seconds)/86400 + 2440587.5
}
