package sqlstore

import (
	"strings"

	"github.com/gosojourn/sojourn"
)

var _ sojourn.Durable = (*Store)(nil)

// Durability says what the database promises, and what only its settings do. It asks the database nothing. MaxBytes
// is what the column of the documented table holds beside the longest owner, until Check or Migrate has seen a larger one.
func (s *Store) Durability() sojourn.Durability {
	return sojourn.Durability{
		Medium: s.d.medium + ", table " + strings.TrimPrefix(s.w.t.schema+"."+s.w.t.name, "."), Restart: sojourn.OutlivesRestart, Shared: true,
		MaxBytes: int(s.room.Load()) - ownerAt - maxOwner, Notes: []string{s.d.lasting},
	}
}
