package scscompat_test

import (
	"go/importer"
	"go/token"
	"go/types"
	"strings"
	"testing"
)

// TestSurface: all that scs exports is here, of the same type.
func TestSurface(t *testing.T) {
	from := importer.ForCompiler(token.NewFileSet(), "source", nil)
	read := func(path string) *types.Package {
		p, err := from.Import(path)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	theirs, ours := read("github.com/alexedwards/scs/v2"), read("github.com/gosojourn/sojourn/scscompat")
	write := func(x types.Type) string {
		return types.TypeString(x, func(p *types.Package) string {
			if p == theirs || p == ours {
				return ""
			}
			return p.Path()
		})
	}
	compared := 0
	same := func(name string, a, b types.Object) {
		t.Helper()
		compared++
		switch {
		case b == nil:
			t.Errorf("%s is missing", name)
		case write(a.Type()) != write(b.Type()):
			t.Errorf("%s is %s, and with scs %s", name, write(b.Type()), write(a.Type()))
		}
	}
	for _, name := range theirs.Scope().Names() {
		a, b := theirs.Scope().Lookup(name), ours.Scope().Lookup(name)
		if !a.Exported() {
			continue
		}
		same(name, a, b)
		if c, ok := a.(*types.Const); ok && b != nil && c.Val() != b.(*types.Const).Val() {
			t.Errorf("%s is %s, and with scs %s", name, b.(*types.Const).Val(), c.Val())
		}
		named, ok := types.Unalias(a.Type()).(*types.Named)
		if _, isType := a.(*types.TypeName); !ok || !isType || b == nil {
			continue
		}
		other := types.Unalias(b.Type())
		set := types.NewMethodSet(types.NewPointer(named))
		for m := range set.Methods() {
			if m.Obj().Exported() {
				found, _, _ := types.LookupFieldOrMethod(types.NewPointer(other), true, ours, m.Obj().Name())
				same(name+"."+m.Obj().Name(), m.Obj(), found)
			}
		}
		switch u := named.Underlying().(type) {
		case *types.Struct:
			for f := range u.Fields() {
				if f.Exported() {
					found, _, _ := types.LookupFieldOrMethod(other, true, ours, f.Name())
					same(name+"."+f.Name(), f, found)
				}
			}
		case *types.Interface:
			if write(u) != write(other.Underlying()) {
				t.Errorf("%s is %s, and with scs %s", name, write(other.Underlying()), write(u))
			}
			if !types.Identical(u, other.Underlying()) && !strings.Contains(write(u), "Store") {
				t.Errorf("%s: a value of the one is none of the other", name)
			}
		}
	}
	if compared < 60 {
		t.Errorf("compared %d names: that is not all of scs", compared)
	}
}
