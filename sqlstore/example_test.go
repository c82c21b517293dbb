package sqlstore_test

import (
	"context"
	"database/sql"
	"log"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/sqlstore"
)

// The application imports the driver: github.com/go-sql-driver/mysql here.
func Example() {
	db, err := sql.Open("mysql", "web:pass@/snippetbox?parseTime=true")
	if err != nil {
		log.Fatal(err)
	}
	db.SetMaxOpenConns(25)
	db.SetMaxIdleConns(25) // left at 2, half of the time goes into connecting

	store, err := sqlstore.New(db, sqlstore.MySQL, sqlstore.Options{})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	if err := store.Migrate(ctx); err != nil { // makes the table, or adds to it what device lists need
		log.Fatal(err)
	}
	sessions, err := sojourn.New(store, sojourn.Config{})
	if err != nil {
		log.Fatal(err)
	}
	if err := sessions.Check(ctx); err != nil { // types, clocks, settings
		log.Fatal(err)
	}
	go sessions.Run(ctx) // sweeps what has expired
}

// A table in a schema, on a database behind a pooler.
func ExampleOptions() {
	var db *sql.DB // github.com/jackc/pgx/v5/stdlib
	if _, err := sqlstore.New(db, sqlstore.Postgres, sqlstore.Options{
		Table:     "web.sessions", // quoted, so in the case that the database has it in
		NoPrepare: true,           // behind pgbouncer by the transaction; with default_query_exec_mode=exec in the DSN
	}); err != nil {
		log.Print(err)
	}
}
