package gorillacompat

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/gosojourn/sojourn"
)

// A visit is one session name of one request: what the client shows, and, after a Save, what it will show.
type visit struct {
	memo  memo
	shows []*http.Cookie // nil while that is what the request came with

	replaced map[string]bool // public ids that Saves of this request have given others for
}

// A sink is the response of a manager that is asked outside its middleware: what is said in the header is
// kept for w, if there is one, and nothing else is.
type sink struct {
	http.ResponseWriter
	header http.Header
	err    error // why the session could not be loaded
}

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) WriteHeader(int)             {}
func (s *sink) Write(p []byte) (int, error) { return len(p), nil }

// Unwrap shows the manager the writers around: whether http.TimeoutHandler is among them.
func (s *sink) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// toSink has an error told to a sink, and to answer in all other cases.
func toSink(answer func(http.ResponseWriter, *http.Request, error)) func(http.ResponseWriter, *http.Request, error) {
	return func(w http.ResponseWriter, r *http.Request, err error) {
		if s := sinkIn(w); s != nil {
			s.err = err
			return
		}
		if answer != nil {
			answer(w, r, err)
			return
		}
		code := http.StatusInternalServerError
		if sojourn.Unavailable(err) || r.Context().Err() != nil {
			code = http.StatusServiceUnavailable
		}
		http.Error(w, http.StatusText(code), code)
	}
}

func sinkIn(w http.ResponseWriter) *sink {
	for w != nil {
		if s, ok := w.(*sink); ok {
			return s
		}
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return nil
		}
		w = u.Unwrap()
	}
	return nil
}

// A handle is a manager's session while run lasts.
type handle struct {
	*sojourn.Manager
	ctx    context.Context
	writer http.ResponseWriter // the manager's: writing a header to it says that the header is out
	around bool                // the manager's LoadAndSave is around the handler: it has the response
}

// run gives do m's session of r: the one of a LoadAndSave around, or else one that begins and ends here. w is
// nil where there is nothing to send.
func (v *visit) run(m *sojourn.Manager, r *http.Request, w http.ResponseWriter, do func(handle) error) (err error) {
	out := &sink{ResponseWriter: w, header: make(http.Header)}
	if w != nil {
		maps.Copy(out.header, w.Header())
	}
	said := out.header["Set-Cookie"]
	in := r.WithContext(context.WithValue(r.Context(), memoKey{}, &v.memo))
	if v.shows != nil {
		in.Header = r.Header.Clone()
		in.Header["Cookie"] = []string{line(v.shows)}
	}
	v.memo.byOld(false)
	ran, around := false, false
	m.LoadAndSave(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		ran, around = true, rw == http.ResponseWriter(out)
		err = do(handle{m, r.Context(), rw, around})
	})).ServeHTTP(out, in)
	switch {
	case !ran:
		return out.err
	case around || w == nil || begun(w):
		return err
	}
	v.send(r, w.Header(), out.header, said)
	return err
}

// send makes the header what the manager has made of it, and remembers what the client will show from now on.
func (v *visit) send(r *http.Request, h, made http.Header, said []string) {
	for name := range h {
		if _, stays := made[name]; !stays {
			delete(h, name)
		}
	}
	maps.Copy(h, made)
	if v.memo.foundByOld() {
		return // a token is handed over; whether it arrives, only the client's next request shows
	}
	for _, l := range made["Set-Cookie"] {
		if slices.Contains(said, l) {
			continue
		}
		c, err := http.ParseSetCookie(l)
		if err != nil {
			continue
		}
		if v.shows == nil {
			v.shows = append([]*http.Cookie{}, r.Cookies()...)
		}
		v.shows = slices.DeleteFunc(v.shows, func(old *http.Cookie) bool { return old.Name == c.Name })
		if c.MaxAge >= 0 {
			v.shows = append(v.shows, c)
		}
	}
}

func line(cookies []*http.Cookie) string {
	pairs := make([]string, len(cookies))
	for i, c := range cookies {
		pairs[i] = c.Name + "=" + c.Value
	}
	return strings.Join(pairs, "; ")
}
