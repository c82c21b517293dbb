package main

import (
	"bufio"
	"bytes"
	"crypto/x509"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

func TestRestartKeepsTheSession(t *testing.T) {
	db := "sqlite:" + filepath.Join(t.TempDir(), "a ? of 100%.db")
	base, stop := start(t, "-addr", "127.0.0.1:0", "-db", db)
	b := member(t, base, "ann")
	b.post("/snippet/create", snippetValues("Kept", "Content", "7")).want(t, 200, created)
	stop()

	base, _ = start(t, "-addr", "127.0.0.1:0", "-db", db)
	b.base = base // cookies know no ports
	if n := b.visits(); n != 3 {
		t.Errorf("/visits says %d after the restart, want 3", n)
	}
	b.get("/").want(t, 200, "Kept", "Log out", `<strong id="visits">4</strong>`)
}

func TestSeveralMayStartAtOnce(t *testing.T) {
	db := "sqlite:" + filepath.Join(t.TempDir(), "shared.db")
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			d, err := openDatabase(db, nil)
			if err != nil {
				t.Error(err)
				return
			}
			defer d.Close()
			if _, err := migrate(t.Context(), d); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	base, _ := start(t, "-addr", "127.0.0.1:0", "-db", db)
	home := newBrowser(t, base).get("/")
	if n := strings.Count(home.body, "<article"); n != seeds {
		t.Errorf("%d snippets from the start, want %d", n, seeds)
	}
}

func TestTLS(t *testing.T) {
	base, _ := start(t, "-addr", "127.0.0.1:0", "-tls", "-db", "sqlite:"+filepath.Join(t.TempDir(), "t.db"))
	if !strings.HasPrefix(base, "https://127.0.0.1:") {
		t.Errorf("the URL is %s", base)
	}
	b := newBrowser(t, base).stay()
	r := b.get("/account")
	r.want(t, http.StatusSeeOther)
	line := r.Header.Get("Set-Cookie")
	name, rest, _ := strings.Cut(line, "=")
	_, attrs, _ := strings.Cut(rest, "; ")
	if name != "__Host-Http-id" || attrs != "Path=/; HttpOnly; Secure; SameSite=Lax" {
		t.Errorf("Set-Cookie: %s", line)
	}
	b.get("/").want(t, 200, `<strong id="visits">1</strong>`)
	for _, host := range []string{"localhost", "127.0.0.1", "::1"} {
		if err := r.TLS.PeerCertificates[0].VerifyHostname(host); err != nil {
			t.Error(err)
		}
	}
}

func TestCertificateIsForTheHostGiven(t *testing.T) {
	for _, host := range []string{"", "localhost", "box.example", "192.0.2.7"} {
		cert, err := selfSigned(host)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := x509.ParseCertificate(cert.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		if host != "" {
			if err := leaf.VerifyHostname(host); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestDataFileIsPrivate(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such modes")
	}
	home := t.TempDir()
	t.Setenv("XDG_DATA_HOME", home)
	base, _ := start(t, "-addr", "127.0.0.1:0", "-keys", "")
	newBrowser(t, base).get("/").want(t, 200)
	files := 0
	err := filepath.WalkDir(filepath.Join(home, "snippetbox"), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		files++
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %s", path, info.Mode())
		}
		return nil
	})
	if err != nil || files < 2 {
		t.Errorf("%d files, %v", files, err)
	}
}

func TestBadFlags(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_DATA_HOME", filepath.Join(dir, "data"))
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	noDatabase := filepath.Join(dir, "text")
	if err := os.WriteFile(noDatabase, []byte(strings.Repeat("this is no database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args []string
		say  string
	}{
		{"other machines", []string{"-addr", "0.0.0.0:0"}, "-tls"},
		{"all addresses", []string{"-addr", ":0"}, "-tls"},
		{"taken", []string{"-addr", taken.Addr().String()}, "-addr"},
		{"no address", []string{"-addr", "nonsense"}, "-addr"},
		{"kind of database", []string{"-db", "oracle://scott:tiger@localhost/x"}, "sqlite:"},
		{"bare path", []string{"-db", "snippets.db"}, "sqlite:"},
		{"no path", []string{"-db", "sqlite:"}, "path of a file"},
		{"in memory", []string{"-db", "sqlite::memory:"}, "path of a file"},
		{"no such folder", []string{"-db", "sqlite:" + filepath.Join(dir, "no", "such", "folder.db")}, "no such"},
		{"no SQLite", []string{"-db", "sqlite:" + noDatabase}, "not a database"},
		{"no server", []string{"-db", "mysql:///x"}, "server"},
		{"no name", []string{"-db", "postgres://u:tiger@localhost"}, "database"},
		{"no URL", []string{"-db", "mysql://u:ti%ger@localhost/x"}, "%25"},
		{"parameters", []string{"-db", "mysql://u:tiger@localhost/x?parseTime=perhaps"}, "parameters"},
		{"PostgreSQL's parameters", []string{"-db", "postgres://u:tiger@localhost/x?connect_timeout=tiger"}, "postgres://"},
		{"no idle limit", []string{"-idle", "0s"}, "30m"},
		{"no lifetime", []string{"-lifetime", "-1ns"}, "30m"},
		{"too long a lifetime", []string{"-addr", "127.0.0.1:0", "-db", "sqlite:" + filepath.Join(dir, "l.db"), "-lifetime", "10000h"}, "Lifetime"},
		{"flag", []string{"-nonsense"}, "-h"},
		{"argument", []string{"nonsense"}, "nonsense"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stdout, stderr buffer
			args := c.args
			if args[0] == "-db" {
				args = append([]string{"-addr", "127.0.0.1:0"}, args...)
			}
			err := run(t.Context(), args, &stdout, &stderr)
			if err == nil || !strings.Contains(err.Error(), c.say) {
				t.Errorf("run(%q) = %v, want an error that says %q", c.args, err, c.say)
			}
			if err != nil && strings.Contains(err.Error()+stderr.String(), "tiger") {
				t.Errorf("the password is shown: %v\n%s", err, &stderr)
			}
			if stdout.String() != "" {
				t.Errorf("stdout: %s", &stdout)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	var stdout bytes.Buffer
	if err := run(t.Context(), []string{"-h"}, &stdout, &stdout); err != nil {
		t.Error(err)
	}
	for _, flag := range []string{"-addr", "-db", "-tls", "-idle", "-lifetime"} {
		if !strings.Contains(stdout.String(), flag) {
			t.Errorf("the help does not mention %s:\n%s", flag, &stdout)
		}
	}
}

func TestRequestsUnderWayAreFinished(t *testing.T) {
	base, stop := start(t, "-addr", "127.0.0.1:0", "-db", "sqlite:"+filepath.Join(t.TempDir(), "t.db"))
	b := member(t, base, "ann")
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	body := snippetValues("Title", "Content", "7").Encode()
	fmt.Fprintf(conn, "POST /snippet/create HTTP/1.1\r\nHost: localhost\r\nCookie: id=%s\r\nExpect: 100-continue\r\n"+
		"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n", b.cookie(), len(body))
	answer := bufio.NewReader(conn)
	if line, err := answer.ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatalf("%q, %v", line, err)
	}
	answer.ReadString('\n')

	stopped := make(chan struct{})
	go func() { stop(); close(stopped) }()
	for { // until it takes no more
		c, err := net.Dial("tcp", conn.RemoteAddr().String())
		if err != nil {
			break
		}
		c.Close()
	}
	io.WriteString(conn, body)
	resp, err := http.ReadResponse(answer, nil)
	if err != nil || resp.StatusCode != http.StatusSeeOther {
		t.Errorf("the request under way is answered %v, %v", resp, err)
	}
	<-stopped
}
