package compliance_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"os"
	"path"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/dbsc"
	"github.com/gosojourn/sojourn/memstore"
)

var docs = flag.Bool("docs", false, "write docs/compliance.md")

const page, root = "docs/compliance.md", "../../"

// strict is a Config with everything set that a row asks for.
var strict = sojourn.Config{
	Lifetime: 8 * time.Hour, IdleTimeout: 15 * time.Minute, MaxPerOwner: 10, EncryptAtRest: true,
	Device: func(r *http.Request) sojourn.Device { return sojourn.Device{Agent: r.UserAgent()} },
}

// A row is one requirement, as three managers stand to it.
type row struct {
	zero, strict, sealed sojourn.Requirement
	check                bool   // a subtest of TestCompliance
	shown                string // where else: a file and a name in it
}

// onPaper has what only the application's own papers can show.
var onPaper = map[string]string{"V7.1.3": "a document of the application"}

func table(t *testing.T) (all []row) {
	t.Helper()
	zero := newSite(t, memstore.New(), sojourn.Config{}).Policy().Requirements
	bound := newSite(t, memstore.New(), strict)
	if _, err := dbsc.New(bound.Manager, dbsc.Config{}); err != nil {
		t.Fatal(err)
	}
	strict := bound.Policy().Requirements
	sealed := newSealedSite(t, sojourn.Config{Revocations: memstore.New()}).Policy().Requirements
	shown := shownElsewhere(t)
	for i := range zero {
		_, ok := checks[zero[i].ID]
		all = append(all, row{zero[i], strict[i], sealed[i], ok, shown[zero[i].ID]})
	}
	return all
}

// shownElsewhere reads the list of the root package: for each id a file, and what a test in it is called.
func shownElsewhere(t *testing.T) map[string]string {
	t.Helper()
	tree, err := parser.ParseFile(token.NewFileSet(), root+"requirements_shown_test.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	ast.Inspect(tree, func(n ast.Node) bool {
		kv, ok := n.(*ast.KeyValueExpr)
		if !ok {
			return true
		}
		pair, ok := kv.Value.(*ast.CompositeLit)
		if !ok || len(pair.Elts) != 2 {
			return true
		}
		text := func(e ast.Expr) string {
			s, err := strconv.Unquote(e.(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		all[text(kv.Key)] = text(pair.Elts[0]) + ": " + strings.TrimSpace(text(pair.Elts[1]))
		return true
	})
	if len(all) < 50 {
		t.Fatalf("%d rows are shown elsewhere: has the form of the list changed?", len(all))
	}
	return all
}

func (r row) standings() [3]sojourn.Requirement {
	return [3]sojourn.Requirement{r.zero, r.strict, r.sealed}
}

func (r row) any(s sojourn.Standing) bool {
	return r.zero.Standing == s || r.strict.Standing == s || r.sealed.Standing == s
}

// how says once what the three have in common.
func (r row) how() string {
	said := r.zero.How
	if r.strict.How != r.zero.How {
		said += " *Strict:* " + r.strict.How
	}
	if r.sealed.How != r.zero.How {
		said += " *Sealed:* " + r.sealed.How
	}
	return said
}

func (r row) where() string {
	var all []string
	if r.check {
		all = append(all, "`TestCompliance/"+r.zero.ID+"`")
	}
	if file, name, ok := strings.Cut(r.shown, ": "); ok {
		all = append(all, fmt.Sprintf("[%s](../%s): %s", path.Base(file), file, name))
	}
	if p := onPaper[r.zero.ID]; p != "" {
		all = append(all, p)
	}
	return strings.Join(all, "; ")
}

// counts is how many rows stand how, with the managers of zero, strict and sealed.
func counts(all []row) (of [3]map[sojourn.Standing]int) {
	for i := range of {
		of[i] = map[sojourn.Standing]int{}
	}
	for _, r := range all {
		for i, q := range r.standings() {
			of[i][q.Standing]++
		}
	}
	return of
}

var managers = [3]string{"a zero Config", "strict", "sealed"}

func tally(n map[sojourn.Standing]int) string {
	return fmt.Sprintf("%d met, %d application, %d deviates, %d not in use",
		n[sojourn.Met], n[sojourn.Application], n[sojourn.Deviates], n[sojourn.NotInUse])
}

// TestTable holds the rows, the subtests and the page together.
func TestTable(t *testing.T) {
	all := table(t)
	for i, n := range counts(all) {
		t.Logf("%-14s %s", managers[i]+":", tally(n))
	}
	known := map[string]bool{}
	for _, r := range all {
		known[r.zero.ID] = true
		if r.any(sojourn.Met) && !r.check {
			t.Errorf("%s is called met, and TestCompliance has no case for it", r.zero.ID)
		}
		if r.any(sojourn.Application) && r.where() == "" {
			t.Errorf("%s is the application's, and nothing is named that shows how one does it", r.zero.ID)
		}
	}
	for id := range checks {
		if !known[id] {
			t.Errorf("TestCompliance has a case for %s, and the policy has no such row", id)
		}
	}

	want := render(all)
	if *docs {
		if err := os.WriteFile(root+page, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(root + page)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the suite says: go test ./lab/compliance -docs writes it", page)
	}
}

const opening = `# How Sojourn stands to the standards

Written by ` + "`go test ./lab/compliance -docs`" + `: do not edit. The suite fails when this page differs from it, when a row that is called met has no
subtest, and when a row of the application names nothing that shows it.

The rows are those of ` + "`Manager.Policy`" + `; [policy.md](policy.md) says what the words mean. Three managers are asked: **zero**, a zero Config on a
store; **strict**, with 8 hours, 15 minutes idle, ten sessions an owner, encryption at rest, the client kept, and package dbsc; **sealed**, sessions in the clients'
cookies, with Config.Revocations. ` + "`TestCompliance/O23`" + ` is a subtest of lab/compliance: it asks the real middleware on memory and, where a store's work
decides, on SQLite. What is behind it shows the same more thoroughly, or shows what the reference application does.

`

// render is docs/compliance.md.
func render(all []row) []byte {
	var b bytes.Buffer
	b.WriteString(opening)
	b.WriteString("| manager | met | application | deviates | not in use |\n|---|---|---|---|---|\n")
	for i, n := range counts(all) {
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d |\n", managers[i], n[sojourn.Met], n[sojourn.Application], n[sojourn.Deviates], n[sojourn.NotInUse])
	}
	b.WriteString("\n| id | source | asks | zero | strict | sealed | how | shown by |\n|---|---|---|---|---|---|---|---|\n")
	for _, r := range all {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", r.zero.ID, r.zero.Source, r.zero.Asks,
			r.zero.Standing, r.strict.Standing, r.sealed.Standing, r.how(), r.where())
	}
	b.WriteString("\n## What deviates, and why\n")
	for _, r := range all {
		said := map[string]bool{}
		for i, q := range r.standings() {
			if q.Standing == sojourn.Deviates && !said[q.How] {
				said[q.How] = true
				fmt.Fprintf(&b, "- **%s**, %s: %s\n", q.ID, managers[i], q.How)
			}
		}
	}
	return b.Bytes()
}
