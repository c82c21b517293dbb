package faults

import (
	"database/sql"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gosojourn/sojourn/lab/harness"
	"github.com/gosojourn/sojourn/lab/histories/serving"
)

// readOnly has the server refuse writes, as one does whose replica has taken over.
func readOnly(k kind) func(t *testing.T) *scene {
	return func(t *testing.T) *scene {
		s, o := k.start(t)
		if r, ok := s.(*harness.RedisServer); ok {
			return &scene{urls: two(t, o), fault: func(lasting time.Duration) {
				r.CLI("REPLICAOF", "127.0.0.1", "1") // where nobody is
				time.Sleep(lasting)
				r.CLI("REPLICAOF", "NO", "ONE")
			}}
		}
		db := harness.Open(t, o.Driver, o.DSN)
		begin, end := []string{"SET GLOBAL read_only = 1"}, []string{"SET GLOBAL read_only = 0"}
		if o.Driver == "pgx" {
			begin = []string{"ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()"}
			end = []string{"SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE", "ALTER SYSTEM RESET default_transaction_read_only", "SELECT pg_reload_conf()"}
		} else { // it does not bind root
			run(t, db, "CREATE USER app", "GRANT ALL ON app.* TO app")
			migrate(t, o)
			o = ofApp(o)
		}
		db.SetMaxOpenConns(1)
		return &scene{urls: two(t, o), fault: func(lasting time.Duration) {
			run(t, db, begin...)
			time.Sleep(lasting)
			run(t, db, end...)
		}}
	}
}

func run(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// full has others take every connection that the server gives, those of the application too.
func full(k kind) func(t *testing.T) *scene {
	return func(t *testing.T) *scene {
		s, o := k.start(t)
		p := harness.NewProxy(t, s.Addr())
		take := taker(t, s, o)
		return &scene{urls: two(t, through(p, o)), fault: func(lasting time.Duration) {
			var taken []func()
			p.Refuse()
			healed := false
			for end := time.Now().Add(lasting); time.Now().Before(end) || !healed; {
				giveBack := take()
				if giveBack != nil {
					taken = append(taken, giveBack)
					continue
				}
				if !healed { // there is none left
					p.Heal()
					healed, end = true, time.Now().Add(lasting)
				}
				time.Sleep(time.Millisecond)
			}
			for _, giveBack := range taken {
				giveBack()
			}
		}}
	}
}

// taker answers what takes one connection, nil if the server gives none.
func taker(t *testing.T, s server, o serving.Order) (take func() (giveBack func())) {
	if r, ok := s.(*harness.RedisServer); ok {
		r.CLI("CONFIG", "SET", "maxclients", "20")
		return func() func() {
			c, err := net.Dial("tcp", s.Addr())
			if err != nil {
				return nil
			}
			_, _ = c.Write([]byte("PING\r\n"))
			if b := make([]byte, 1); !answers(c, b) || b[0] != '+' {
				c.Close()
				return nil
			}
			return func() { c.Close() }
		}
	}
	db := harness.Open(t, o.Driver, o.DSN)
	if o.Driver == "mysql" {
		run(t, db, "SET GLOBAL max_connections = 20")
	}
	db.SetMaxIdleConns(-1)
	return func() func() {
		c, err := db.Conn(t.Context())
		if err != nil {
			return nil
		}
		return func() { c.Close() }
	}
}

func answers(c net.Conn, b []byte) bool {
	_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
	n, err := c.Read(b)
	return err == nil && n > 0
}

// deadlocks has two others lock most rows again and again, each in the order that the other one dislikes: the server
// makes one of them give up, or a save of the application.
func deadlocks(k kind) func(t *testing.T) *scene {
	return func(t *testing.T) *scene {
		_, o := k.start(t)
		urls := two(t, o)
		db := harness.Open(t, o.Driver, o.DSN)
		return &scene{urls: urls, fault: func(lasting time.Duration) {
			end := time.Now().Add(lasting)
			var all sync.WaitGroup
			var whole, gaveUp atomic.Int64
			from := "sessions WHERE token "
			if o.Driver == "mysql" { // else it locks what it passes by, from the first row on, and one row past the last
				from = "sessions FORCE INDEX (PRIMARY) WHERE token "
			}
			for _, halves := range [][]string{{from + "< 'M'", from + ">= 'U'"}, {from + ">= 'U'", from + "< 'M'"}} {
				all.Go(func() {
					for time.Now().Before(end) || gaveUp.Load() == 0 {
						if err := lockAll(db, halves); err != nil {
							gaveUp.Add(1)
						} else {
							whole.Add(1)
						}
						time.Sleep(10 * time.Millisecond)
					}
				})
			}
			all.Wait()
			t.Logf("they were locked %d times, and %d times one of the two had to give up", whole.Load(), gaveUp.Load())
		}}
	}
}

func lockAll(db *sql.DB, halves []string) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	for _, half := range halves {
		rows, err := tx.Query("SELECT token FROM " + half + " FOR UPDATE")
		if err != nil {
			return err
		}
		for rows.Next() {
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return err
		}
		time.Sleep(5 * time.Millisecond)
	}
	return nil
}
