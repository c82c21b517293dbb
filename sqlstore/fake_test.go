package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"io"
	"sync"
	"testing"

	"github.com/gosojourn/sojourn"
)

// A fake is a database that answers every statement as do says, and counts them.
type fake struct {
	do func(ctx context.Context, query string, args []driver.NamedValue) (reply, error)

	mu    sync.Mutex
	asked int
}

// A reply has the rows of a query, or what a statement affected.
type reply struct {
	rows     [][]driver.Value
	affected int64
	id       int64
}

// store opens one on f.
func (f *fake) store(t *testing.T, d Dialect, conns int) *Store {
	t.Helper()
	db := sql.OpenDB(f)
	db.SetMaxOpenConns(conns)
	t.Cleanup(func() { db.Close() })
	s, err := New(db, d, Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.owners.state.Store(absent) // so that a call is one statement
	return s
}

func (f *fake) Connect(context.Context) (driver.Conn, error) { return fakeConn{f}, nil }
func (f *fake) Driver() driver.Driver                        { return nil }

func (f *fake) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked
}

func (f *fake) ask(ctx context.Context, query string, args []driver.NamedValue) (reply, error) {
	f.mu.Lock()
	f.asked++
	f.mu.Unlock()
	return f.do(ctx, query, args)
}

type fakeConn struct{ f *fake }

func (c fakeConn) Prepare(query string) (driver.Stmt, error) { return fakeStmt{c.f, query}, nil }
func (c fakeConn) Close() error                              { return nil }
func (c fakeConn) Begin() (driver.Tx, error)                 { return fakeTx{}, nil }

type fakeTx struct{}

func (fakeTx) Commit() error   { return nil }
func (fakeTx) Rollback() error { return nil }

type fakeStmt struct {
	f     *fake
	query string
}

func (s fakeStmt) Close() error                               { return nil }
func (s fakeStmt) NumInput() int                              { return -1 }
func (s fakeStmt) Exec([]driver.Value) (driver.Result, error) { panic("unused") }
func (s fakeStmt) Query([]driver.Value) (driver.Rows, error)  { panic("unused") }

func (s fakeStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	r, err := s.f.ask(ctx, s.query, args)
	return r, err
}

func (s fakeStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	r, err := s.f.ask(ctx, s.query, args)
	if err != nil {
		return nil, err
	}
	return &fakeRows{r.rows}, nil
}

func (r reply) RowsAffected() (int64, error) { return r.affected, nil }
func (r reply) LastInsertId() (int64, error) { return r.id, nil }

type fakeRows struct{ rows [][]driver.Value }

func (r *fakeRows) Columns() []string { return []string{"data"} }
func (r *fakeRows) Close() error      { return nil }
func (r *fakeRows) Next(dest []driver.Value) error {
	if len(r.rows) == 0 {
		return io.EOF
	}
	copy(dest, r.rows[0])
	r.rows = r.rows[1:]
	return nil
}

// someRecord is one of many, by number.
func someRecord(i int) sojourn.Record {
	id := []byte("AAAAAAAAAAAAAAAAAAAAAAAA")
	for j := range 4 {
		id[j] += byte(i >> (4 * j) & 15)
	}
	return sojourn.Record{ID: string(id), Version: uint64(i + 1), Expiry: future, Seen: future}
}
