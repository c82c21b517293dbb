package faults

import (
	"flag"
	"testing"
	"time"

	"github.com/gosojourn/sojourn/lab/harness"
)

var (
	soak    = flag.Duration("soak", 0, "how long each fault lasts, all of them; 0: some, for a moment each")
	expired = flag.Int("rows", 0, "how many expired rows are swept; 0: 2,000,000, or 5,000 without -soak")
)

// A row is a fault. Its name is what the page has, and what -run takes after TestFaults/.
type row struct {
	name, done string // and what was done
	long       bool   // only with -soak
	lossy      bool   // acknowledged writes may be lost: it is the server that forgets them
	forgets    bool   // all of them
	open       func(t *testing.T) *scene
}

const (
	powerCut  = "the server is killed, and started again"
	takeover  = "the primary is cut off and killed; the replica takes over"
	inTurn    = "three processes behind a round-robin proxy are replaced in turn; the second is killed"
	atOnce    = "four processes sweep rows that have expired"
	bothWays  = "two others lock most rows, each in another order"
	noWriting = "the server is told to refuse writes"
	taken     = "others take every connection that the server gives"
	appClock  = "the clock of one of three processes is put %s by five minutes while it serves, and right again"
	itsClock  = "the server's clock is put %s by five minutes, and right again"
)

var rows = append([]row{
	{name: "MariaDB killed", done: powerCut, open: killed(mariaDB)},
	{name: "PostgreSQL killed", done: powerCut, open: killed(postgres)},
	{name: "Redis killed, appendfsync always", done: powerCut, open: killed(redis)},
	{name: "Redis killed, appendfsync everysec", done: powerCut, long: true, open: killed(redisWith("", "--appendonly", "yes", "--appendfsync", "everysec"))},
	{name: "Redis killed, no persistence", done: powerCut, long: true, lossy: true, forgets: true, open: killed(redisWith(""))},
	{name: "Redis Cluster fails over, replicas are waited for", done: takeover, open: failover(1)},
	{name: "Redis Cluster fails over", done: takeover, long: true, lossy: true, open: failover(0)},
	{name: "Redis Sentinel fails over", done: takeover, long: true, lossy: true, open: sentinel},
	{name: "SQLite, both processes killed", done: "both processes that write to the file are killed, and others started", open: sqliteKilled},
	{name: "SQLite, the disk is full", done: "a file of somebody else fills the disk", long: true, open: sqliteFull},
	{name: "PostgreSQL, rolling restart, one process killed", done: inTurn, open: rolling(postgres)},
	{name: "MariaDB, rolling restart, one process killed", done: inTurn, long: true, open: rolling(mariaDB)},
	{name: "Redis, rolling restart, one process killed", done: inTurn, long: true, open: rolling(redis)},
	{name: "MariaDB, four sweepers", done: atOnce, long: true, open: sweepers(mariaDB)},
	{name: "PostgreSQL, four sweepers", done: atOnce, long: true, open: sweepers(postgres)},
	{name: "SQLite, four sweepers", done: atOnce, long: true, open: sweepers(sqlite)},
	{name: "MariaDB, rows locked in two orders", done: bothWays, long: true, open: deadlocks(mariaDB)},
	{name: "PostgreSQL, rows locked in two orders", done: bothWays, long: true, open: deadlocks(postgres)},
}, append(perKind(), perClock()...)...)

// perKind are those that each server knows.
func perKind() (all []row) {
	for _, f := range []struct {
		name, done string
		begin      func(p *harness.Proxy)
	}{
		{"connections refused", "the network closes all connections, new ones at once", (*harness.Proxy).Refuse},
		{"black hole", "the network swallows everything", (*harness.Proxy).BlackHole},
		{"slow", "the network takes 100 ms, either way", func(p *harness.Proxy) { p.Slow(100 * time.Millisecond) }},
		{"half-open connections", "the connections that are there swallow everything; new ones work", (*harness.Proxy).Strand},
		{"replies cut in the middle", "half of each reply comes, then the connection is closed", (*harness.Proxy).HalveReplies},
		{"replies lost", "requests arrive; for a reply the connection is closed", (*harness.Proxy).CutReplies},
	} {
		for _, k := range []kind{mariaDB, postgres, redis} {
			all = append(all, row{name: k.name + ", " + f.name, done: f.done, long: k.name != "Redis" || f.name == "slow" || f.name == "replies lost", open: network(k, f.begin)})
		}
	}
	for _, k := range []kind{mariaDB, postgres, redis} {
		all = append(all, row{name: k.name + ", read-only", done: noWriting, long: k.name != "Redis", open: readOnly(k)},
			row{name: k.name + ", no connection left", done: taken, long: true, open: full(k)})
	}
	return all
}
