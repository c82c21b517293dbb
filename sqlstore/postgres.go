package sqlstore

// PostgreSQL. A key that is taken is told by the number of rows, whatever a driver makes of errors.
var postgres = dialect{
	name:     "Postgres",
	quote:    `"`,
	numbered: true,
	part:     "substring(data FROM %d FOR %d)",
	touched:  "overlay(data PLACING ?::bytea FROM 34)",
	bytes:    "?::bytea",
	ascii:    "?::bytea",
	time:     "to_timestamp(?::bigint)",
	ifNew:    "ON CONFLICT DO NOTHING",
	schema:   "current_schema()",

	returning: " RETURNING {tag}",

	maxExpiry:   maxMillis,
	maxData:     1<<24 - 1,
	bytesValue:  plainBytes,
	expiryValue: plainSeconds,

	transient: func(err error) bool {
		switch sqlState(err) {
		case "40001", // serialization_failure
			"40P01", // deadlock_detected
			"55P03": // lock_not_available: lock_timeout
			return true
		}
		return false
	},
	missing: func(err error) bool {
		state := sqlState(err)
		return state == "42703" || state == "42P01" // undefined_column, undefined_table
	},

	// The lock is the transaction's: behind a pooler nothing else stays on one connection.
	begin:  "BEGIN ISOLATION LEVEL READ COMMITTED",
	lock:   "SELECT 1 FROM pg_advisory_xact_lock(hashtext('sojourn'), hashtext({name}))",
	commit: "COMMIT",
	cancel: "ROLLBACK",

	createTable:  "CREATE TABLE IF NOT EXISTS {table} (token TEXT PRIMARY KEY, data BYTEA NOT NULL, expiry TIMESTAMPTZ NOT NULL)",
	createOwners: "CREATE TABLE IF NOT EXISTS {owners} (owner BYTEA PRIMARY KEY, fence BIGINT NOT NULL)",
	indexExpiry:  "CREATE INDEX {expiryindex} ON {indexed} (expiry)",
	indexOwner:   "CREATE INDEX {ownerindex} ON {indexed} (owner, token) WHERE owner IS NOT NULL",
	addOwner:     "ALTER TABLE {table} ADD COLUMN owner BYTEA",
	finish:       "INSERT INTO {owners} (owner, fence) VALUES (''::bytea, 1) {ifnew}",
	finished:     "SELECT COUNT(*) FROM {owners} WHERE owner = ''::bytea",
	columns: "SELECT a.attname::text, t.typname::text, CASE WHEN a.atttypmod > 4 THEN a.atttypmod - 4 ELSE 0 END" +
		" FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid" +
		" WHERE a.attrelid = to_regclass('{table}') AND a.attnum > 0 AND NOT a.attisdropped",
	indexes: "SELECT a.attname::text, CASE WHEN i.indisunique AND i.indpred IS NULL THEN 1 ELSE 0 END, i.indnatts" +
		" FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]" +
		" WHERE i.indrelid = to_regclass('{table}') AND i.indisvalid",
	ownerType: "bytea",
	wants: []want{
		{"token", []string{"text", "varchar", "bpchar", "citext"}, idLen, "ALTER TABLE {table} ALTER COLUMN token TYPE TEXT"},
		{"data", []string{"bytea"}, 0, "ALTER TABLE {table} ALTER COLUMN data TYPE BYTEA USING data::bytea"},
		{"expiry", []string{"timestamptz"}, 0, "ALTER TABLE {table} ALTER COLUMN expiry TYPE TIMESTAMPTZ"},
	},
	clock: "SELECT extract(epoch FROM clock_timestamp())::bigint",
}
