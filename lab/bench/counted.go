package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"sync/atomic"
)

// exchanges is how often the application has asked a database anything: to run, to prepare, to begin, to end.
var exchanges atomic.Int64

// openCounted opens a database whose exchanges are counted. Nothing is measured there but their number.
func openCounted(name, dsn string) (*sql.DB, error) {
	db, err := sql.Open(name, dsn)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	return sql.OpenDB(countedConnector{db.Driver(), dsn}), nil
}

type countedConnector struct {
	driver driver.Driver
	dsn    string
}

func (c countedConnector) Driver() driver.Driver { return c.driver }

func (c countedConnector) Connect(context.Context) (driver.Conn, error) {
	conn, err := c.driver.Open(c.dsn)
	if err != nil {
		return nil, err
	}
	return countedConn{conn}, nil
}

// countedConn hands on what the three drivers can do besides what they must.
type countedConn struct{ driver.Conn }

var (
	_ driver.ConnPrepareContext = countedConn{}
	_ driver.ConnBeginTx        = countedConn{}
	_ driver.ExecerContext      = countedConn{}
	_ driver.QueryerContext     = countedConn{}
	_ driver.SessionResetter    = countedConn{}
	_ driver.Validator          = countedConn{}
	_ driver.StmtExecContext    = countedStmt{}
	_ driver.StmtQueryContext   = countedStmt{}
	_ driver.NamedValueChecker  = countedStmt{}
)

// count leaves out what a driver says that it cannot do in one: it is asked again another way.
func count[T any](v T, err error) (T, error) {
	if err != driver.ErrSkip {
		exchanges.Add(1)
	}
	return v, err
}

func (c countedConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	s, err := count(c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, query))
	if err != nil {
		return nil, err
	}
	return countedStmt{s, c.Conn}, nil
}

func (c countedConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	tx, err := count(c.Conn.(driver.ConnBeginTx).BeginTx(ctx, o))
	if err != nil {
		return nil, err
	}
	return countedTx{tx}, nil
}

func (c countedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	return count(c.Conn.(driver.ExecerContext).ExecContext(ctx, query, args))
}

func (c countedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return count(c.Conn.(driver.QueryerContext).QueryContext(ctx, query, args))
}

func (c countedConn) CheckNamedValue(v *driver.NamedValue) error { return checkValue(v, c.Conn) }

func (c countedConn) ResetSession(ctx context.Context) error {
	if r, ok := c.Conn.(driver.SessionResetter); ok {
		return r.ResetSession(ctx)
	}
	return nil
}

func (c countedConn) IsValid() bool {
	v, ok := c.Conn.(driver.Validator)
	return !ok || v.IsValid()
}

// checkValue has the first who can look at a value do so.
func checkValue(v *driver.NamedValue, by ...any) error {
	for _, x := range by {
		if c, ok := x.(driver.NamedValueChecker); ok {
			return c.CheckNamedValue(v)
		}
	}
	return driver.ErrSkip
}

type countedStmt struct {
	driver.Stmt
	conn driver.Conn
}

func (s countedStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return count(s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args))
}

func (s countedStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return count(s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args))
}

func (s countedStmt) CheckNamedValue(v *driver.NamedValue) error {
	return checkValue(v, s.Stmt, s.conn)
}

type countedTx struct{ driver.Tx }

func (t countedTx) Commit() error {
	exchanges.Add(1)
	return t.Tx.Commit()
}

func (t countedTx) Rollback() error {
	exchanges.Add(1)
	return t.Tx.Rollback()
}
