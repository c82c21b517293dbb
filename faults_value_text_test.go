package sojourn_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
)

// Config.Logger and Event promise that no value is in a line or an event. encoding/json quotes what it cannot take.
func TestFaultAValueThatDoesNotFitIsInNoLogAndNoEvent(t *testing.T) {
	const secret = "4111111111111111"
	var log bytes.Buffer
	var events []string
	m, err := sojourn.New(memstore.New(), sojourn.Config{
		Logger:  slog.New(slog.NewTextHandler(&log, nil)),
		OnEvent: func(_ context.Context, e sojourn.Event) { events = append(events, fmt.Sprint(e.Name, e.Reason, e.Err)) },
	})
	if err != nil {
		t.Fatal(err)
	}
	type before struct{ V string }
	type after struct{ V time.Time }
	_, c := ask(m, "", func(_ http.ResponseWriter, r *http.Request) {
		sojourn.NewKey[before]("card").Put(r.Context(), before{secret})
	})
	ask(m, c, func(_ http.ResponseWriter, r *http.Request) { sojourn.NewKey[after]("card").Get(r.Context()) })
	if text := log.String(); strings.Contains(text, secret) {
		t.Errorf("the log has the value: %s", text)
	}
	if text := fmt.Sprint(events); strings.Contains(text, secret) {
		t.Errorf("an event has the value: %s", text)
	}
}
