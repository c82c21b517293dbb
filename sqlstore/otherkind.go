package sqlstore

import (
	"context"
	"fmt"
)

// otherKind says that the database is not of the kind that New was told, if it is not; what it answers to
// statements written for another kind would not tell anybody. Call it when such a statement has failed with err.
func (s *Store) otherKind(ctx context.Context, err error) error {
	if ctx.Err() != nil || s.is(ctx, s.d) {
		return nil
	}
	for _, d := range []Dialect{MySQL, Postgres, SQLite} {
		if t := d.traits(); t != s.d && s.is(ctx, t) {
			return fmt.Errorf("the database is %s, and New was told %s (%w): give New sqlstore.%[1]s, or open the database that you mean", d, s.d.name, discreet(err))
		}
	}
	return nil // it does not answer at all, or is none that is known here
}

// is reports that the database understands what only those of kind d do.
func (s *Store) is(ctx context.Context, d *dialect) bool {
	var version string
	return s.db.QueryRowContext(ctx, d.version).Scan(&version) == nil
}
