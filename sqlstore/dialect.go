package sqlstore

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// A Dialect is the kind of database behind a *sql.DB.
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
	name   string
	inside bool // the database is in this process: no exchange to share, and one writer at a time

	medium  string // for people
	lasting string // a sentence: what its settings decide of durability

	version string // a statement that answers one text, and that no other kind of database understands

	// Fragments of SQL, see texts.
	quote    string
	numbered bool   // parameters are $1, $2 instead of question marks
	part     string // format: bytes of data, from (counted from 1) and how many
	touched  string // data with the header's two times replaced by a parameter
	bytes    string
	ascii    string
	time     string
	ifNew    string // makes an INSERT of a key that is taken affect no row
	now      string // microseconds since 1970 by the database's clock, whatever the session's time zone is
	number   string // a parameter that is one, where the database does not see that by itself
	wait     string // begins a condition: says that a lock is not waited for
	free     string // ends a SELECT: it meets what nobody has locked, or is told so at once
	millis   string // milliseconds since 1970 by the database's clock
	named    string // so many bytes of data as a parameter says, from the owner on
	give     string // before the values of an INSERT
	given    string // and after them
	keyed    string // a condition: token is of characters that ours are of, and padding
	nobody   string // the empty owner, whose fence says that the index is complete
	everyone string // whose fence is everybody's
	schema   string // of a table that is named without one

	// How an UPDATE tells which rows it has met, and not only how many.
	returning string // its last clause, answers the new tags
	marked    string // like time, and leaves a mark in Result.LastInsertId

	// wordings are the ways to write a statement, of which a server understands the first or a later one:
	// see statements. None: as it stands.
	wordings []func(text string) wording

	// For what was given up and goes on, see abandoned. "": the driver sees to it, or nothing waits.
	running string // answers the connections that run a statement with this text in it
	end     string // before the number of such a one: ends the statement

	// Values.
	maxExpiry   int64 // milliseconds since 1970
	maxData     int   // bytes in column data, unless Check or Migrate finds room for more
	bytesValue  func([]byte) any
	expiryValue func(seconds int64) any
	nowValues   func() []any // the parameters of now
	rowsChanged bool         // rows affected may be those changed, not those found

	// What RevokeTx runs in the application's transaction, see there.
	standing string // answers its level, where not each will do, and the database that it is of
	raise    string // raises a fence
	endOwned string // deletes an owner's sessions
	unseen   bool   // a row that is not committed is not met by free, and a fence has to have one before

	kind func(error) kind

	// Migrate and Check.
	begin, lock    string // on one connection: begin is executed, then lock must answer 1; "": neither
	brief          string // executed then: nothing waits long for a lock of the table
	self           string // answers the number of this connection
	queues         string // answers 1 if the connection of that number waits for a lock of a table
	commit, cancel string
	online         func(text string) string // of an index that is made or dropped beside the traffic
	apart          bool                     // which is then no part of a transaction
	createTable    string
	createOwners   string
	indexExpiry    string
	indexOwner     string
	addOwner       string
	addRaised      string // to the table of fences
	finish         string // writes that all rows are in the owner index
	finished       string // answers whether they are
	columns        string // of a table: name, type, length or 0, 1 if each row must be given a value
	shape          string // of a table: "", "partitioned", or what else it is
	home           string // of a table: the schema that it was found in; "": there is one place to look
	relations      string // counts what else has a name that an index of a table is to have; "": it may have it too
	indexes        string // of a table: first column, 1 if unique, number of columns, name, 1 if broken
	ownerType      string // of column owner, as columns answers it
	wants          []want
	settings       []setting
	packet         string // the longest packet, where that limits data
	dropNeed       string // frees {column} from the need to be filled
	freeOwner      string // lets column owner be NULL
	unique         string // makes {column} of {table} unique
	policed        string // answers 1 if policies decide which rows of a table this user sees and writes
	userConns      string // answers how many connections the server gives this user; less than 1: any number
	allConns       string // and how many it gives to all
	inMemory       string // answers 1 if the database is
	user           string // answers who we are, as GRANT wants it
	writable       string // what to do about a server that takes no writes
	preparedMax    string // how many statements may be prepared
	preparedNow    string // a name, and how many are
	preparedNames  string // counts those that this connection has prepared to run this query
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
	unfit bool // nothing is saved so
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
