package sojourn_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
)

// What the store holds shows whose session it is, and no value.
func ExampleConfig_encryptAtRest() {
	store := memstore.New()
	sessions, err := sojourn.New(store, sojourn.Config{EncryptAtRest: true})
	if err != nil {
		log.Fatal(err)
	}
	iban := sojourn.NewKey[string]("iban")
	handler := sessions.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := sessions.Login(r.Context(), "ann"); err != nil {
			http.Error(w, "Please try again.", http.StatusServiceUnavailable)
			return
		}
		iban.Put(r.Context(), "DE02120300000000202051")
	}))
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "https://example.com/login", nil))

	for r, err := range store.ListAll(context.Background()) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(r.Owner, bytes.Contains(r.Data, []byte("DE02")), bytes.Contains(r.Data, []byte("iban")))
	}
	// Output: ann false false
}
