package storetest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The promises that failures quote are the comment of sojourn.Store, word for word.
func TestPromisesAreThoseOfTheStore(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../store.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	said := promisesIn(comment(t, file, "Store"))
	said[0] = strings.Join(strings.Fields(comment(t, file, "Checker")), " ")
	for n, text := range promises {
		if said[n] != text {
			t.Errorf("promise %d is quoted as\n\t%s\nbut store.go says\n\t%s", n, text, said[n])
		}
	}
	if len(said) != len(promises) {
		t.Errorf("store.go makes %d promises, %d are quoted", len(said)-1, len(promises)-1)
	}
}

// Every promise has a case, and the cases are named so that -run finds them by number.
func TestEveryPromiseHasACase(t *testing.T) {
	held := map[int]bool{}
	named := map[string]bool{}
	for i, c := range cases {
		held[c.promise] = true
		if named[c.String()] {
			t.Errorf("two cases are named %s", c)
		}
		named[c.String()] = true
		if i > 0 && cases[i-1].promise > c.promise {
			t.Errorf("%s stands behind %s", c, cases[i-1])
		}
	}
	for n := range promises {
		if !held[n] {
			t.Errorf("promise %d has no case", n)
		}
	}
}

func TestSimilarOwnersAreDifferent(t *testing.T) {
	seen := map[string]bool{}
	for _, owner := range similarOwners(newOwner()) {
		if seen[owner] || len(owner) > 255 || strings.ToValidUTF8(owner, "") != owner {
			t.Errorf("%q is there twice, too long, or no UTF-8", owner)
		}
		seen[owner] = true
	}
}

func comment(t *testing.T, file *ast.File, name string) string {
	t.Helper()
	for _, decl := range file.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range gen.Specs {
			if s, ok := spec.(*ast.TypeSpec); ok && s.Name.Name == name {
				return gen.Doc.Text()
			}
		}
	}
	t.Fatalf("store.go has no type %s", name)
	return ""
}

var numbered = regexp.MustCompile(`^\s+(\d+)\. (.*)`)

// promisesIn reads a numbered list: an item goes on in lines that are indented.
func promisesIn(doc string) map[int]string {
	said := map[int]string{}
	n := -1
	for line := range strings.Lines(doc) {
		switch m := numbered.FindStringSubmatch(line); {
		case m != nil:
			n, _ = strconv.Atoi(m[1])
			said[n] = strings.TrimSpace(m[2])
		case n >= 0 && line != strings.TrimLeft(line, " \t"):
			said[n] += " " + strings.TrimSpace(line)
		default:
			n = -1
		}
	}
	return said
}
