package readme

import (
	"encoding/json"
	"fmt"
	"go/format"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	// What the programs import beside the library.
	_ "github.com/alexedwards/scs/mysqlstore"
	_ "github.com/alexedwards/scs/v2"
	_ "github.com/gorilla/sessions"
	_ "modernc.org/sqlite"

	"github.com/gosojourn/sojourn/lab/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

// blocks are the fenced blocks of one language on a page.
func blocks(t *testing.T, page, language string) (all []string) {
	t.Helper()
	text, err := os.ReadFile("../../" + page)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$").FindAllStringSubmatch(string(text), -1) {
		if m[1] == language {
			all = append(all, m[2])
		}
	}
	return all
}

// build compiles a file of package main, and returns the program.
func build(t *testing.T, src string) string {
	t.Helper()
	if good, err := format.Source([]byte(src)); err != nil || string(good) != src {
		t.Fatalf("it is not formatted (%v):\n%s", err, src)
	}
	dir := t.TempDir()
	file, overlay, program := filepath.Join(dir, "main.go"), filepath.Join(dir, "overlay"), filepath.Join(dir, "program")
	here, err := filepath.Abs("program/main.go") // in this module, so that its requirements count
	if err != nil {
		t.Fatal(err)
	}
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {here: file}})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{file: []byte(src), overlay: replace} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command("go", "build", "-overlay", overlay, "-o", program, "./program").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, src)
	}
	return program
}

// The whole programs count the visits of one browser. They are run as they stand, but for the address.
func TestProgramsRun(t *testing.T) {
	const addr = "localhost:4000"
	programs := slices.DeleteFunc(blocks(t, "README.md", "go"), func(src string) bool { return !strings.HasPrefix(src, "package main\n") })
	if len(programs) != 2 {
		t.Fatalf("the README has %d programs, want one in memory and one with a database", len(programs))
	}
	for i, src := range programs {
		t.Run(fmt.Sprint(i+1), func(t *testing.T) {
			if strings.Count(src, addr) != 1 {
				t.Fatalf("it does not listen on %s", addr)
			}
			free, err := net.Listen("tcp", "localhost:0")
			if err != nil {
				t.Fatal(err)
			}
			own := fmt.Sprint("localhost:", free.Addr().(*net.TCPAddr).Port)
			free.Close()
			cmd := exec.Command(build(t, strings.Replace(src, addr, own, 1)))
			cmd.Dir = t.TempDir()
			cmd.Stderr = os.Stderr
			harness.StartProgram(t, cmd)

			cookie := ""
			for n := 1; n <= 2; n++ {
				text, set := get(t, "http://"+own+"/", cookie)
				if want := fmt.Sprintf("Visit number %d\n", n); text != want {
					t.Fatalf("%q, want %q", text, want)
				}
				if n == 1 {
					cookie, _, _ = strings.Cut(set, ";")
				}
			}
		})
	}
}

// get asks until the program listens.
func get(t *testing.T, url, cookie string) (body, set string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		r, err := http.NewRequest(http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Cookie", cookie)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			if time.Now().After(deadline) {
				t.Fatal(err)
			}
			continue
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(text), res.Header.Get("Set-Cookie")
	}
}

// imports are what the diffs leave out, by the name that a package is used under.
var imports = map[string]string{
	"context": "context", "sql": "database/sql", "log": "log", "http": "net/http", "strconv": "strconv",
	"scs": "github.com/alexedwards/scs/v2", "mysqlstore": "github.com/alexedwards/scs/mysqlstore", "sessions": "github.com/gorilla/sessions",
	"sojourn": "github.com/gosojourn/sojourn", "sqlstore": "github.com/gosojourn/sojourn/sqlstore", "sealed": "github.com/gosojourn/sojourn/sealed",
}

// Both sides of each diff compile.
func TestDiffsCompile(t *testing.T) {
	var diffs []string
	for _, page := range []string{"docs/moving-from-scs.md", "docs/moving-from-gorilla.md"} {
		of := slices.DeleteFunc(blocks(t, page, "diff"), func(diff string) bool { return !strings.Contains(diff, " func ") })
		if len(of) != 1 {
			t.Fatalf("%s has %d diffs of functions, want one", page, len(of))
		}
		diffs = append(diffs, of...)
	}
	for i, diff := range diffs {
		for _, side := range []string{"-", "+"} {
			t.Run(fmt.Sprint(i+1, side), func(t *testing.T) {
				var code strings.Builder
				for line := range strings.Lines(diff) {
					if strings.HasPrefix(line, side) || strings.HasPrefix(line, " ") {
						code.WriteString(line[1:])
					}
				}
				var head []string
				for name, path := range imports {
					if regexp.MustCompile(`\b` + name + `\.`).MatchString(code.String()) {
						head = append(head, fmt.Sprintf("import %q\n", path))
					}
				}
				slices.Sort(head)
				build(t, "package main\n\n"+strings.Join(head, "")+"\nfunc main() {}\n\n"+strings.TrimLeft(code.String(), "\n"))
			})
		}
	}
}

// The pages about moving show pieces of a program. Each compiles in a function that has what the text says is there.
func TestPiecesCompile(t *testing.T) {
	for page, head := range map[string]string{
		"docs/moving-in.md": `import (
	"database/sql"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/legacy"
)

func piece(db *sql.DB, store sojourn.Store) (any, error) {
`,
		"docs/moving-from-scs.md": `import (
	"context"
	"database/sql"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/legacy"
	scs "github.com/gosojourn/sojourn/scscompat"
	"github.com/gosojourn/sojourn/sqlstore"
)

var (
	store sojourn.Store
	err   error
	_     = []any{time.Hour, legacy.SCS{}, sqlstore.MySQL} // not each piece has all
)

func piece(ctx context.Context, db *sql.DB, sessionManager *scs.SessionManager) (any, error) {
	sessions := sessionManager
`,
	} {
		pieces := blocks(t, page, "go")
		if len(pieces) == 0 {
			t.Errorf("%s shows no piece", page)
		}
		for _, piece := range pieces {
			t.Run(page, func(t *testing.T) {
				src, err := format.Source([]byte("package main\n\n" + head + piece + "\nreturn sessions, err\n}\n\nfunc main() {}\n"))
				if err != nil {
					t.Fatal(err)
				}
				build(t, string(src))
			})
		}
	}
}
