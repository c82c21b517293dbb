package sojourn_test

import (
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const root = "github.com/gosojourn/sojourn"

var (
	stores  = []string{"memstore", "sqlstore", "sealed", "redisstore"}
	readers = []string{"legacy"} // of what an application used before
	kits    = []string{"storetest", "sojourntest", "internal/leak"}
	pages   = []string{"admin"}
	guards  = []string{"throttle"}
	nested  = []string{"lab", "lab/compat", "snippetbox", "redisstore", "otelsojourn", "gorillacompat", "cmd/sojourn"} // modules
	theLast = []string{"lab", "snippetbox"}
)

// below is what each room of internal may import of the others.
var below = map[string][]string{
	"internal/record":  {"./internal/token", "./internal/value"},
	"internal/carrier": {"./internal/token"},
}

// A use is one import of one file, both from the repository's root, in slashes: "memstore/sweep.go",
// "net/http". An import from this repository is shortened to "./memstore", the root package to ".".
type use struct{ file, path string }

func (u use) test() bool          { return strings.HasSuffix(u.file, "_test.go") }
func (u use) from(d string) bool  { return under(u.file, d) }
func (u use) of(d string) bool    { return under(u.path, "./"+d) }
func (u use) ours() bool          { return u.path == "." || strings.HasPrefix(u.path, "./") }
func (u use) inRootPackage() bool { return path.Dir(u.file) == "." }
func (u use) std() bool {
	first, _, _ := strings.Cut(u.path, "/")
	return !u.ours() && !strings.Contains(first, ".")
}

func under(p, dir string) bool { return p == dir || strings.HasPrefix(p, dir+"/") }

func oneOf(is func(string) bool, dirs []string) bool { return slices.ContainsFunc(dirs, is) }

// doors are the imports that the layout forbids, with what would be lost.
var doors = []struct {
	wrong  func(u use) bool
	reason string
}{
	{func(u use) bool { return !oneOf(u.from, nested) && !u.std() && (!u.ours() || oneOf(u.of, nested)) },
		"the root module imports the standard library and itself: whoever depends on it depends on nothing else"},
	{func(u use) bool { return u.inRootPackage() && !u.test() && oneOf(u.of, stores) },
		"the root package imports no store: a program links the one that it uses"},
	{func(u use) bool { return u.inRootPackage() && !u.test() && oneOf(u.of, readers) },
		"the root package imports no reader of old sessions: who has none to move in links none"},
	{func(u use) bool {
		return oneOf(u.from, readers) && !u.test() && u.ours() && u.path != "." && !oneOf(u.of, readers)
	},
		"a reader of old sessions knows no store and nothing internal: somebody else could have written it"},
	{func(u use) bool { return oneOf(u.of, pages) && !oneOf(u.from, pages) && !oneOf(u.from, theLast) },
		"nobody builds on the pages but an application: a program without them links no templates"},
	{func(u use) bool {
		return oneOf(u.from, pages) && !u.test() && u.ours() && u.path != "."
	},
		"the pages do with the public API of the manager what anybody could: they know no store and nothing internal"},
	{func(u use) bool {
		return oneOf(u.of, guards) && !oneOf(u.from, guards) && !oneOf(u.from, theLast) && !u.test()
	},
		"nobody builds on what counts clients but an application: a program without it counts none"},
	{func(u use) bool { return oneOf(u.from, guards) && !u.test() && u.ours() && u.path != "." },
		"what counts clients uses the public API of the manager: it knows no store and nothing internal"},
	{func(u use) bool { return oneOf(u.from, stores) && under(u.path, "net/http") },
		"a store knows nothing of HTTP: that is the manager's side"},
	{func(u use) bool {
		return slices.ContainsFunc(stores, func(s string) bool { return u.from(s) && !u.of(s) }) && oneOf(u.of, stores)
	},
		"a store imports no other store: what they share is the contract"},
	{func(u use) bool { return oneOf(u.of, kits) && !u.test() && !u.from("lab") && !oneOf(u.from, kits) },
		"the kits are for tests: they would link package testing into a program"},
	{func(u use) bool {
		return u.from("internal") && u.ours() && !u.test() && !slices.Contains(below[path.Dir(u.file)], u.path)
	},
		"a data room knows nothing of sessions, and only the rooms below it"},
	{func(u use) bool {
		return u.of("internal/bridge") && !u.inRootPackage() && !u.from("scscompat") && !u.from("dbsc")
	},
		"the bridge goes round the public API: it is for packages that speak another library's, and for the binding to a device"},
	{func(u use) bool {
		return u.from("dbsc") && !u.test() && u.ours() && !slices.Contains([]string{".", "./internal/binding", "./internal/bridge"}, u.path)
	},
		"the binding to a device knows no store and no record: what it needs of a session is behind the bridge"},
	{func(u use) bool { return u.of("internal") && !u.of("internal/leak") && oneOf(u.from, nested) },
		"another module does without the root's internal packages, as a stranger has to"},
	{func(u use) bool {
		return u.from("snippetbox") && slices.ContainsFunc([]string{"storetest", "internal", "lab"}, u.of)
	},
		"the reference application imports what a stranger could: its readers copy from it"},
	{func(u use) bool {
		return slices.ContainsFunc(theLast, func(d string) bool { return u.of(d) && !u.from(d) }) && !u.from("lab")
	},
		"lab and the reference application come last: nothing may build on them"},
	{func(u use) bool {
		return under(u.path, "testing") && !u.test() && !u.from("lab") && !oneOf(u.from, kits)
	},
		"package testing puts its flags into every program that links it"},
}

// wrongDoors is what the rules say of one import.
func wrongDoors(u use) (bad []string) {
	for _, d := range doors {
		if d.wrong(u) {
			bad = append(bad, fmt.Sprintf("%s imports %s: %s", u.file, u.path, d.reason))
		}
	}
	return bad
}

func TestDoors(t *testing.T) {
	if _, err := os.Stat("lab"); errors.Is(err, fs.ErrNotExist) {
		t.Skip("this is the root module alone, as the module cache has it")
	}
	uses, mods := readRepository(t)
	if len(uses) < 100 || len(mods) < 3 {
		t.Fatalf("read %d imports and %d modules: that is not the whole repository", len(uses), len(mods))
	}
	for _, u := range uses {
		for _, bad := range wrongDoors(u) {
			t.Error(bad)
		}
	}
	for file, text := range mods {
		for _, bad := range wrongLines(file, text) {
			t.Error(bad)
		}
		if dir := path.Dir(file); dir != "." && !slices.Contains(nested, dir) {
			t.Errorf("%s is a module that the rules do not know of: list it", dir)
		}
	}
}

// wrongLines is what the rules say of a go.mod.
func wrongLines(file, text string) (bad []string) {
	for line := range strings.Lines(text) {
		switch word, _, _ := strings.Cut(strings.Join(strings.Fields(line), " ")+" ", " "); strings.TrimSuffix(word, "(") {
		case "require":
			if file != "go.mod" {
				continue
			}
			bad = append(bad, file+": the root module requires nothing")
		case "replace":
			bad = append(bad, file+": a replace is ignored by whoever depends on the module: go.work has it")
		}
	}
	return bad
}

// readRepository answers every import of every Go file, and the text of every go.mod.
func readRepository(t *testing.T) (uses []use, mods map[string]string) {
	t.Helper()
	mods = map[string]string{}
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		file := filepath.ToSlash(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // another test's own file, gone meanwhile
		case err != nil:
			return err
		case entry.IsDir():
			// What the go command passes over is not ours to judge.
			if base := entry.Name(); file != "." && (strings.ContainsAny(base[:1], "._") || base == "testdata" || file == "lab/out") {
				return fs.SkipDir
			}
		case entry.Name() == "go.mod":
			text, err := os.ReadFile(name)
			mods[file] = string(text)
			return err
		case strings.HasSuffix(file, ".go"):
			tree, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
			if err != nil {
				return err
			}
			for _, spec := range tree.Imports {
				p, err := strconv.Unquote(spec.Path.Value)
				if err != nil {
					return err
				}
				if under(p, root) {
					p = "." + strings.TrimPrefix(p, root)
				}
				uses = append(uses, use{file, p})
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return uses, mods
}

// Rules that never say no would pass as well.
func TestDoorsAreJudged(t *testing.T) {
	objected := map[string]bool{}
	for _, c := range []struct {
		use
		wrong int // how many rules say so
	}{
		{use{"manager.go", "net/http"}, 0},
		{use{"manager.go", "github.com/google/uuid"}, 1},
		{use{"manager_test.go", "github.com/google/uuid"}, 1},
		{use{"manager.go", "./memstore"}, 1},
		{use{"manager_test.go", "./memstore"}, 0},
		{use{"example_test.go", "./redisstore"}, 1}, // another module
		{use{"manager.go", "./internal/clock"}, 0},
		{use{"internal/record/content.go", "./internal/value"}, 0},
		{use{"internal/value/draft.go", "./internal/record"}, 1},
		{use{"internal/queue/queue.go", "."}, 1},
		{use{"bridge.go", "./internal/bridge"}, 0},
		{use{"scscompat/manager.go", "./internal/bridge"}, 0},
		{use{"scscompat/manager.go", "github.com/alexedwards/scs/v2"}, 1},
		{use{"sqlstore/store.go", "./internal/bridge"}, 1},
		{use{"dbsc/register.go", "./internal/bridge"}, 0},
		{use{"dbsc/register.go", "./internal/record"}, 1},
		{use{"dbsc/register.go", "./sqlstore"}, 1},
		{use{"dbsc/rules_test.go", "./memstore"}, 0},
		{use{"sojourntest/dbscclient/client.go", "./dbsc"}, 0},
		{use{"internal/queue/queue_test.go", "./internal/token"}, 0},
		{use{"manager.go", "./legacy"}, 1},
		{use{"example_test.go", "./legacy"}, 0},
		{use{"legacy/scs.go", "."}, 0},
		{use{"legacy/scs.go", "net/http"}, 0},
		{use{"legacy/scs.go", "./sqlstore"}, 1},
		{use{"legacy/scs.go", "./internal/token"}, 1},
		{use{"legacy/scs.go", "github.com/alexedwards/scs/v2"}, 1},
		{use{"admin/handler.go", "."}, 0},
		{use{"admin/pages.go", "html/template"}, 0},
		{use{"admin/handler.go", "./memstore"}, 1},
		{use{"admin/site_test.go", "./memstore"}, 0},
		{use{"admin/handler.go", "./internal/token"}, 1},
		{use{"manager.go", "./admin"}, 1},
		{use{"snippetbox/admin.go", "./admin"}, 0},
		{use{"throttle/throttle.go", "."}, 0},
		{use{"throttle/throttle.go", "net/http"}, 0},
		{use{"throttle/throttle.go", "./internal/carrier"}, 1},
		{use{"throttle/throttle_test.go", "./memstore"}, 0},
		{use{"manager.go", "./throttle"}, 1},
		{use{"example_test.go", "./throttle"}, 0},
		{use{"snippetbox/main.go", "./throttle"}, 0},
		{use{"memstore/store.go", "."}, 0},
		{use{"memstore/store.go", "net/http"}, 1},
		{use{"memstore/store_test.go", "net/http/httptest"}, 1},
		{use{"sqlstore/store.go", "database/sql"}, 0},
		{use{"sqlstore/store.go", "./memstore"}, 1},
		{use{"sqlstore/store.go", "./sqlstore/wire"}, 0},
		{use{"sqlstore/store_test.go", "./storetest"}, 0},
		{use{"sqlstore/store.go", "./storetest"}, 1},
		{use{"redisstore/store.go", "./sqlstore"}, 1},
		{use{"redisstore/store.go", "github.com/redis/rueidis"}, 0},
		{use{"redisstore/store.go", "./internal/clock"}, 1},
		{use{"sqlstore/store.go", "./internal/clock"}, 0},
		{use{"sojourntest/browser.go", "testing"}, 0},
		{use{"sojourntest/browser.go", "./storetest"}, 0},
		{use{"manager.go", "testing"}, 1},
		{use{"manager.go", "testing/synctest"}, 1},
		{use{"manager_test.go", "testing"}, 0},
		{use{"manager.go", "./sojourntest"}, 1},
		{use{"snippetbox/main.go", "./sqlstore"}, 0},
		{use{"snippetbox/main.go", "github.com/justinas/alice"}, 0},
		{use{"snippetbox/main_test.go", "./sojourntest"}, 0},
		{use{"snippetbox/main_test.go", "./storetest"}, 1},
		{use{"snippetbox/main.go", "./internal/clock"}, 2},
		{use{"snippetbox/main.go", "./lab/harness"}, 2},
		{use{"snippetbox/main.go", "./snippetbox/ui"}, 0},
		{use{"snippetboxes/main.go", "./memstore"}, 0},
		{use{"lab/laws/laws.go", "./snippetbox/ui"}, 0},
		{use{"lab/laws/laws.go", "./storetest"}, 0},
		{use{"lab/laws/laws.go", "testing"}, 0},
		{use{"lab/laws/laws.go", "./internal/clock"}, 1},
		{use{"manager_test.go", "./lab/harness"}, 2},
		{use{"cmd/sojourn/main.go", "./snippetbox/ui"}, 1},
	} {
		bad := wrongDoors(c.use)
		if len(bad) != c.wrong {
			t.Errorf("%s imports %s: %d rules object, want %d: %q", c.file, c.path, len(bad), c.wrong, bad)
		}
		for _, b := range bad {
			objected[b[strings.Index(b, ": ")+2:]] = true
		}
	}
	for _, d := range doors {
		if !objected[d.reason] {
			t.Errorf("no case shows that this rule can fail: %s", d.reason)
		}
	}
	for _, c := range []struct {
		file, text string
		wrong      int
	}{
		{"go.mod", "module m\n\ngo 1.26\n", 0},
		{"go.mod", "module m\n\nrequire example.com/x v1.0.0\n", 1},
		{"go.mod", "module m\n\nrequire(\n\texample.com/x v1.0.0\n)\n", 1},
		{"lab/go.mod", "module m\n\nrequire example.com/x v1.0.0\n", 0},
		{"lab/go.mod", "module m\n\nreplace example.com/x => ../\n", 1},
		{"go.mod", "module m // a replace\nreplace\t(\n", 1},
	} {
		if bad := wrongLines(c.file, c.text); len(bad) != c.wrong {
			t.Errorf("%s with %q: %d objections, want %d: %q", c.file, c.text, len(bad), c.wrong, bad)
		}
	}
}
