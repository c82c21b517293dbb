package sqlstore

import (
	"context"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"
)

// What a driver gives up goes on in MySQL: an INSERT has no NOWAIT, waits for another's lock as long as
// innodb_lock_wait_timeout says, and writes then, though nobody has been told. So it is ended there, by a
// connection of the pool that is free for a moment, and nobody waits for that. It is found by what it writes and
// not by its connection's number, which nothing here knows: it cannot be another's, because each write draws
// its version at random, and the connection that it was on has been closed and is no longer of the pool.

// abandoned is what was given up and may still run. A goroutine is there while there is any.
type abandoned struct {
	mu     sync.Mutex
	marks  []string
	ending bool
}

const (
	mostAbandoned = 256                    // more than a pool has connections
	arrival       = 200 * time.Millisecond // within this the server has read what was sent
	endPatience   = time.Second            // for a connection of the pool, which others may want
)

// markOf is in the text of a statement that writes the version and the id of this tag, and in no other.
func markOf(tag []byte) string { return hex.EncodeToString(tag) }

// markOfFence likewise: no two in one millisecond are told apart, which raise the fence of one owner.
func markOfFence(owner string, number int64) string {
	return hex.EncodeToString([]byte(owner)) + "'), " + strconv.FormatInt(number, 10)
}

// gaveUp has the write ended in the server that this mark is in, if it still runs there.
func (s *Store) gaveUp(ctx context.Context, err error, mark string) {
	if s.waits() {
		s.abandon(ctx, err, mark)
	}
}

// gaveUpReading has a SELECT ended that waits for somebody's LOCK TABLES, and would for a day. One of somebody
// else who reads the same may be ended with it: whoever reads asks again then.
func (s *Store) gaveUpReading(ctx context.Context, err error, q query, first any) {
	if value, ok := first.(string); ok && err != nil && s.d.running != "" {
		text, _, _ := strings.Cut(s.words(q).sql, "?")
		s.abandon(ctx, err, text+"'"+value+"'")
	}
}

func (s *Store) abandon(ctx context.Context, err error, mark string) {
	var unsent *notBegun
	if err == nil || ctx.Err() == nil || s.d.running == "" || errors.As(err, &unsent) {
		return
	}
	a := &s.abandoned
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.marks) >= mostAbandoned {
		return // the server ends them in its time
	}
	a.marks = append(a.marks, mark)
	if !a.ending {
		a.ending = true
		go s.endAbandoned()
	}
}

// endAbandoned looks twice for each: what was sent at the last moment is not there at the first.
func (s *Store) endAbandoned() {
	a := &s.abandoned
	var before []string
	for {
		a.mu.Lock()
		marks := a.marks
		a.marks = nil
		if len(marks)+len(before) == 0 {
			a.ending = false
			a.mu.Unlock()
			return
		}
		a.mu.Unlock()
		ctx, cancel := context.WithTimeout(context.Background(), endPatience)
		s.endAll(ctx, append(before, marks...))
		cancel()
		if before = marks; len(before) > 0 {
			time.Sleep(arrival)
		}
	}
}

// endAll does what it can: if the pool has no connection, or the server does not answer, the server has to end
// them by itself.
func (s *Store) endAll(ctx context.Context, marks []string) {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return
	}
	defer conn.Close()
	for _, mark := range marks {
		var ids []int64
		rows, err := conn.QueryContext(ctx, s.d.running, mark)
		if err != nil {
			return
		}
		for rows.Next() {
			var id int64
			if rows.Scan(&id) == nil {
				ids = append(ids, id)
			}
		}
		rows.Close()
		for _, id := range ids {
			// It may have ended by itself: an error says no more than that.
			conn.ExecContext(ctx, s.d.end+strconv.FormatInt(id, 10))
		}
	}
}
