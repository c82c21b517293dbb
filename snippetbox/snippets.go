package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gosojourn/sojourn/sqlstore"
)

var errNoSnippet = errors.New("snippets: there is no such snippet, or it has expired")

// queryTimeout is for a server that neither answers nor breaks the connection.
const queryTimeout = 3 * time.Second

type snippet struct {
	ID             int
	Title, Content string
	Author         string // "" for nobody's
	Created        time.Time
	Expires        time.Time
}

// A snippetModel keeps snippets in a table.
type snippetModel struct {
	db *database
}

func newSnippetModel(db *database) *snippetModel { return &snippetModel{db} }

// insert keeps a snippet of author's for that many days and returns its id. If the author has sent this
// form before, it is the id of that snippet.
func (m *snippetModel) insert(ctx context.Context, author *user, form, title, content string, days int) (int, error) {
	id, err := m.insertNew(ctx, author, form, title, content, days)
	if duplicate(err) {
		ctx, cancel := context.WithTimeout(ctx, queryTimeout)
		defer cancel()
		err = m.db.QueryRowContext(ctx, m.db.sql("SELECT id FROM snippets WHERE user_id = ? AND form = ?"), author.ID, form).Scan(&id)
	}
	if err != nil {
		return 0, fmt.Errorf("snippets: insert: %w", err)
	}
	return id, nil
}

func (m *snippetModel) insertNew(ctx context.Context, author *user, form, title, content string, days int) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	now := time.Now().UTC().Truncate(time.Second)
	query := m.db.sql("INSERT INTO snippets (user_id, form, title, content, created, expires) VALUES (?, ?, ?, ?, ?, ?)")
	args := []any{author.ID, form, title, content, now, now.AddDate(0, 0, days)}

	var id int64
	var err error
	if m.db.dialect == sqlstore.Postgres { // has no LastInsertId; MySQL has no RETURNING
		err = m.db.QueryRowContext(ctx, query+" RETURNING id", args...).Scan(&id)
	} else {
		var done sql.Result
		if done, err = m.db.ExecContext(ctx, query, args...); err == nil {
			id, err = done.LastInsertId()
		}
	}
	return int(id), err
}

// get returns the snippet, or errNoSnippet.
func (m *snippetModel) get(ctx context.Context, id int) (snippet, error) {
	found, err := m.query(ctx, "WHERE s.expires > ? AND s.id = ?", time.Now().UTC(), id)
	if err != nil {
		return snippet{}, fmt.Errorf("snippets: get: %w", err)
	}
	if len(found) == 0 {
		return snippet{}, errNoSnippet
	}
	return found[0], nil
}

// latest returns the ten newest snippets, newest first.
func (m *snippetModel) latest(ctx context.Context) ([]snippet, error) {
	found, err := m.query(ctx, "WHERE s.expires > ? ORDER BY s.id DESC LIMIT 10", time.Now().UTC())
	if err != nil {
		return nil, fmt.Errorf("snippets: latest: %w", err)
	}
	return found, nil
}

func (m *snippetModel) query(ctx context.Context, where string, args ...any) ([]snippet, error) {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	rows, err := m.db.QueryContext(ctx, m.db.sql("SELECT s.id, s.title, s.content, COALESCE(u.name, ''), s.created, s.expires "+
		"FROM snippets s LEFT JOIN users u ON u.id = s.user_id "+where), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []snippet
	for rows.Next() {
		var s snippet
		if err := rows.Scan(&s.ID, &s.Title, &s.Content, &s.Author, &s.Created, &s.Expires); err != nil {
			return nil, err
		}
		found = append(found, s)
	}
	return found, rows.Err()
}

// sql writes the parameters of query as the database wants them.
func (d *database) sql(query string) string {
	if d.dialect != sqlstore.Postgres {
		return query
	}
	parts := strings.Split(query, "?")
	var b strings.Builder
	for i, part := range parts {
		if i > 0 {
			b.WriteString("$" + strconv.Itoa(i))
		}
		b.WriteString(part)
	}
	return b.String()
}
