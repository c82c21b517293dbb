package integration

import (
	"context"
	"testing"
	"time"
)

// What the deadline of a call costs where the database is in this process: objects, counted. On a server
// they are lost in the exchange.
func TestSQLiteAllocations(t *testing.T) {
	s := onSQLite(t, usual, sqliteTable).store(t)
	r := create(t, s, newRecord(""))
	bound, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	for _, c := range []struct {
		name  string
		ctx   context.Context
		limit float64
	}{
		{"without an end", context.Background(), 22},
		{"with a deadline", bound, 31},
	} {
		n := testing.AllocsPerRun(500, func() {
			if _, err := s.Load(c.ctx, r.ID); err != nil {
				t.Fatal(err)
			}
		})
		if n > c.limit {
			t.Errorf("a Load %s: %v allocations, at most %v", c.name, n, c.limit)
		}
	}
}
