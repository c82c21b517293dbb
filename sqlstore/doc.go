// Package sqlstore keeps sessions in a table of MySQL or MariaDB, PostgreSQL or SQLite, over
// database/sql and whichever driver the application has imported.
//
// The table is the one that users of alexedwards/scs have, and is used as it stands:
//
//	CREATE TABLE sessions (token CHAR(43) PRIMARY KEY, data BLOB NOT NULL, expiry TIMESTAMP(6) NOT NULL);
//	CREATE INDEX sessions_expiry_idx ON sessions (expiry);
//
// on PostgreSQL with TEXT, BYTEA and TIMESTAMPTZ, on SQLite with TEXT, BLOB and REAL. That much
// serves [sojourn.Store] and [sojourn.Sweeper]. Listing and ending the sessions of one owner wants
// one column and one small table more, which [Store.Migrate] adds; it also makes the table where
// there is none.
//
// What is in the columns, byte by byte, which statements run, and on which servers all this was
// tested, is in docs/sqlstore.md.
package sqlstore
