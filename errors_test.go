package sojourn_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sojourntest"
)

// An error names each operation once: a store has its own name for it in front.
func TestUnavailableSaysTheOperationOnce(t *testing.T) {
	for _, c := range []struct{ store, want string }{
		{"otherstore: load: no route to host", "sojourn: otherstore: load: no route to host"},
		{"no route to host", "sojourn: load: no route to host"},
		{"otherstore: ask: no route to host", "sojourn: load: otherstore: ask: no route to host"},
	} {
		f := &sojourntest.FaultyStore{Store: memstore.New()}
		m, err := sojourn.New(f, sojourn.Config{})
		if err != nil {
			t.Fatal(err)
		}
		_, cookie := ask(m, "", putName)
		cause := errors.New(c.store)
		f.Fail(cause)
		ask(m, cookie, func(_ http.ResponseWriter, r *http.Request) { err = m.Load(r.Context()) })
		if fmt.Sprint(err) != c.want || !errors.Is(err, cause) || !sojourn.Unavailable(err) {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}
