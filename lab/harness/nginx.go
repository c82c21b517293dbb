package harness

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Nginx starts one as it comes, that passes everything on to upstream (host:port). It returns its address.
func Nginx(t testing.TB, upstream string) (addr string) {
	t.Helper()
	program, err := exec.LookPath("nginx")
	if err != nil {
		if program, err = exec.LookPath("/usr/sbin/nginx"); err != nil {
			Missing(t, "nginx", "no nginx: apt-get install nginx-light")
		}
	}
	addr, err = freeAddr()
	if err != nil {
		t.Fatalf("harness: %v", err)
	}
	dir := t.TempDir()
	temp := ""
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		temp += fmt.Sprintf("%s_temp_path %s;\n", kind, filepath.Join(dir, kind))
	}
	text := fmt.Sprintf("daemon off;\nmaster_process off;\nworker_processes 1;\npid %s;\nerror_log %s;\nevents {}\nhttp {\naccess_log off;\n%s"+
		"server { listen %s; location / { proxy_pass http://%s; } }\n}\n", filepath.Join(dir, "pid"), filepath.Join(dir, "log"), temp, addr, upstream)
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatalf("harness: %v", err)
	}
	t.Cleanup(StartProgram(t, exec.Command(program, "-e", filepath.Join(dir, "log"), "-c", file, "-p", dir)))
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			return addr
		}
		if time.Now().After(end) {
			log, _ := os.ReadFile(filepath.Join(dir, "log"))
			t.Fatalf("harness: nginx does not answer\n%s", lastLines(string(log)))
		}
	}
}
