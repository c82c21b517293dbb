package sojourntest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gosojourn/sojourn"
)

// Context returns a context with a new, empty session of m, as a handler behind LoadAndSave would find it.
// Put values, call the handler with r.WithContext(ctx), and read values when it has returned. Commit works,
// but no response is sent. The request that the context belongs to ends with the test.
func Context(t testing.TB, m *sojourn.Manager) context.Context {
	t.Helper()
	out, over, returned := make(chan context.Context, 1), make(chan struct{}), make(chan struct{})
	h := m.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		out <- r.Context()
		<-over
	}))
	go func() {
		defer close(returned)
		r, _ := http.NewRequest(http.MethodGet, "https://sojourn.test/", nil)
		h.ServeHTTP(httptest.NewRecorder(), r)
	}()
	t.Cleanup(func() {
		close(over)
		<-returned
	})
	select {
	case ctx := <-out:
		return ctx
	case <-returned:
		t.Fatal("sojourntest: the session could not be loaded, so there is no context: is the store failing?")
		return nil
	}
}
