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
	name:    "MySQL",
	quote:   "`",
	part:    "SUBSTRING(data, %d, %d)",
	touched: "INSERT(data, 34, 24, ?)",
	bytes:   "UNHEX(?)",
	ascii:   "?",
	time:    "FROM_UNIXTIME(?)",
	schema:  "DATABASE()",
	marked:  "FROM_UNIXTIME(0 * LAST_INSERT_ID(IF(LAST_INSERT_ID() ^ ? < 65536, LAST_INSERT_ID(), 0) | ?) + ?)",

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

	transient: func(err error) bool {
		switch mysqlNumber(err) {
		case 1020, // ER_CHECKREAD, MariaDB: another transaction was faster
			1205, // ER_LOCK_WAIT_TIMEOUT
			1213, // ER_LOCK_DEADLOCK
			1615: // ER_NEED_REPREPARE
			return true
		}
		return false
	},
	missing: func(err error) bool {
		n := mysqlNumber(err)
		return n == 1054 || n == 1146 // ER_BAD_FIELD_ERROR, ER_NO_SUCH_TABLE
	},
	duplicate: func(err error) bool { return mysqlNumber(err) == 1062 }, // ER_DUP_ENTRY

	lock:   "SELECT GET_LOCK(CONCAT('sojourn ', SHA1(CONCAT({schema}, '.', {name}))), 10)",
	commit: "DO RELEASE_LOCK(CONCAT('sojourn ', SHA1(CONCAT({schema}, '.', {name}))))",
	cancel: "DO RELEASE_LOCK(CONCAT('sojourn ', SHA1(CONCAT({schema}, '.', {name}))))",

	createTable: "CREATE TABLE IF NOT EXISTS {table} (token CHAR(43) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY," +
		" data BLOB NOT NULL, expiry TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)) ENGINE=InnoDB",
	createOwners: "CREATE TABLE IF NOT EXISTS {owners} (owner VARBINARY(255) PRIMARY KEY, fence BIGINT NOT NULL) ENGINE=InnoDB",
	indexExpiry:  "CREATE INDEX {expiryindex} ON {indexed} (expiry)",
	indexOwner:   "CREATE INDEX {ownerindex} ON {indexed} (owner)",
	addOwner:     "ALTER TABLE {table} ADD COLUMN owner VARBINARY(255) NULL DEFAULT NULL",
	finish:       "INSERT INTO {owners} (owner, fence) VALUES (UNHEX(''), 1)",
	finished:     "SELECT COUNT(*) FROM {owners} WHERE owner = UNHEX('')",
	columns: "SELECT LOWER(COLUMN_NAME), LOWER(DATA_TYPE), COALESCE(CHARACTER_MAXIMUM_LENGTH, 0)" +
		" FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = {schema} AND TABLE_NAME = {name}",
	indexes: "SELECT LOWER(MAX(CASE WHEN SEQ_IN_INDEX = 1 THEN COLUMN_NAME END)), MAX(CASE WHEN NON_UNIQUE = 0 THEN 1 ELSE 0 END), COUNT(*)" +
		" FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = {schema} AND TABLE_NAME = {name} GROUP BY INDEX_NAME",
	ownerType: "varbinary",
	wants: []want{
		{"token", []string{"char", "varchar", "varbinary"}, idLen, "ALTER TABLE {table} MODIFY token CHAR(43) NOT NULL"},
		{"data", []string{"blob", "mediumblob", "longblob"}, 1<<16 - 1, "ALTER TABLE {table} MODIFY data BLOB NOT NULL"},
		{"expiry", []string{"timestamp", "datetime"}, 0, "ALTER TABLE {table} MODIFY expiry TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)"},
	},
	settings: []setting{
		{"SELECT @@autocommit", 1, "autocommit is off, so that nothing written would stay: take it out of the DSN or the server's configuration"},
		{"SELECT @@max_allowed_packet", 1 << 18, "max_allowed_packet is less than 256 kB: raise it, because data travels in hexadecimal"},
	},
	clock:  "SELECT UNIX_TIMESTAMP()",
	packet: "SELECT @@max_allowed_packet",
}

// mysqlEnd is the last second of a TIMESTAMP, 2038-01-19 03:14:07 UTC.
const mysqlEnd = 1<<31 - 1
