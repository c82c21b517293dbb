package sqlstore

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// A query is one of the statements that run again and again.
type query int

const (
	qLoad query = iota
	qLoad2
	qLoad4
	qLoad8
	qLoad16
	qLoad32
	qCreate
	qCreateOwned
	qUpdate
	qUpdate2
	qUpdate4
	qUpdate8
	qUpdate16
	qUpdateOwned
	qUpdateOwned2
	qUpdateOwned4
	qUpdateOwned8
	qUpdateOwned16
	qTouch
	qDelete
	qDeleteAny
	qSetOwner
	qListOwner
	qListHeads
	qListAll
	qCount
	qDeleteOwned
	qHeads
	qDeleteBelow
	qLoadFenced
	qFence
	qFreeFence
	qSettle
	qFirstFence
	qRaiseFence
	qOldFences
	qForget
	qExpired
	qExpiredFrom
	qSweep
	qSweepForeign
	qUnfilled
	queries int = iota
)

// batch is how many rows one statement lists or deletes: enough that the exchange is cheap, few
// enough that nobody waits for its locks.
const batch = 100

// texts holds the statements; a dialect fills in what is in braces. A question mark is a parameter.
//
// {bytes}, {ascii} and {time} are parameters of a kind: any bytes; a part of a header; a value for
// column expiry. {tag}, {format}, {id}, {expires}, {fence}, {length} and {head} are parts of column data, as
// header.go has them. What writes does not wait for a lock inside the server: {wait}, {give} and {given}, or
// the words of a make of server (see wordings), see to that. {now} is the time by the database's own clock, in microseconds since 1970.
//
// Every UPDATE assigns expiry: a TIMESTAMP of MySQL that was declared without a default may be ON
// UPDATE CURRENT_TIMESTAMP.
var texts = [queries]string{
	qLoad:        `SELECT data FROM {table} WHERE token = ?`,
	qLoad2:       `SELECT data FROM {table} WHERE token IN ({2})`,
	qLoad4:       `SELECT data FROM {table} WHERE token IN ({4})`,
	qLoad8:       `SELECT data FROM {table} WHERE token IN ({8})`,
	qLoad16:      `SELECT data FROM {table} WHERE token IN ({16})`,
	qLoad32:      `SELECT data FROM {table} WHERE token IN ({32})`,
	qCreate:      `INSERT INTO {table} (token, data, expiry) {give}?, {bytes}, {time}{given} {ifnew}`,
	qCreateOwned: `INSERT INTO {table} (token, data, expiry, owner) {give}?, {bytes}, {time}, {bytes}{given} {ifnew}`,
	qUpdate:      `UPDATE {table} SET data = {bytes}, expiry = {time} WHERE {wait}token = ? AND {tag} = {ascii} AND {expires} > {ascii}`,
	qUpdateOwned: `UPDATE {table} SET data = {bytes}, expiry = {time}, owner = {bytes} WHERE {wait}token = ? AND {tag} = {ascii} AND {expires} > {ascii}`,
	qUpdate2:     updates(2, false),
	qUpdate4:     updates(4, false),
	qUpdate8:     updates(8, false),
	qUpdate16:    updates(16, false),

	qUpdateOwned2:  updates(2, true),
	qUpdateOwned4:  updates(4, true),
	qUpdateOwned8:  updates(8, true),
	qUpdateOwned16: updates(16, true),

	qTouch:     `UPDATE {table} SET data = {touched}, expiry = {time} WHERE {wait}token = ? AND {tag} = {ascii} AND {expires} > {ascii}`,
	qDelete:    `DELETE FROM {table} WHERE {wait}token = ? AND {tag} = {ascii}`,
	qDeleteAny: `DELETE FROM {table} WHERE {wait}token = ? AND {id} = {ascii}`,

	qSetOwner:    `UPDATE {table} SET owner = {bytes}, expiry = expiry WHERE {wait}token = ? AND {tag} = {ascii}`,
	qListOwner:   `SELECT token, data FROM {table} WHERE owner = {bytes} AND token > ? ORDER BY token LIMIT {batch}`,
	qListHeads:   `SELECT token, {head} FROM {table} WHERE owner = {bytes} AND token > ? ORDER BY token LIMIT {batch}`,
	qListAll:     `SELECT token, data FROM {table} WHERE token > ? ORDER BY token LIMIT {batch}`,
	qCount:       `SELECT COUNT(*) FROM {table} WHERE expiry > {time}`,
	qDeleteOwned: `DELETE FROM {table} WHERE {wait}token IN ({keys}) AND owner = {bytes}`,

	qHeads:       `SELECT token, {head} FROM {table} WHERE token > ? ORDER BY token LIMIT {batch}`,
	qDeleteBelow: `DELETE FROM {table} WHERE {wait}token IN ({keys}) AND {format} = {ascii} AND {fence} < {ascii}`,
	qLoadFenced: `SELECT {now}, COALESCE((SELECT fence FROM {owners} WHERE owner = {everyone}), 0),` +
		` COALESCE((SELECT raised FROM {owners} WHERE owner = {everyone}), 0), (SELECT data FROM {table} WHERE token = ?)`,

	qFence:      `SELECT {now}, COALESCE(MAX(fence), 0), COALESCE(MAX(raised), 0) FROM {owners} WHERE owner = {bytes}`,
	qFreeFence:  `SELECT {now}, fence, raised FROM {owners} WHERE owner = {bytes}{free}`,
	qSettle:     `UPDATE {owners} SET raised = CASE WHEN fence = {number} AND raised < 0 THEN {now} ELSE raised END WHERE {wait}owner = {bytes} AND fence >= 0`,
	qFirstFence: `INSERT INTO {owners} (owner, fence, raised) {give}{bytes}, {number}, {now}{given} {ifnew}`,
	qRaiseFence: `UPDATE {owners} SET fence = ?, raised = {now} WHERE {wait}owner = {bytes} AND fence = ?`,
	qOldFences:  `SELECT owner FROM {owners} WHERE fence < ? AND raised < ? AND owner <> {nobody} LIMIT {batch}`,
	qForget:     `DELETE FROM {owners} WHERE {wait}owner = {bytes} AND fence < ? AND raised < ?`,

	qExpired:      `SELECT token, {head} FROM {table} WHERE ` + expired,
	qExpiredFrom:  `SELECT token, {head} FROM {table} WHERE expiry >= {time} AND ` + expired,
	qSweep:        `DELETE FROM {table} WHERE {wait}token IN ({keys}) AND expiry < {time} AND {expires} < {ascii}`,
	qSweepForeign: `DELETE FROM {table} WHERE {wait}token IN ({keys}) AND expiry < {time}`,
	qUnfilled: `SELECT token, {head} FROM {table} WHERE owner IS NULL AND token > ?` +
		` AND {format} = {ascii} AND {length} > {ascii} ORDER BY token LIMIT {batch}`,
}

