package harness

import (
	"net"
	"os"
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
	find: mariaDB,
}

func init() {
	mysql.share()
	mysql.prepare()
}

// mariaDB knows MariaDB alone: MySQL's own programs make their data folder in another way.
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
	asRoot := []string{}
	if os.Geteuid() == 0 {
		asRoot = []string{"--user=root"}
	}
	small := []string{"--innodb-log-file-size=8M", "--innodb-buffer-pool-size=16M"}
	return setup{
		quit: syscall.SIGTERM,
		installer: func(dir string) *exec.Cmd {
			args := append([]string{"--no-defaults", "--datadir=" + filepath.Join(dir, "data"), "--skip-test-db",
				"--auth-root-authentication-method=normal", "--innodb-flush-log-at-trx-commit=0"}, small...)
			return exec.Command(install, append(args, asRoot...)...)
		},
		server: func(dir, addr string) *exec.Cmd {
			host, port, _ := net.SplitHostPort(addr)
			args := append([]string{"--no-defaults", "--datadir=" + filepath.Join(dir, "data"),
				"--bind-address=" + host, "--port=" + port, "--skip-name-resolve", "--skip-log-bin",
				"--socket=" + filepath.Join(dir, "socket"), "--pid-file=" + filepath.Join(dir, "pid"),
				"--innodb-flush-log-at-trx-commit=1", "--performance-schema=OFF"}, small...)
			return exec.Command(server, append(args, asRoot...)...)
		},
		base:  func(addr string) string { return "root@tcp(" + addr + ")/" },
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
