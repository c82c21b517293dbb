package sqlstore_test

import (
	"context"
	"database/sql"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/sqlstore"
)

// A new password ends the sessions that this person has elsewhere, in one transaction: there is no moment, and no
// crash, in which one of the two is done and the other is not. This session stays, under a new token.
func ExampleStore_RevokeOthersTx() {
	var (
		db       *sql.DB // the application's; the sessions are in the same database
		store    *sqlstore.Store
		sessions *sojourn.Manager
		hash     func(password string) string
	)
	change := func(ctx context.Context, owner, password string) error {
		tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
		if err != nil {
			return err
		}
		defer tx.Rollback()
		if _, err := tx.ExecContext(ctx, "UPDATE users SET hashed_password = ? WHERE id = ?", hash(password), owner); err != nil {
			return err
		}
		if err := store.RevokeOthersTx(ctx, tx, owner, sessions.Info(ctx).ID); err != nil {
			return err
		}
		return tx.Commit()
	}
	// In a handler, with its r.Context(): so the manager hears of the revocation.
	_ = func(ctx context.Context, password string) error {
		if err := change(ctx, sessions.Info(ctx).Owner, password); err != nil {
			return err
		}
		if err := sessions.Renew(ctx); err != nil {
			return err
		}
		return sessions.Commit(ctx)
	}
}

// A password that was lost is set anew by a link in an e-mail. All sessions of the account end with that, and the
// person is logged in.
func ExampleStore_RevokeTx() {
	var (
		db       *sql.DB
		store    *sqlstore.Store
		sessions *sojourn.Manager
		hash     func(password string) string
		redeem   func(ctx context.Context, tx *sql.Tx, link string) (owner string, err error) // a link works once
	)
	reset := func(ctx context.Context, link, password string) (owner string, err error) {
		tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
		if err != nil {
			return "", err
		}
		defer tx.Rollback()
		if owner, err = redeem(ctx, tx, link); err != nil {
			return "", err
		}
		if _, err := tx.ExecContext(ctx, "UPDATE users SET hashed_password = ? WHERE id = ?", hash(password), owner); err != nil {
			return "", err
		}
		if err := store.RevokeTx(ctx, tx, owner); err != nil {
			return "", err
		}
		return owner, tx.Commit()
	}
	_ = func(ctx context.Context, link, password string) error {
		owner, err := reset(ctx, link, password)
		if err != nil {
			return err
		}
		if err := sessions.Login(ctx, owner); err != nil { // after the commit
			return err
		}
		return sessions.Commit(ctx)
	}
}
