package response

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

type tells struct {
	http.ResponseWriter
	out bool
}

func (t tells) Written() bool { return t.out }

type wraps struct{ http.ResponseWriter }

func (w wraps) Unwrap() http.ResponseWriter { return w.ResponseWriter }

type echoes struct {
	http.ResponseWriter
	Committed bool
}

type committed struct{ Committed bool }

type hollow struct {
	http.ResponseWriter
	*committed
}

type counts struct {
	http.ResponseWriter
	Committed int
}

// Who tells that the header is out is believed, however deep; who has nothing of the kind tells nothing.
func TestPast(t *testing.T) {
	fresh, used := httptest.NewRecorder(), httptest.NewRecorder()
	used.WriteHeader(200)
	for what, c := range map[string]struct {
		inner         http.ResponseWriter
		past, unasked bool
	}{
		"a recorder":          {fresh, false, false},
		"a used one":          {used, false, true},
		"Written says no":     {tells{fresh, false}, false, false},
		"Written says yes":    {tells{fresh, true}, true, true},
		"deep inside":         {wraps{wraps{tells{fresh, true}}}, true, true},
		"a used one inside":   {wraps{used}, false, true},
		"Committed":           {&echoes{fresh, true}, false, true},
		"not yet":             {&echoes{fresh, false}, false, false},
		"the way to it nil":   {hollow{fresh, nil}, false, false},
		"another Committed":   {counts{fresh, 1}, false, false},
		"hidden behind plain": {plain{used}, false, false},
	} {
		w, _ := writerOf(c.inner)
		if w.Past() != c.past || w.PastUnasked() != c.unasked {
			t.Errorf("%s: %v and %v, want %v and %v", what, w.Past(), w.PastUnasked(), c.past, c.unasked)
		}
	}
}
