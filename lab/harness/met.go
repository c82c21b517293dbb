package harness

import (
	"fmt"
	"os"
	"strings"
	"sync"
)

var met sync.Map

// meet notes, once per process, which server the tests have met: a line in the file that SOJOURN_MET names.
func meet(engine, version string) {
	name := os.Getenv("SOJOURN_MET")
	line := strings.TrimSpace(engine + " " + version)
	if _, before := met.LoadOrStore(line, true); before || name == "" {
		return
	}
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err == nil {
		_, err = fmt.Fprintln(f, line)
		f.Close()
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "harness: SOJOURN_MET: %v\n", err)
	}
}

// sqlName tells the makes of a server apart that a driver takes for one.
func sqlName(driver, version string) (engine, number string) {
	number, _, _ = strings.Cut(version, "-")
	number, _, _ = strings.Cut(number, " ")
	switch {
	case driver == "pgx":
		return "PostgreSQL", number
	case driver == "sqlite":
		return "SQLite", number
	case strings.Contains(version, "MariaDB"):
		return "MariaDB", number
	}
	return "MySQL", number
}
