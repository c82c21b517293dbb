package sqlstore

import (
	"errors"
	"reflect"
	"strings"
)

// A kind is what an error says about the statement that met it. Only of untold it is not known whether
// it was applied; after all others it was not.
type kind int

const (
	untold  kind = iota
	lost         // against somebody else: another try may do
	locked       // by somebody else, for now: another try may do
	refused      // by the database as it is now (read-only, full, no right), whatever was to be written
	unfit        // a value does not fit, so this statement never will do
	taken        // the key of an INSERT is there
	missing      // there is no such column or table
	syntax       // the server does not know these words: it is of another make
)

func mysqlKind(err error) kind { return mysqlKinds[mysqlNumber(err)] }

// Too many connections (1040, 1203) or statements (1461) a later call may not meet, and of files that were
// not written (1026, 1030) nobody knows what is in them: these are untold.
var mysqlKinds = map[int]kind{
	1020: lost,   // ER_CHECKREAD, MariaDB: another transaction was faster
	1213: lost,   // ER_LOCK_DEADLOCK
	1615: lost,   // ER_NEED_REPREPARE
	1205: locked, // ER_LOCK_WAIT_TIMEOUT
	3572: locked, // ER_LOCK_NOWAIT

	1021: refused, // ER_DISK_FULL
	1036: refused, // ER_OPEN_AS_READONLY
	1037: refused, // ER_OUTOFMEMORY
	1041: refused, // ER_OUT_OF_RESOURCES
	1044: refused, // ER_DBACCESS_DENIED_ERROR
	1045: refused, // ER_ACCESS_DENIED_ERROR
	1114: refused, // ER_RECORD_FILE_FULL
	1142: refused, // ER_TABLEACCESS_DENIED_ERROR
	1143: refused, // ER_COLUMNACCESS_DENIED_ERROR
	1227: refused, // ER_SPECIFIC_ACCESS_DENIED_ERROR
	1290: refused, // ER_OPTION_PREVENTS_STATEMENT: read_only
	1698: refused, // ER_ACCESS_DENIED_NO_PASSWORD_ERROR
	1792: refused, // ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION
	1836: refused, // ER_READ_ONLY_MODE
	1665: refused, // ER_BINLOG_STMT_MODE_AND_ROW_ENGINE: a binary log by statement does not take it
	1874: refused, // ER_INNODB_READ_ONLY
	3098: refused, // ER_BEFORE_DML_VALIDATION_ERROR: group replication wants a primary key

	1048: unfit, // ER_BAD_NULL_ERROR
	1118: unfit, // ER_TOO_BIG_ROWSIZE
	1153: unfit, // ER_NET_PACKET_TOO_LARGE
	1264: unfit, // ER_WARN_DATA_OUT_OF_RANGE
	1265: unfit, // WARN_DATA_TRUNCATED
	1292: unfit, // ER_TRUNCATED_WRONG_VALUE
	1305: unfit, // ER_SP_DOES_NOT_EXIST: a trigger's
	1356: unfit, // ER_VIEW_INVALID
	1364: unfit, // ER_NO_DEFAULT_FOR_FIELD
	1366: unfit, // ER_TRUNCATED_WRONG_VALUE_FOR_FIELD
	1406: unfit, // ER_DATA_TOO_LONG
	1442: unfit, // ER_CANT_UPDATE_USED_TABLE_IN_SF_OR_TRG
	1449: unfit, // ER_NO_SUCH_USER: who made a trigger is gone
	1451: unfit, // ER_ROW_IS_REFERENCED_2
	1452: unfit, // ER_NO_REFERENCED_ROW_2
	1644: unfit, // ER_SIGNAL_EXCEPTION: a trigger's
	3819: unfit, // ER_CHECK_CONSTRAINT_VIOLATED
	4025: unfit, // ER_CONSTRAINT_FAILED, MariaDB

	1054: missing, // ER_BAD_FIELD_ERROR
	1146: missing, // ER_NO_SUCH_TABLE
	1062: taken,   // ER_DUP_ENTRY
	1064: syntax,  // ER_PARSE_ERROR
}

