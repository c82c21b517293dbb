package harness

import (
	"net"
	"net/url"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver named "pgx"
)

// Postgres returns the URL, for pgx, of a new database on a PostgreSQL server, dropped at the end of
// the test together with the connections to it.
func Postgres(t testing.TB) string {
	t.Helper()
	return postgres.database(t)
}

var postgres = kind{
	name:       "postgres",
	driver:     "pgx",
	env:        "SOJOURN_POSTGRES",
	root:       "SOJOURN_POSTGRES_ROOT",
	local:      "postgres://postgres@127.0.0.1:5432/postgres",
	absent:     "no PostgreSQL: set SOJOURN_POSTGRES, or apt-get install postgresql",
	noPrograms: "no PostgreSQL programs: apt-get install postgresql",
	create:     "CREATE DATABASE %s",
	drop:       "DROP DATABASE %s WITH (FORCE)",
	dsn: func(base, db string) (string, error) {
		u, err := url.Parse(base)
		if err != nil {
			return "", err
		}
		u.Path = "/" + db
		return u.String(), nil
	},
	find: postgreSQL,
}

func init() {
	postgres.share()
	postgres.prepare()
}

func postgreSQL() (setup, bool) {
	bin := ""
	if u := rootOf("SOJOURN_POSTGRES_ROOT"); u != "" {
		all, _ := filepath.Glob(filepath.Join(string(u), "usr/lib/postgresql/*/bin/initdb"))
		if len(all) == 0 {
			return setup{}, false
		}
		bin = filepath.Dir(all[0])
		if err := u.independent(all[0], filepath.Join(bin, "postgres")); err != nil {
			return setup{}, false
		}
	} else if p, err := exec.LookPath("initdb"); err == nil {
		bin = filepath.Dir(p)
		// Debian keeps the server's programs out of PATH, a folder per version.
	} else if all, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb"); len(all) > 0 {
		bin = filepath.Dir(all[len(all)-1])
	} else {
		return setup{}, false
	}
	return setup{
		notRoot: true,
		quit:    syscall.SIGINT,
		installer: func(dir string) *exec.Cmd {
			return exec.Command(filepath.Join(bin, "initdb"), "--pgdata="+filepath.Join(dir, "data"),
				"--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync")
		},
		server: func(dir, addr string) *exec.Cmd {
			host, port, _ := net.SplitHostPort(addr)
			return exec.Command(filepath.Join(bin, "postgres"), "-D", filepath.Join(dir, "data"),
				"-c", "listen_addresses="+host, "-c", "port="+port, "-c", "unix_socket_directories=",
				"-c", "shared_buffers=16MB")
		},
		base:  func(addr string) string { return "postgres://postgres@" + addr + "/postgres" },
		where: "SHOW data_directory",
	}, true
}
