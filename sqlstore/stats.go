package sqlstore

import "database/sql"

// Stats are counts since New, for metrics. They are of this Store, but for Pool.
type Stats struct {
	// Loads are those of Load. SQLite has no exchange to share there, so nothing is counted.
	Loads Sharing

	// Saves are those of Update. On SQLite, where what costs is to make a transaction last, they are those of
	// Create and Touch too.
	Saves Sharing

	// Repeats counts what was asked once more: after a lock, a deadlock, a serialization failure or the end of a
	// connection, or alone after a failure of those who shared an exchange.
	Repeats uint64

	// Pool is what the *sql.DB says of itself, of everybody who uses it: WaitCount and WaitDuration tell who
	// has waited for a connection, and for how long in all.
	Pool sql.DBStats
}

// A Sharing counts exchanges with the server that are over, and their callers.
type Sharing struct {
	Exchanges uint64
	Callers   uint64 // Callers/Exchanges share one on average
	Shared    uint64 // of the Callers: those who were not alone in it
}

// Stats answers the counts as they are now. It asks nothing of the server, and does no allocation.
func (s *Store) Stats() Stats {
	return Stats{Loads: s.loads.stats(), Saves: s.saves.stats(), Repeats: s.repeats.Load(), Pool: s.db.Stats()}
}

func (g *group[T]) stats() Sharing {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.shares
}

// add counts an exchange of n callers.
func (s *Sharing) add(n int) {
	s.Exchanges++
	s.Callers += uint64(n)
	if n > 1 {
		s.Shared += uint64(n)
	}
}