// mysqlNumber finds the number in an error of MySQL's driver, which has it in a field: a struct,
// or a pointer to one, with Number uint16.
func mysqlNumber(err error) int {
	for ; err != nil; err = errors.Unwrap(err) {
		v := reflect.Indirect(reflect.ValueOf(err))
		if v.Kind() == reflect.Struct {
			if f := v.FieldByName("Number"); f.IsValid() && f.Kind() == reflect.Uint16 {
				return int(f.Uint())
			}
		}
		if many, ok := err.(interface{ Unwrap() []error }); ok {
			for _, e := range many.Unwrap() {
				if n := mysqlNumber(e); n != 0 {
					return n
				}
			}
		}
	}
	return 0
}

func postgresKind(err error) kind {
	state := sqlState(err)
	if k, ok := postgresKinds[state]; ok {
		return k
	}
	if len(state) == 5 {
		return postgresKinds[state[:2]]
	}
	return untold
}

// postgresKinds are by SQLSTATE, or by its class.
var postgresKinds = map[string]kind{
	"40001": lost,   // serialization_failure
	"40P01": lost,   // deadlock_detected
	"55P03": locked, // lock_not_available: lock_timeout
	"57014": locked, // query_canceled: a lock_timeout too, where it fires as one lock is had and the next one waited for

	"25006": refused, // read_only_sql_transaction
	"28":    refused, // invalid authorization
	"42501": refused, // insufficient_privilege
	"42809": refused, // wrong_object_type
	"53100": refused, // disk_full
	"53200": refused, // out_of_memory
	"55000": refused, // object_not_in_prerequisite_state: no replica identity, say

	"09":    unfit, // triggered action exception
	"22":    unfit, // data exception
	"23":    unfit, // integrity constraint violation
	"2F":    unfit, // SQL routine exception
	"42883": unfit, // undefined_function: a trigger's
	"44":    unfit, // violation of a view's CHECK OPTION
	"54":    unfit, // program limit exceeded
	"P0":    unfit, // raised by a trigger

	"42703": missing, // undefined_column
	"42P01": missing, // undefined_table
}

// sqlState finds the SQLSTATE in the errors of PostgreSQL's drivers.
func sqlState(err error) string {
	var e interface{ SQLState() string }
	if errors.As(err, &e) {
		return e.SQLState()
	}
	return ""
}

// sqliteKind knows the codes of modernc.org/sqlite, and for other drivers the words of SQLite.
func sqliteKind(err error) kind {
	if err == nil {
		return untold
	}
	msg := err.Error()
	var coded interface{ Code() int }
	if errors.As(err, &coded) {
		if k := sqliteKinds[coded.Code()&0xff]; k != untold { // the low byte is the primary code
			return k
		}
	} else {
		for words, k := range sqliteWords {
			if strings.Contains(msg, words) {
				return k
			}
		}
	}
	if strings.Contains(msg, "no such table") || strings.Contains(msg, "no such column") || strings.Contains(msg, "has no column named") {
		return missing
	}
	return untold
}

var sqliteKinds = map[int]kind{
	5:  locked,  // SQLITE_BUSY
	6:  locked,  // SQLITE_LOCKED
	3:  refused, // SQLITE_PERM
	7:  refused, // SQLITE_NOMEM
	8:  refused, // SQLITE_READONLY
	13: refused, // SQLITE_FULL
	23: refused, // SQLITE_AUTH
	18: unfit,   // SQLITE_TOOBIG
	19: unfit,   // SQLITE_CONSTRAINT
	20: unfit,   // SQLITE_MISMATCH
}

var sqliteWords = map[string]kind{
	"database is locked":       locked,
	"database table is locked": locked,

	"access permission denied":             refused,
	"attempt to write a readonly database": refused,
	"database or disk is full":             refused,
	"not authorized":                       refused,
	"out of memory":                        refused,

	"cannot store":           unfit, // in a STRICT table
	"constraint failed":      unfit,
	"datatype mismatch":      unfit,
	"string or blob too big": unfit,
}
