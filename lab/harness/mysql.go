package harness

import (
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	driver "github.com/go-sql-driver/mysql"
)

// MySQL returns the DSN, for go-sql-driver, of a new database on a MySQL or MariaDB server, dropped
// at the end of the test. The character set is the one of Let's Go's snippetbox.
func MySQL(t testing.TB, params ...string) string {
	t.Helper()
	return withParams(mysql.database(t), params)
}

var mysql = kind{
	name:       "mysql",
	driver:     "mysql",
	env:        "SOJOURN_MYSQL",
	root:       "SOJOURN_MYSQL_ROOT",
	local:      "root@tcp(127.0.0.1:3306)/",
	absent:     "no MariaDB: set SOJOURN_MYSQL, or apt-get install mariadb-server",
	noPrograms: "no MariaDB programs: apt-get install mariadb-server",
	create:     "CREATE DATABASE %s CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
	drop:       "DROP DATABASE %s",
	dsn: func(base, db string) (string, error) {
		cfg, err := driver.ParseDSN(base)
		if err != nil {
			return "", err
		}
		cfg.DBName = db
		return cfg.FormatDSN(), nil
	},
	find: func() (setup, bool) {
		if u := rootOf("SOJOURN_MYSQL_ROOT"); u != "" {
			return unpackedMySQL(u)
		}
		return mariaDB()
	},
}

func init() {
	mysql.share()
	mysql.prepare()
}

// mariaDB knows the MariaDB that is installed.
func mariaDB() (setup, bool) {
	server, err := exec.LookPath("mariadbd")
	if err != nil {
		if server, err = exec.LookPath("/usr/sbin/mariadbd"); err != nil {
			return setup{}, false
		}
	}
	install, err := exec.LookPath("mariadb-install-db")
	if err != nil {
		return setup{}, false
	}
	small := []string{"--innodb-log-file-size=8M", "--innodb-buffer-pool-size=16M"}
	return setup{
		quit: syscall.SIGTERM,
		installer: func(dir string) *exec.Cmd {
			args := append([]string{"--no-defaults", "--datadir=" + filepath.Join(dir, "data"), inside(dir), "--skip-test-db",
				"--auth-root-authentication-method=normal", "--innodb-flush-log-at-trx-commit=0"}, small...)
			return exec.Command(install, append(args, asRoot()...)...)
		},
		server: func(dir, addr string) *exec.Cmd {
			args := append(append([]string{"--no-defaults"}, listening(dir, addr)...), "--skip-name-resolve", "--skip-log-bin",
				"--innodb-flush-log-at-trx-commit=1", "--performance-schema=OFF")
			args = append(args, small...)
			return exec.Command(server, append(args, asRoot()...)...)
		},
		base:  mysqlBase,
		where: "SELECT @@datadir",
	}, true
}

// withParams appends parameters to a DSN, after those that it has.
func withParams(dsn string, params []string) string {
	if len(params) == 0 {
		return dsn
	}
	sep := "?"
	if strings.Contains(dsn, "?") {
		sep = "&"
	}
	return dsn + sep + strings.Join(params, "&")
}

// MySQLUser makes a user without a password, for the length of the test, and grants what is said:
// "SELECT ON app.*". It answers the user's name.
func MySQLUser(t testing.TB, grant string) string {
	t.Helper()
	base, err := mysql.shared()
	if err != nil || base == "" {
		t.Fatalf("harness: mysql: no server: %v", err)
	}
	name := newName()
	for _, format := range []string{"CREATE USER %s", "GRANT " + grant + " TO %s"} {
		if err := mysql.exec(base, format, name); err != nil {
			t.Fatalf("harness: mysql: %v", err)
		}
	}
	t.Cleanup(func() {
		if err := mysql.exec(base, "DROP USER %s", name); err != nil {
			t.Errorf("harness: mysql: drop user: %v", err)
		}
	})
	return name
}
