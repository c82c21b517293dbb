// Package sqlstore keeps sessions in a table of MySQL or MariaDB, PostgreSQL or SQLite. It uses database/sql
// and any driver that the application imports.
//
// The table is the one that users of alexedwards/scs have. It is used as it is:
//
//	CREATE TABLE sessions (token CHAR(43) PRIMARY KEY, data BLOB NOT NULL, expiry TIMESTAMP(6) NOT NULL);
//	CREATE INDEX sessions_expiry_idx ON sessions (expiry);
//
// On PostgreSQL the types are TEXT, BYTEA and TIMESTAMPTZ, on SQLite TEXT, BLOB and REAL. This table is
// enough for [sojourn.Store] and [sojourn.Sweeper]. To list and end the sessions of one owner takes one more
// column and a small second table. [Store.Migrate] adds them, and makes the table where there is none.
//
// docs/sqlstore.md has the columns byte by byte, the statements that run, and the servers on which all this
// was tested.
package sqlstore
