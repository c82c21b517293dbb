package harness

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// PgBouncer starts a pooler that hands out connections by the transaction, before the server of dsn, with so
// many connections to it. It returns the URL of the same database behind it.
func PgBouncer(t testing.TB, dsn string, conns int) string {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		if program, err = exec.LookPath("/usr/sbin/pgbouncer"); err != nil {
			Missing(t, "pgbouncer", "no PgBouncer: apt-get install pgbouncer")
		}
	}
	p := &private{setup: setup{notRoot: true}}
	if p.dir, p.held, err = newFolder(p.demoted()); err != nil {
		t.Fatalf("harness: %v", err)
	}
	t.Cleanup(p.remove)
	u, err := url.Parse(dsn)
	if err == nil {
		p.addr, err = freeAddr()
	}
	if err != nil {
		t.Fatalf("harness: %v", err)
	}
	host, port, _ := net.SplitHostPort(p.addr)
	file := filepath.Join(p.dir, "pgbouncer.ini")
	text := fmt.Sprintf("[databases]\n* = host=%s port=%s user=%s\n[pgbouncer]\nlisten_addr = %s\nlisten_port = %s\nunix_socket_dir =\n"+
		"auth_type = any\npool_mode = transaction\ndefault_pool_size = %d\nmax_client_conn = 500\n", u.Hostname(), u.Port(), u.User.Username(), host, port, conns)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatalf("harness: %v", err)
	}
	p.server = func(string, string) *exec.Cmd { return exec.Command(program, file) }
	if err := p.launch(); err != nil {
		t.Fatalf("harness: pgbouncer: %v", err)
	}
	u.Host = p.addr
	for deadline := time.Now().Add(20 * time.Second); postgres.ping(u.String()+"?default_query_exec_mode=exec") != nil; time.Sleep(10 * time.Millisecond) {
		if p.run.ended() || time.Now().After(deadline) {
			t.Fatalf("harness: pgbouncer does not answer\n%s", p.log())
		}
	}
	return u.String()
}
