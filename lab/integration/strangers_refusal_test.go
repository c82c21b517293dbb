package integration

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/lab/harness"
	"github.com/gosojourn/sojourn/redisstore"
)

// asked counts what a store is asked.
type asked struct {
	sojourn.Store
	loads, updates atomic.Int32
}

func (s *asked) Load(ctx context.Context, id string) (sojourn.Record, error) {
	s.loads.Add(1)
	return s.Store.Load(ctx, id)
}

func (s *asked) Update(ctx context.Context, r sojourn.Record, version uint64) error {
	s.updates.Add(1)
	return s.Store.Update(ctx, r, version)
}

// Refusals: a store to begin sessions in, the same one as it refuses to write, and a word of why.
var refusals = []struct {
	name, word string
	open       func(t *testing.T) (before, refusing sojourn.Store)
}{
	{"MariaDB", "READ ONLY", func(t *testing.T) (sojourn.Store, sojourn.Store) {
		p := onMySQL(t, []string{"parseTime=true"})
		before := p.store(t)
		migrate(t, before)
		p.dsn += "&" + mysqlVariable(t, "transaction_read_only", "tx_read_only") + "=1"
		return before, p.store(t)
	}},
	{"PostgreSQL", "read-only", func(t *testing.T) (sojourn.Store, sojourn.Store) {
		p := onPostgres(t)
		before := p.store(t)
		migrate(t, before)
		sep := "?"
		if strings.Contains(p.dsn, "?") {
			sep = "&"
		}
		p.dsn += sep + "default_transaction_read_only=on"
		return before, p.store(t)
	}},
	{"SQLite", "readonly", func(t *testing.T) (sojourn.Store, sojourn.Store) {
		p := onSQLite(t, usual)
		before := p.store(t)
		migrate(t, before)
		p.dsn += "&_pragma=query_only(1)"
		return before, p.store(t)
	}},
	{"Redis", "OOM", func(t *testing.T) (sojourn.Store, sojourn.Store) {
		c := redisClient(t, nil, harness.StartRedis(t).Addr())
		store := redisStore(t, c, redisstore.Options{})
		return store, &firstTime{Store: store, do: func() {
			if err := c.Do(context.Background(), c.B().Arbitrary("CONFIG", "SET", "maxmemory", "1").Build()).Error(); err != nil {
				t.Error(err)
			}
		}}
	}},
}

// firstTime does something before the first load.
type firstTime struct {
	sojourn.Store
	do func()
}

func (s *firstTime) Load(ctx context.Context, id string) (sojourn.Record, error) {
	if s.do != nil {
		s.do()
		s.do = nil
	}
	return s.Store.Load(ctx, id)
}

// F11: a server that may not write says so once, and its words are in the error and in the event.
func TestF11_ServerRefusesToWrite(t *testing.T) {
	for _, x := range refusals {
		t.Run(x.name, func(t *testing.T) {
			before, refusing := x.open(t)
			cookie := cookieOf(visit(managerOn(t, before, sojourn.Config{}), "POST", "", plusOne))
			var told error
			store := &asked{Store: refusing}
			m := managerOn(t, store, sojourn.Config{OnEvent: func(_ context.Context, e sojourn.Event) {
				if e.Name == sojourn.EventUnavailable {
					told = e.Err
				}
			}})
			var err error
			began := time.Now()
			visit(m, "POST", cookie, func(w http.ResponseWriter, r *http.Request) {
				plusOne(w, r)
				err = m.Commit(r.Context())
			})
			if took := time.Since(began); store.updates.Load() != 1 || store.loads.Load() != 1 || took > 500*time.Millisecond {
				t.Errorf("%d updates and %d loads in %v, want one of each", store.updates.Load(), store.loads.Load(), took)
			}
			if !errors.Is(err, sojourn.ErrRefused) || !sojourn.Unavailable(err) || !strings.Contains(err.Error(), x.word) {
				t.Errorf("Commit: %v", err)
			}
			if told == nil || !strings.Contains(told.Error(), x.word) {
				t.Errorf("the event says %v", told)
			}
		})
	}
}
