package sqlstore

import (
	"context"
	"database/sql"
	"math/bits"

	"github.com/gosojourn/sojourn"
)

// Load returns the record with that id. An id that is unknown, expired or malformed is ErrNotFound, and so
// is a row that another program keeps in the table. (promises 1, 2)
func (s *Store) Load(ctx context.Context, id string) (sojourn.Record, error) {
	if !wellFormed(id) {
		return sojourn.Record{}, sojourn.ErrNotFound
	}
	r, err := s.load(ctx, id)
	if err != nil && err != sojourn.ErrNotFound {
		err = s.failed(ctx, "load", err)
	}
	return r, err
}

func (s *Store) load(ctx context.Context, id string) (sojourn.Record, error) {
	data, err := s.fetch(ctx, id)
	if err == sql.ErrNoRows {
		return sojourn.Record{}, sojourn.ErrNotFound
	} else if err != nil {
		return sojourn.Record{}, err
	}
	r, err := decode(id, data)
	if err == errForeign || err == nil && !live(&r) {
		return sojourn.Record{}, sojourn.ErrNotFound
	} else if err != nil {
		return sojourn.Record{}, err
	}
	return r, nil
}

// fetch reads column data, together with others who come at the same time. SQLite has no exchange to
// share.
func (s *Store) fetch(ctx context.Context, id string) ([]byte, error) {
	if s.brings() {
		return s.fetchAndBring(ctx, id)
	}
	if !s.d.inside {
		if w, err := s.loads.do(ctx, wanted{id: id}); err != errAlone {
			return w.data, err
		}
		s.repeats.Add(1)
	}
	return s.fetchAlone(ctx, id)
}

func (s *Store) fetchAlone(ctx context.Context, id string) (data []byte, err error) {
	passing := func(err error) bool { return s.passing(err) || ended(err) }
	err = s.repeat(ctx, patience, passing, func() error { return s.only(ctx, qLoad, []any{&data}, id) })
	s.gaveUpReading(ctx, err, qLoad, id)
	return data, err
}

// ended reports that PostgreSQL has ended this connection: a restart, a failover, an administrator. The others
// of the pool may be as dead, but a look changes nothing, so another connection is asked. Or MySQL has ended the
// statement alone.
func ended(err error) bool {
	if mysqlNumber(err) == 1317 { // ER_QUERY_INTERRUPTED
		return true
	}
	switch sqlState(err) {
	case "57P01", "57P02", "57P05": // admin_shutdown, crash_shutdown, idle_session_timeout
		return true
	}
	return false
}

type wanted struct {
	id   string
	data []byte
}

// loadsAtOnce is how many share a query: the largest of qLoad2 and so on, each twice the last.
const loadsAtOnce = 32

func (s *Store) fetchAll(ctx context.Context, calls []*call[wanted]) {
	if len(calls) == 1 {
		c := calls[0]
		c.want.data, c.err = s.fetchAlone(ctx, c.want.id)
		return
	}
	q := qLoad + query(bits.Len(uint(len(calls)-1)))
	ids := make([]any, 1<<(q-qLoad))
	for i := range ids {
		ids[i] = calls[min(i, len(calls)-1)].want.id
	}
	for _, c := range calls {
		c.err = sql.ErrNoRows
	}
	err := s.each(ctx, q, ids, func(r *sql.Rows) error {
		var data []byte
		if err := r.Scan(&data); err != nil || len(data) < tagLen {
			return err
		}
		for _, c := range calls {
			// Column token may compare without case: the id in the header is the one that counts.
			if string(data[idAt:tagLen]) == c.want.id {
				c.want.data, c.err = data, nil
			}
		}
		return nil
	})
	if err != nil {
		s.gaveUpReading(ctx, err, q, ids[0])
		tellAll(calls, s.undone(err))
	}
}
