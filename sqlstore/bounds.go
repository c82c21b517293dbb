package sqlstore

import (
	"fmt"
	"time"

	"github.com/gosojourn/sojourn"
)

// prepare checks that all of r fits, because a server that is not strict would cut it short, and
// answers its column values.
func (s *Store) prepare(op string, r *sojourn.Record) (data []byte, expiry any, err error) {
	switch {
	case !wellFormed(r.ID):
		return nil, nil, fmt.Errorf("sqlstore: %s: ID is not %d characters of base64url: %w", op, idLen, sojourn.ErrRefused)
	case r.Version == 0 || r.Version > maxVersion:
		return nil, nil, fmt.Errorf("sqlstore: %s: Version is 0 or longer than 48 bits: %w", op, sojourn.ErrRefused)
	case len(r.Owner) > maxOwner:
		return nil, nil, fmt.Errorf("sqlstore: %s: Owner is %d bytes long, %d fit: %w", op, len(r.Owner), maxOwner, sojourn.ErrRefused)
	}
	ms, seen, err := s.times(op, r)
	if err != nil {
		return nil, nil, err
	}
	room := int(s.room.Load()) - ownerAt - len(r.Owner)
	if len(r.Data) > room {
		return nil, nil, fmt.Errorf("sqlstore: %s: %d bytes, %d fit: %w", op, len(r.Data), room, sojourn.ErrTooLarge)
	}
	return encode(r, ms, seen), s.column(ms), nil
}

// times checks the two times of r and answers them in milliseconds.
func (s *Store) times(op string, r *sojourn.Record) (expiry, seen int64, err error) {
	expiry, ok := millis(r.Expiry)
	if !ok || expiry > s.d.maxExpiry {
		return 0, 0, fmt.Errorf("sqlstore: %s: Expiry (%s) is out of range: %s goes from 1970 to %s: %w",
			op, r.Expiry.UTC().Format(time.RFC3339), s.d.name, time.UnixMilli(s.d.maxExpiry).UTC().Format(time.RFC3339), sojourn.ErrRefused)
	}
	if seen, ok = millis(r.Seen); !ok {
		return 0, 0, fmt.Errorf("sqlstore: %s: Seen (%s) is out of range: from 1970 to %s: %w",
			op, r.Seen.UTC().Format(time.RFC3339), time.UnixMilli(maxMillis).UTC().Format(time.RFC3339), sojourn.ErrRefused)
	}
	return expiry, seen, nil
}

// column is what column expiry is given for a record that expires at ms: never earlier than that.
func (s *Store) column(ms int64) any { return s.d.expiryValue((ms+999)/1000 + columnLag) }

// owner is what column owner is given: NULL while anonymous.
func (s *Store) owner(r *sojourn.Record) any {
	if r.Owner == "" {
		return nil
	}
	return s.d.bytesValue([]byte(r.Owner))
}
