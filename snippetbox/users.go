package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

var (
	errNoUser     = errors.New("users: there is no such account")
	errEmailTaken = errors.New("users: this email address has an account already")
)

type user struct {
	ID          int
	Name, Email string
	Hash        string // of the password
	Created     time.Time
}

// owner is how sessions name this user. One database never gives out an id a second time; but keys and a
// Redis outlive a database, and the next one begins at 1 again. So the account's first second is in it,
// too: a session that is left over belongs to nobody there.
func (u *user) owner() string { return fmt.Sprintf("%d.%d", u.ID, u.Created.Unix()) }

// A userModel keeps accounts in a table.
type userModel struct {
	db *database
}

// normalEmail is the one spelling of an address: nobody has two accounts that differ in case.
func normalEmail(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// insert makes an account, or answers errEmailTaken.
func (m *userModel) insert(ctx context.Context, name, email, hash string) error {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	_, err := m.db.ExecContext(ctx, m.db.sql("INSERT INTO users (name, email, hashed_password, created) VALUES (?, ?, ?, ?)"),
		name, normalEmail(email), hash, time.Now().UTC().Truncate(time.Second))
	if duplicate(err) {
		return errEmailTaken
	} else if err != nil {
		return fmt.Errorf("users: insert: %w", err)
	}
	return nil
}

// byEmail and byOwner return the account, or errNoUser.
func (m *userModel) byEmail(ctx context.Context, email string) (*user, error) {
	return m.one(ctx, "email = ?", normalEmail(email))
}

func (m *userModel) byOwner(ctx context.Context, owner string) (*user, error) {
	text, _, _ := strings.Cut(owner, ".")
	id, err := strconv.Atoi(text)
	if err != nil {
		return nil, errNoUser
	}
	u, err := m.one(ctx, "id = ?", id)
	if err == nil && u.owner() != owner {
		return nil, errNoUser
	}
	return u, err
}

func (m *userModel) one(ctx context.Context, where string, arg any) (*user, error) {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	var u user
	row := m.db.QueryRowContext(ctx, m.db.sql("SELECT id, name, email, hashed_password, created FROM users WHERE "+where), arg)
	switch err := row.Scan(&u.ID, &u.Name, &u.Email, &u.Hash, &u.Created); {
	case errors.Is(err, sql.ErrNoRows):
		return nil, errNoUser
	case err != nil:
		return nil, fmt.Errorf("users: get: %w", err)
	}
	return &u, nil
}

// An execer is the database, or a transaction.
type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// setHash replaces the hash that u was read with. Of two changes at once one gets errNoUser: what
// it knew as the current password is not that any more.
func (m *userModel) setHash(ctx context.Context, in execer, u *user, hash string) error {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	done, err := in.ExecContext(ctx, m.db.sql("UPDATE users SET hashed_password = ? WHERE id = ? AND hashed_password = ?"),
		hash, u.ID, u.Hash)
	if err != nil {
		return fmt.Errorf("users: set password: %w", err)
	}
	if n, err := done.RowsAffected(); err != nil {
		return fmt.Errorf("users: set password: %w", err)
	} else if n == 0 {
		return errNoUser
	}
	return nil
}

// duplicate: each database has its own word for a unique key that is taken.
func duplicate(err error) bool {
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return e.Number == 1062
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code == "23505"
	}
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE
}
