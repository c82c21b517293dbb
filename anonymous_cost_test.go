package sojourn_test

import (
	"net/http"
	"testing"

	"github.com/gosojourn/sojourn"
)

// sealedCosts are those of costs for a visitor: 3, 14 and 27; one of them is the response's header. The race detector costs
// up to two more.
var sealedCosts = []float64{3, 15, 29}

// Allocations of a visitor's request, the same whatever the number of keys in the seal; those of a session in the store
// are as without Anonymous.
func TestAnonymousAllocations(t *testing.T) {
	ring, err := oneRing()
	if err != nil {
		t.Fatal(err)
	}
	local := newManager(t, sojourn.Config{Anonymous: ring})
	for _, keys := range []int{2, 20} {
		visitor := seeded(local, keys)
		login, token := ask(local, seeded(local, keys).Header.Get("Cookie"), func(_ http.ResponseWriter, r *http.Request) {
			if err := local.Login(r.Context(), "bob"); err != nil {
				t.Error(err)
			}
		})
		if len(login.Header()["Set-Cookie"]) != 2 {
			t.Fatal(login.Header())
		}
		stored := visitor.Clone(t.Context())
		stored.Header.Set("Cookie", token)
		for i, c := range costs {
			h := local.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { c.do(r.Context()) }))
			w := discard{http.Header{}}
			if n := testing.AllocsPerRun(200, func() { h.ServeHTTP(w, stored) }); n > c.limit {
				t.Errorf("stored, %s with %d keys: %v allocations, at most %v", c.name, keys, n, c.limit)
			}
			if n := testing.AllocsPerRun(200, func() { h.ServeHTTP(discard{http.Header{}}, visitor) }); n > sealedCosts[i] {
				t.Errorf("sealed, %s with %d keys: %v allocations, at most %v", c.name, keys, n, sealedCosts[i])
			}
		}
	}
}
