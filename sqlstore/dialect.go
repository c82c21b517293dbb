package sqlstore

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// A Dialect names the kind of database behind a *sql.DB.
type Dialect int

const (
	MySQL    Dialect = iota + 1 // and MariaDB
	Postgres                    // PostgreSQL
	SQLite                      // SQLite 3.41 or newer
)

func (d Dialect) String() string {
	if t := d.traits(); t != nil {
		return t.name
	}
	return "Dialect(" + strconv.Itoa(int(d)) + ")"
}

func (d Dialect) traits() *dialect {
	switch d {
	case MySQL:
		return &mysql
	case Postgres:
		return &postgres
	case SQLite:
		return &sqlite
	}
	return nil
}

// A dialect is what differs from one database to the next.
type dialect struct {
	name string

	// Fragments of SQL, see texts.
	quote    string
	numbered bool   // parameters are $1, $2 instead of question marks
	part     string // format: bytes of data, from (counted from 1) and how many
	touched  string // data with the header's two times replaced by a parameter
	bytes    string
	ascii    string
	time     string
	ifNew    string // makes an INSERT of a key that is taken affect no row
	schema   string // of a table that is named without one

	// How an UPDATE tells which rows it has met, and not only how many.
	returning string // its last clause, answers the new tags
	marked    string // like time, and leaves a mark in Result.LastInsertId

	// Values.
	maxExpiry   int64 // milliseconds since 1970
	maxData     int   // bytes in column data, unless Check or Migrate finds room for more
	bytesValue  func([]byte) any
	expiryValue func(seconds int64) any
	rowsChanged bool // rows affected may be those changed, not those found

	// Errors.
	transient func(error) bool // nothing was applied, and another try may succeed
	missing   func(error) bool // there is no such column or table
	duplicate func(error) bool // the key is taken; nil where ifNew tells that

	// Migrate and Check.
	begin, lock    string // on one connection: begin is executed, then lock must answer 1; "": neither
	commit, cancel string
	createTable    string
	createOwners   string
	indexExpiry    string
	indexOwner     string
	addOwner       string
	finish         string // writes that all rows are in the owner index
	finished       string // answers whether they are
	columns        string // of a table: name, type, length or 0
	indexes        string // of a table: first column, 1 if unique, number of columns
	ownerType      string // of column owner, as columns answers it
	wants          []want
	settings       []setting
	clock          string // seconds since 1970
	packet         string // the longest packet, where that limits data
}

// A want is what Check demands of a column.
type want struct {
	column string
	types  []string // nil: any
	length int      // at least, where the type has one
	remedy string   // for another type or length
}

// A setting is a query whose answer must be at least min.
type setting struct {
	query string
	min   int64
	wrong string
}

type table struct{ schema, name string }

// PostgreSQL cuts names at 63 bytes without a word, and names derived from this one are longer.
var validTable = regexp.MustCompile(`^(?:([A-Za-z_][A-Za-z0-9_]{0,49})\.)?([A-Za-z_][A-Za-z0-9_]{0,49})$`)

func parseTable(s string) (table, error) {
	m := validTable.FindStringSubmatch(s)
	if m == nil {
		return table{}, fmt.Errorf("sqlstore: Options.Table (%q) is no table name: use at most 50 letters, digits and underscores, no digit first; a schema and a dot may precede it", s)
	}
	return table{m[1], m[2]}, nil
}

// columnLag is by how many seconds column expiry is later than the header's: where MySQL converts
// from one time zone to another it may be wrong by an hour, in which a clock is put back.
const columnLag = int64(2 * time.Hour / time.Second)

func plainBytes(b []byte) any {
	if b == nil {
		return nil
	}
	return b
}

func plainSeconds(s int64) any { return s }
