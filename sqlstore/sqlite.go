package sqlstore

import "time"

// SQLite. Its || makes text even of blobs, which loses a byte in a database that is encoded in
// UTF-16, so that a blob is put together in hexadecimal.
//
// Its clock is the host's, and its functions tell milliseconds of that; Go tells microseconds.
var sqlite = dialect{
	name:     "SQLite",
	medium:   "SQLite",
	lasting:  "A power cut loses nothing with synchronous = FULL, which is the default; a database in memory is gone with the process.",
	version:  "SELECT sqlite_version()",
	inside:   true,
	quote:    `"`,
	part:     "substr(data, %d, %d)",
	touched:  "unhex(hex(substr(data, 1, 33)) || hex(?) || hex(substr(data, 58)))",
	bytes:    "?",
	ascii:    "?",
	time:     "?",
	ifNew:    "ON CONFLICT DO NOTHING",
	now:      "?",
	millis:   "(? / 1000)",
	named:    "substr(data, 77, ?)",
	keyed:    "token NOT GLOB '*[^-A-Za-z0-9_]*'",
	nobody:   "x''",
	schema:   "'main'",
	everyone: "x'ff'",

	maxExpiry:   maxMillis,
	maxData:     1<<24 - 1,
	bytesValue:  plainBytes,
	expiryValue: func(s int64) any { return julian(s) },
	nowValues:   func() []any { return []any{time.Now().UnixMicro()} },

	standing: "SELECT '', coalesce((SELECT file FROM pragma_database_list WHERE name = {schema} COLLATE NOCASE), '')",
	raise: "INSERT INTO {owners} (owner, fence, raised) VALUES ({bytes}, {millis}, -1)" +
		" ON CONFLICT (owner) DO UPDATE SET fence = max(fence + 1, excluded.fence), raised = -1",
	endOwned: "DELETE FROM {table} WHERE " + endOwned,

	kind: sqliteKind,

	begin:  "BEGIN IMMEDIATE",
	commit: "COMMIT",
	cancel: "ROLLBACK",
	online: func(text string) string { return text },

	createTable:  "CREATE TABLE IF NOT EXISTS {table} (token TEXT PRIMARY KEY, data BLOB NOT NULL, expiry REAL NOT NULL, owner BLOB)",
	createOwners: "CREATE TABLE IF NOT EXISTS {owners} (owner BLOB PRIMARY KEY, fence INTEGER NOT NULL, raised INTEGER NOT NULL DEFAULT 0)",
	indexExpiry:  "CREATE INDEX {expiryindex} ON {indexed} (expiry)",
	indexOwner:   "CREATE INDEX {ownerindex} ON {indexed} (owner, token) WHERE owner IS NOT NULL",
	addOwner:     "ALTER TABLE {table} ADD COLUMN owner BLOB",
	addRaised:    "ALTER TABLE {owners} ADD COLUMN raised INTEGER NOT NULL DEFAULT 0",
	finish:       "INSERT INTO {owners} (owner, fence) VALUES ({nobody}, 1) {ifnew}",
	finished:     "SELECT COUNT(*) FROM {owners} WHERE owner = {nobody}",
	columns:      "SELECT lower(name), lower(type), 0, \"notnull\" AND dflt_value IS NULL AND pk = 0 FROM pragma_table_info({name}, {schema})",
	shape: "SELECT coalesce(max(CASE type WHEN 'view' THEN 'a view' WHEN 'virtual' THEN 'a virtual table' ELSE '' END), '')" +
		" FROM pragma_table_list WHERE schema = {schema} AND name = {name} COLLATE NOCASE",
	relations: "SELECT count(*) FROM {schema}.sqlite_schema WHERE name = ? COLLATE NOCASE AND tbl_name <> {name} COLLATE NOCASE",
	indexes: `SELECT coalesce((SELECT lower(i.name) FROM pragma_index_info(l.name, {schema}) i WHERE i.seqno = 0), ''),` +
		` l."unique" AND NOT l.partial, (SELECT count(*) FROM pragma_index_info(l.name, {schema})), l.name, 0` +
		` FROM pragma_index_list({name}, {schema}) l`,
	ownerType: "blob",
	dropNeed:  "ALTER TABLE {table} DROP COLUMN {column}",
	freeOwner: "make the table anew: DROP TABLE {table}, and call Migrate",
	unique:    "CREATE UNIQUE INDEX {default} ON {table} ({column})",
	inMemory:  "SELECT COUNT(*) FROM pragma_database_list WHERE name = 'main' AND file = ''",
	writable:  "let this process write the file and its folder, and take mode=ro, immutable and query_only out of the DSN",
	wants:     []want{{column: "token"}, {column: "data"}, {column: "expiry"}}, // a type there refuses nothing
	settings: []setting{
		{"PRAGMA busy_timeout", 1, "busy_timeout is 0, so that a writer fails at once while another writes: set it for every connection, in the DSN: _pragma=busy_timeout(5000) for modernc.org/sqlite, _busy_timeout=5000 for mattn/go-sqlite3", false},
		{"PRAGMA synchronous", 1, "synchronous is OFF, so that a power cut may damage the file, or bring back sessions that were ended: take it out of the DSN, or say FULL", false},
		{"SELECT count(*) FROM pragma_function_list WHERE name = 'unhex'", 1, "SQLite is older than 3.41: use a newer driver", true},
	},
}

// julian is the Julian day in which the table counts.
func julian(seconds int64) float64 {
	return float64(seconds)/86400 + 2440587.5
}
