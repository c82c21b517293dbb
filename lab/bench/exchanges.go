package main

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

func counting(m medium) single {
	return single{"exchanges of a request, " + string(m), func(o options) ([]result, error) { return measureExchanges(m) }}
}

// measureExchanges counts, of the routes that are measured end to end, what each request asks of the
// database, and how much of it a session takes. A visitor alone shares with nobody.
func measureExchanges(m medium) (all []result, err error) {
	err = withDatabase(m, func(ctx context.Context, db *sql.DB, p place) error {
		addr, stop, err := startApp(app{Medium: m, DSN: p.dsn, Counted: true})
		if err != nil {
			return err
		}
		defer stop()
		for _, c := range []struct {
			name, method, path, idle string
			atMost                   float64
		}{
			{"static", "GET", "static", "", 0},
			{"read", "GET", "read", "", 1},
			{"idle limit", "GET", "read", "-idle", 1},
			{"write", "POST", "write", "", 2},
		} {
			alone, err := exchangesOf(addr, c.method+" /sojourn"+c.idle+"/"+c.path, 1)
			if err != nil {
				return err
			}
			together, err := exchangesOf(addr, c.method+" /sojourn"+c.idle+"/"+c.path, 32)
			if err != nil {
				return err
			}
			theirs, err := exchangesOf(addr, c.method+" /scs"+c.idle+"/"+c.path, 1)
			if err != nil {
				return err
			}
			all = append(all, result{
				Name: fmt.Sprintf("exchanges of a request, %s, %s, alone", m, c.name), Value: alone, AtMost: c.atMost, Measure: "exchanges", Unit: "exchanges",
				Note: fmt.Sprintf("at 32 connections %.2f; scs %.2f", together, theirs),
			})
		}
		var size [2]float64
		for i, table := range []string{"sojourn_sessions", "sessions"} {
			if err := db.QueryRowContext(ctx, "SELECT AVG(LENGTH(data)) FROM "+table).Scan(&size[i]); err != nil {
				return err
			}
		}
		all = append(all, result{
			Name: fmt.Sprintf("data of a session, %s, five values of 21 bytes", m), Value: float64(int(size[0])), Measure: "bytes", Unit: "memory",
			Note: fmt.Sprintf("scs %.0f", size[1]),
		})
		return nil
	})
	return all, err
}

func exchangesOf(addr, route string, conns int) (float64, error) {
	t, err := newTarget(addr, route, route, conns, 1)
	if err != nil {
		return 0, err
	}
	defer t.close()
	if _, err := t.run(50 * time.Millisecond); err != nil { // statements are prepared
		return 0, err
	}
	before, err := figure(addr, "exchanges")
	if err != nil {
		return 0, err
	}
	s, err := t.run(200 * time.Millisecond)
	if err != nil {
		return 0, err
	}
	after, err := figure(addr, "exchanges")
	return float64(after-before) / float64(s.requests), err
}