const expired = `expiry < {time} AND ({format} = {ascii} AND {expires} < {ascii} OR {format} <> {ascii} AND expiry < {time})` +
	` AND {keyed} ORDER BY expiry LIMIT ?`

// updates is n of qUpdate, or of qUpdateOwned, in one statement. MySQL assigns from left to right, so
// data comes last, by which the rows are told apart: column token may compare without case.
func updates(n int, owned bool) string {
	cases := func(column, kind string) string {
		return column + " = CASE {tag}" + strings.Repeat(" WHEN {ascii} THEN "+kind, n) + " END"
	}
	set := cases("expiry", "{marked}")
	if owned {
		set += ", " + cases("owner", "{bytes}")
	}
	tags := strings.TrimSuffix(strings.Repeat("{ascii}, ", n), ", ")
	return "UPDATE {table} SET " + set + ", " + cases("data", "{bytes}") +
		" WHERE {wait}token IN (" + marks(n) + ") AND {tag} IN (" + tags + ") AND {expires} > {ascii}{returning}"
}

// A writer of SQL knows the table and the dialect.
type writer struct {
	d     *dialect
	t     table
	table string // quoted
	fills *strings.Replacer
}

// owners writes about the table of fences.
func (w writer) owners() writer { return w.d.writer(table{w.t.schema, w.t.name + "_owners"}) }

func (d *dialect) writer(t table) writer {
	schema, indexed, indexes := d.schema, t.schema, ""
	if t.schema != "" {
		schema = "'" + t.schema + "'"
	}
	if d == &sqlite { // there the index is named with its schema, and its table without
		indexed, indexes = "", t.schema
	}
	name := d.quoted(t.schema, t.name)
	tag := fmt.Sprintf(d.part, 1, tagLen)
	return writer{d, t, name, strings.NewReplacer(
		"{table}", name,
		"{owners}", d.quoted(t.schema, t.name+"_owners"),
		"{indexed}", d.quoted(indexed, t.name),
		"{expiryindex}", d.quoted(indexes, t.name+"_expiry_idx"),
		"{ownerindex}", d.quoted(indexes, t.name+"_owner_idx"),
		"{schema}", schema,
		"{name}", "'"+t.name+"'",

		"{tag}", tag,
		"{returning}", strings.ReplaceAll(d.returning, "{tag}", tag),
		"{format}", fmt.Sprintf(d.part, formatAt+1, 1),
		"{id}", fmt.Sprintf(d.part, idAt+1, idLen),
		"{expires}", fmt.Sprintf(d.part, expiryAt+1, seenAt-expiryAt),
		"{fence}", fmt.Sprintf(d.part, fenceAt+1, lengthAt-fenceAt),
		"{length}", fmt.Sprintf(d.part, lengthAt+1, ownerAt-lengthAt),
		"{head}", fmt.Sprintf(d.part, 1, headLen),
		"{touched}", d.touched,
		"{bytes}", d.bytes,
		"{ascii}", d.ascii,
		"{time}", d.time,
		"{marked}", cmp.Or(d.marked, d.time),
		"{ifnew}", d.ifNew,
		"{now}", d.now,
		"{number}", cmp.Or(d.number, "?"),
		"{give}", cmp.Or(d.give, "VALUES ("),
		"{given}", cmp.Or(d.given, ")"),
		"{wait}", d.wait,
		"{free}", d.free,
		"{millis}", d.millis,
		"{named}", d.named,
		"{nobody}", d.nobody,
		"{everyone}", d.everyone,
		"{keyed}", d.keyed,
		"{keys}", marks(batch),
		"{2}", marks(2),
		"{4}", marks(4),
		"{8}", marks(8),
		"{16}", marks(16),
		"{32}", marks(32),
		"{batch}", strconv.Itoa(batch),
	)}
}

func marks(n int) string { return strings.TrimSuffix(strings.Repeat("?, ", n), ", ") }

func (d *dialect) quoted(schema, name string) string {
	name = d.quote + name + d.quote
	if schema != "" {
		name = d.quote + schema + d.quote + "." + name
	}
	return name
}

// sql fills the names and fragments into text and numbers its parameters where the dialect wants that.
func (w writer) sql(text string) string {
	text = w.fills.Replace(text)
	if !w.d.numbered {
		return text
	}
	parts := strings.Split(text, "?")
	var b strings.Builder
	for i, p := range parts[:len(parts)-1] {
		b.WriteString(p)
		b.WriteString("$" + strconv.Itoa(i+1))
	}
	b.WriteString(parts[len(parts)-1])
	return b.String()
}
