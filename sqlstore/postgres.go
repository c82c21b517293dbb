package sqlstore

import "strings"

// PostgreSQL. A key that is taken is told by the number of rows, whatever a driver makes of errors.
//
// A statement sets lock_timeout (in ms) for itself: a setting that is local ends with the transaction, and a
// condition that does not depend on the row is met before any row is.
var postgres = dialect{
	name:     "Postgres",
	medium:   "PostgreSQL",
	lasting:  "A crash of the server loses nothing with synchronous_commit and fsync on, which are the defaults; a failover may lose what a standby did not have.",
	version:  "SELECT current_setting('server_version')",
	quote:    `"`,
	numbered: true,
	part:     "substring(data FROM %d FOR %d)",
	touched:  "overlay(data PLACING ?::bytea FROM 34)",
	bytes:    "?::bytea",
	ascii:    "?::bytea",
	time:     "to_timestamp(?::bigint)",
	ifNew:    "ON CONFLICT DO NOTHING",
	now:      "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint",
	number:   "?::bigint",
	wait:     "(SELECT set_config('lock_timeout', '2', true)) <> '' AND ",
	free:     " FOR SHARE NOWAIT",
	millis:   "(extract(epoch FROM clock_timestamp()) * 1000)::bigint",
	named:    "substring(data FROM 77 FOR ?::int)",
	give:     "SELECT ",
	given:    " WHERE (SELECT set_config('lock_timeout', '2', true)) <> ''",
	keyed:    "token::text COLLATE \"C\" ~ '^[-A-Za-z0-9_]*$'",
	nobody:   "''::bytea",
	everyone: "decode('ff', 'hex')",
	schema:   "current_schema()",

	returning: " RETURNING {tag}",

	maxExpiry:   maxMillis,
	maxData:     1<<24 - 1,
	bytesValue:  plainBytes,
	expiryValue: plainSeconds,

	standing: "SELECT current_setting('transaction_isolation'), current_database()::text",
	raise:    "UPDATE {owners} SET fence = GREATEST(fence + 1, {millis}), raised = -1 WHERE owner = {bytes}",
	endOwned: "DELETE FROM {table} WHERE " + endOwned,
	unseen:   true,

	kind: postgresKind,

	// The lock is the transaction's: behind a pooler nothing else stays on one connection.
	begin: "BEGIN ISOLATION LEVEL READ COMMITTED",
	// It is not waited for inside the server: an index that is built concurrently waits for whoever waits there.
	lock:   "SELECT CASE WHEN pg_try_advisory_xact_lock(hashtext('sojourn'), hashtext({name})) THEN 1 ELSE 0 END",
	brief:  "SET LOCAL lock_timeout = '100ms'",
	commit: "COMMIT",
	cancel: "ROLLBACK",
	online: func(text string) string {
		return strings.Replace(strings.Replace(text, "CREATE INDEX", "CREATE INDEX CONCURRENTLY", 1), "DROP INDEX", "DROP INDEX CONCURRENTLY", 1)
	},
	apart: true,

	createTable:  "CREATE TABLE IF NOT EXISTS {table} (token TEXT PRIMARY KEY, data BYTEA NOT NULL, expiry TIMESTAMPTZ NOT NULL, owner BYTEA)",
	createOwners: "CREATE TABLE IF NOT EXISTS {owners} (owner BYTEA PRIMARY KEY, fence BIGINT NOT NULL, raised BIGINT NOT NULL DEFAULT 0)",
	indexExpiry:  "CREATE INDEX {expiryindex} ON {indexed} (expiry)",
	indexOwner:   "CREATE INDEX {ownerindex} ON {indexed} (owner, token) WHERE owner IS NOT NULL",
	addOwner:     "ALTER TABLE {table} ADD COLUMN owner BYTEA",
	addRaised:    "ALTER TABLE {owners} ADD COLUMN raised BIGINT NOT NULL DEFAULT 0",
	finish:       "INSERT INTO {owners} (owner, fence) VALUES ({nobody}, 1) {ifnew}",
	finished:     "SELECT COUNT(*) FROM {owners} WHERE owner = {nobody}",
	columns: "SELECT a.attname::text, t.typname::text, CASE WHEN a.atttypmod > 4 THEN a.atttypmod - 4 ELSE 0 END," +
		" CASE WHEN a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' THEN 1 ELSE 0 END" +
		" FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid" +
		" WHERE a.attrelid = to_regclass('{table}') AND a.attnum > 0 AND NOT a.attisdropped",
	shape: "SELECT COALESCE(MAX(CASE relkind WHEN 'r' THEN '' WHEN 'p' THEN 'partitioned' WHEN 'v' THEN 'a view' WHEN 'm' THEN 'a materialized view'" +
		" WHEN 'f' THEN 'a foreign table' ELSE 'no table' END), '') FROM pg_class WHERE oid = to_regclass('{table}')",
	home: "SELECT COALESCE(MAX(n.nspname::text), '') FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass('{table}')",
	relations: "SELECT COUNT(*) FROM pg_class c JOIN pg_class t ON t.relnamespace = c.relnamespace WHERE t.oid = to_regclass('{table}') AND c.relname::text = ?::text" +
		" AND NOT EXISTS (SELECT 1 FROM pg_index i WHERE i.indexrelid = c.oid AND i.indrelid = t.oid)",
	indexes: "SELECT a.attname::text, CASE WHEN i.indisunique AND i.indpred IS NULL THEN 1 ELSE 0 END, i.indnatts, c.relname::text, CASE WHEN i.indisvalid THEN 0 ELSE 1 END" +
		" FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]" +
		" WHERE i.indrelid = to_regclass('{table}')",
	ownerType: "bytea",
	dropNeed:  "ALTER TABLE {table} ALTER COLUMN {column} DROP NOT NULL",
	freeOwner: "ALTER TABLE {table} ALTER COLUMN owner DROP NOT NULL",
	unique:    "ALTER TABLE {table} ADD PRIMARY KEY ({column})",
	policed:   "SELECT CASE WHEN row_security_active(to_regclass('{table}')) THEN 1 ELSE 0 END",
	userConns: "SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user",
	allConns:  "SELECT current_setting('max_connections')::bigint - current_setting('superuser_reserved_connections')::bigint",
	user:      "SELECT quote_ident(current_user::text)",
	writable:  "let the DSN lead to the primary server (target_session_attrs=read-write), or SET default_transaction_read_only = off for the user and the database",

	preparedNames: "SELECT COUNT(*) FROM pg_prepared_statements WHERE statement LIKE '%FROM pg_prepared_statements WHERE statement LIKE%'",
	wants: []want{
		{"token", []string{"text", "varchar", "bpchar", "citext"}, idLen, "ALTER TABLE {table} ALTER COLUMN token TYPE TEXT"},
		{"data", []string{"bytea"}, 0, "ALTER TABLE {table} ALTER COLUMN data TYPE BYTEA USING convert_to(data::text, 'UTF8')"},
		{"expiry", []string{"timestamptz"}, 0, "ALTER TABLE {table} ALTER COLUMN expiry TYPE TIMESTAMPTZ"},
	},
	settings: []setting{
		{"SELECT CASE WHEN COUNT(DISTINCT relnamespace) > 1 THEN 0 ELSE 1 END FROM pg_class WHERE oid IN (to_regclass('{table}'), to_regclass('{owners}'))", 1,
			"tables {table} and {owners} are found in two schemas of the search_path, so that others may have these fences too: name the schema in Options.Table, and call Migrate", false},
		{"SELECT CASE WHEN EXISTS (SELECT 1 FROM pg_class WHERE oid = to_regclass('{table}') AND relpersistence = 'u') THEN 0 ELSE 1 END", 1,
			"table {table} is UNLOGGED, so that a crash empties it: ALTER TABLE {table} SET LOGGED", false},
	},
}
