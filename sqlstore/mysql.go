package sqlstore

import "encoding/hex"

// MySQL and MariaDB.
//
// Bytes travel in hexadecimal: where the connection's character set is not the client's (init_connect
// sets it, say), the server converts even bound parameters, and binary data does not survive that.
// It also leaves nothing to inject where a driver interpolates parameters.
//
// There is no UPDATE that returns rows. But LAST_INSERT_ID(x) is what LAST_INSERT_ID() says from then
// on, within the statement too, and comes back with its result: so each row that is met adds its bit
// to those of the rows before it, if what is there has been left by this statement and by no other.
//
// A key that is taken is told by the error, because INSERT IGNORE would ignore other errors too.
var mysql = dialect{
	name:     "MySQL",
	medium:   "MariaDB or MySQL",
	lasting:  "A crash of the server loses nothing with innodb_flush_log_at_trx_commit = 1, which is the default; a failover may lose what the replica did not have.",
	version:  "SELECT @@version",
	quote:    "`",
	part:     "SUBSTRING(data, %d, %d)",
	touched:  "INSERT(data, 34, 24, ?)",
	bytes:    "UNHEX(?)",
	ascii:    "?",
	time:     "FROM_UNIXTIME(?)",
	now:      "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))",
	free:     " FOR SHARE NOWAIT",
	millis:   "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) DIV 1000)",
	named:    "SUBSTRING(data, 77, ?)",
	keyed:    "CONVERT(token USING ascii) REGEXP '^[-A-Za-z0-9_]* *$'",
	nobody:   "UNHEX('')",
	schema:   "DATABASE()",
	marked:   "FROM_UNIXTIME(0 * LAST_INSERT_ID(IF(LAST_INSERT_ID() ^ ? < 65536, LAST_INSERT_ID(), 0) | ?) + ?)",
	everyone: "UNHEX('FF')",

	maxExpiry: (mysqlEnd - columnLag) * 1000,
	maxData:   1<<16 - 1,
	bytesValue: func(b []byte) any {
		if b == nil {
			return nil
		}
		return hex.EncodeToString(b)
	},
	expiryValue: func(s int64) any { return min(s, mysqlEnd) },
	rowsChanged: true,

	standing: "SELECT '', COALESCE(IF(@@lower_case_table_names = 0, {schema}, LOWER({schema})), '')",
	raise: "INSERT INTO {owners} (owner, fence, raised) VALUES ({bytes}, {millis}, -1)" +
		" ON DUPLICATE KEY UPDATE fence = GREATEST(fence + 1, {millis}), raised = -1",
	// Of a person with many sessions the server would rather read, and lock, the whole table.
	endOwned: "DELETE x FROM {table} AS x FORCE INDEX ({default}) WHERE " + endOwned,

	kind: mysqlKind,

	wordings: []func(string) wording{mariaDB, mysql8, mysql5},

	running: "SELECT ID FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() AND LOCATE(?, INFO) > 0",
	end:     "KILL QUERY ",

	lock:   "SELECT GET_LOCK(CONCAT('sojourn ', SHA2(CONCAT({schema}, '.', {name}), 224)), 10)",
	commit: "DO RELEASE_LOCK(CONCAT('sojourn ', SHA2(CONCAT({schema}, '.', {name}), 224)))",
	cancel: "DO RELEASE_LOCK(CONCAT('sojourn ', SHA2(CONCAT({schema}, '.', {name}), 224)))",

	// From one second on: behind an ALTER that waits, everybody waits. See queueBriefly.
	brief:  "SET SESSION lock_wait_timeout = 1",
	self:   "SELECT CONNECTION_ID()",
	queues: "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = ? AND STATE LIKE 'Waiting for table%lock'",
	online: func(text string) string { return text + " ALGORITHM=INPLACE LOCK=NONE" },

	createTable: "CREATE TABLE IF NOT EXISTS {table} (token CHAR(43) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY," +
		" data BLOB NOT NULL, expiry TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)," +
		" owner VARBINARY(255) NULL DEFAULT NULL) ENGINE=InnoDB",
	createOwners: "CREATE TABLE IF NOT EXISTS {owners} (owner VARBINARY(255) PRIMARY KEY, fence BIGINT NOT NULL, raised BIGINT NOT NULL DEFAULT 0) ENGINE=InnoDB",
	indexExpiry:  "CREATE INDEX {expiryindex} ON {indexed} (expiry)",
	indexOwner:   "CREATE INDEX {ownerindex} ON {indexed} (owner)",
	addOwner:     "ALTER TABLE {table} ADD COLUMN owner VARBINARY(255) NULL DEFAULT NULL",
	addRaised:    "ALTER TABLE {owners} ADD COLUMN raised BIGINT NOT NULL DEFAULT 0",
	finish:       "INSERT INTO {owners} (owner, fence) VALUES ({nobody}, 1)",
	finished:     "SELECT COUNT(*) FROM {owners} WHERE owner = {nobody}",
	columns: "SELECT LOWER(COLUMN_NAME), LOWER(DATA_TYPE), COALESCE(CHARACTER_MAXIMUM_LENGTH, 0)," +
		" IS_NULLABLE = 'NO' AND COLUMN_DEFAULT IS NULL AND EXTRA NOT LIKE '%auto_increment%' AND EXTRA NOT LIKE '% GENERATED%'" +
		" FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = {schema} AND TABLE_NAME = {name}",
	shape: "SELECT COALESCE(MAX(CASE TABLE_TYPE WHEN 'VIEW' THEN 'a view' ELSE '' END), '') FROM information_schema.TABLES WHERE TABLE_SCHEMA = {schema} AND TABLE_NAME = {name}",
	indexes: "SELECT LOWER(MAX(CASE WHEN SEQ_IN_INDEX = 1 THEN COLUMN_NAME END)), MAX(CASE WHEN NON_UNIQUE = 0 THEN 1 ELSE 0 END), COUNT(*), INDEX_NAME, 0" +
		" FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = {schema} AND TABLE_NAME = {name} GROUP BY INDEX_NAME",
	ownerType: "varbinary",
	wants: []want{
		{"token", []string{"char", "varchar", "varbinary"}, idLen, "ALTER TABLE {table} MODIFY token CHAR(43) NOT NULL"},
		{"data", []string{"blob", "mediumblob", "longblob"}, 1<<16 - 1, "ALTER TABLE {table} MODIFY data BLOB NOT NULL"},
		{"expiry", []string{"timestamp", "datetime"}, 0, "ALTER TABLE {table} MODIFY expiry TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)"},
	},
	settings: []setting{
		{"SELECT @@autocommit", 1, "autocommit is off, so that nothing written would stay: take it out of the DSN or the server's configuration", true},
		{"SELECT @@completion_type = 'NO_CHAIN'", 1,
			"completion_type is not NO_CHAIN, so that what is written stays in a transaction: take it out of the DSN or the server's configuration", true},
		{"SELECT @@sql_select_limit >= 32", 1,
			"sql_select_limit is less than 32, so that of sessions that are read together some are not found: take it out of the DSN or the server's configuration", true},
		{"SELECT COUNT(*) = 0 FROM information_schema.TABLES WHERE TABLE_SCHEMA = {schema} AND TABLE_NAME = {name}" +
			" AND ENGINE NOT IN (SELECT ENGINE FROM information_schema.ENGINES WHERE TRANSACTIONS = 'YES')", 1,
			"the engine of table {table} has no transactions, and whoever writes locks out everybody: ALTER TABLE {table} ENGINE=InnoDB", true},
		{"SELECT @@max_allowed_packet", 1 << 18, "max_allowed_packet is less than 256 kB: raise it, because data travels in hexadecimal", false},
	},
	packet:      "SELECT @@max_allowed_packet",
	dropNeed:    "ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT {default}",
	freeOwner:   "ALTER TABLE {table} MODIFY owner VARBINARY(255) NULL DEFAULT NULL",
	unique:      "ALTER TABLE {table} ADD PRIMARY KEY ({column})",
	userConns:   "SELECT @@max_user_connections",
	allConns:    "SELECT @@max_connections",
	user:        "SELECT CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''')",
	writable:    "let the DSN lead to the primary server, or SET GLOBAL read_only = OFF, and no transaction_read_only in the DSN",
	preparedMax: "SELECT @@max_prepared_stmt_count",
	preparedNow: "SHOW GLOBAL STATUS LIKE 'Prepared_stmt_count'",
}

// mysqlEnd is the last second of a TIMESTAMP, 2038-01-19 03:14:07 UTC.
const mysqlEnd = 1<<31 - 1
