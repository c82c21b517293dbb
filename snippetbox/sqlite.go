package main

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	_ "modernc.org/sqlite"

	"github.com/gosojourn/sojourn/sqlstore"
)

// sqliteOptions: readers and the writer do not wait for each other (WAL), writers queue for up to
// five seconds, what was answered survives a power cut (FULL), and times are UTC, to the second.
const sqliteOptions = "_busy_timeout=5000&_journal_mode=WAL&_synchronous=FULL&_foreign_keys=1" +
	"&_time_format=datetime&_timezone=UTC"

// openDataFile opens the file that serves when -db is not given.
func openDataFile() (*database, error) {
	dir, err := dataDir()
	if err != nil {
		return nil, fmt.Errorf("there is no place for a data file: %w: choose one with -db sqlite:PATH", err)
	}
	dir = filepath.Join(dir, "snippetbox")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return openSQLite(filepath.Join(dir, "snippetbox.db"))
}

// dataDir is where a user's programs keep their data: XDG_DATA_HOME where that is set.
func dataDir() (string, error) {
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return dir, nil
	}
	switch runtime.GOOS {
	case "windows", "darwin":
		return os.UserConfigDir()
	}
	home, err := os.UserHomeDir()
	return filepath.Join(home, ".local", "share"), err
}

func openSQLite(path string) (*database, error) {
	if path == "" || strings.HasPrefix(path, ":") {
		return nil, errors.New("sqlite: wants the path of a file, as in sqlite:snippets.db")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	// SQLite would create it for everybody to read. Its other files take over the mode of this one.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	f.Close()
	slashed := filepath.ToSlash(path)
	if !strings.HasPrefix(slashed, "/") {
		slashed = "/" + slashed // C:/…
	}
	name := url.URL{Scheme: "file", Path: slashed, RawQuery: sqliteOptions}
	db, err := sql.Open("sqlite", name.String())
	if err != nil {
		return nil, err
	}
	return &database{db, sqlstore.SQLite, "SQLite in " + path}, nil
}
