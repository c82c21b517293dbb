package harness

import (
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// unpackedMySQL knows MySQL's own server, and a MariaDB that is not installed, in a folder of packages.
func unpackedMySQL(u unpacked) (setup, bool) {
	if server := u.path("usr/sbin/mariadbd"); server != "" { // which has the other name too
		return mariaOwn(u, server), true
	}
	if server := u.path("usr/sbin/mysqld"); server != "" {
		return mysqlOwn(u, server), true
	}
	return setup{}, false
}

var mysqlSmall = []string{"--innodb-buffer-pool-size=16M"}

func mysqlOwn(u unpacked, server string) setup {
	base := append(append([]string{"--no-defaults", "--basedir=" + filepath.Join(string(u), "usr")}, mysqlSmall...), asRoot()...)
	return setup{
		quit: syscall.SIGTERM,
		installer: func(dir string) *exec.Cmd {
			return u.command(server, append(base, "--initialize-insecure", "--innodb-redo-log-capacity=8M", inside(dir), "--datadir="+filepath.Join(dir, "data"))...)
		},
		server: func(dir, addr string) *exec.Cmd {
			return u.command(server, append(append(base, listening(dir, addr)...), "--secure-file-priv=NULL", "--mysqlx=OFF",
				"--innodb-redo-log-capacity=8M", "--performance-schema=OFF", "--skip-log-bin")...)
		},
		base:  mysqlBase,
		where: "SELECT @@datadir",
	}
}

// mariaOwn feeds the server what mariadb-install-db would, which is a script that starts the program by itself.
func mariaOwn(u unpacked, server string) setup {
	base := append(append([]string{"--no-defaults", "--basedir=" + filepath.Join(string(u), "usr"), "--innodb-log-file-size=8M"}, mysqlSmall...), asRoot()...)
	return setup{
		quit: syscall.SIGTERM,
		installer: func(dir string) *exec.Cmd {
			os.MkdirAll(filepath.Join(dir, "data"), 0o755)
			cmd := u.command(server, append(base, "--bootstrap", "--log-warnings=0", "--enforce-storage-engine=", inside(dir), "--datadir="+filepath.Join(dir, "data"))...)
			parts := []io.Reader{strings.NewReader("CREATE DATABASE IF NOT EXISTS mysql;\nUSE mysql;\nSET @auth_root_socket=NULL;\n")}
			for _, name := range []string{"system_tables", "performance_tables", "system_tables_data"} {
				text, err := os.ReadFile(filepath.Join(string(u), "usr/share/mariadb", "mariadb_"+name+".sql"))
				if err != nil { // the server has the words for it
					text = []byte(err.Error())
				}
				parts = append(parts, strings.NewReader(withoutHost(string(text))))
			}
			cmd.Stdin = io.MultiReader(parts...)
			return cmd
		},
		server: func(dir, addr string) *exec.Cmd {
			// A log that is full stops every write until pages are flushed, for seconds on a busy disk. What is copied
			// for each server has a small one.
			return u.command(server, append(append(base, listening(dir, addr)...), "--innodb-log-file-size=48M", "--skip-name-resolve", "--skip-log-bin",
				"--innodb-flush-log-at-trx-commit=1", "--performance-schema=OFF")...)
		},
		base:  mysqlBase,
		where: "SELECT @@datadir",
	}
}

// withoutHost leaves out what is for users of this machine's name.
func withoutHost(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.Contains(line, "@current_hostname") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// inside keeps a server's temporary files in its own folder: MariaDB begins by deleting what has a temporary
// table's name in the folder that they are in, another server's too.
func inside(dir string) string { return "--tmpdir=" + dir }

// listening is how the server is found, in all makes of it.
func listening(dir, addr string) []string {
	host, port, _ := net.SplitHostPort(addr)
	return []string{inside(dir), "--datadir=" + filepath.Join(dir, "data"), "--bind-address=" + host, "--port=" + port,
		"--socket=" + filepath.Join(dir, "socket"), "--pid-file=" + filepath.Join(dir, "pid")}
}

func mysqlBase(addr string) string { return "root@tcp(" + addr + ")/" }

func asRoot() []string {
	if os.Geteuid() == 0 {
		return []string{"--user=root"}
	}
	return nil
}
