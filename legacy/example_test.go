package legacy_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/gob"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/legacy"
	"github.com/gosojourn/sojourn/memstore"
)

var message = sojourn.NewKey[string]("flash")

// An application that had scs's sessions in MySQL moves to Sojourn. Whoever is logged in stays so.
func Example() {
	var db *sql.DB // the database with scs's table
	x := &legacy.SCS{
		Rows:    legacy.MySQL(db, ""),
		Owner:   "authenticatedUserID",                         // m.Put(ctx, "authenticatedUserID", id) in the old program
		Values:  []legacy.Value{legacy.Copy("flash", message)}, // m.Put(ctx, "flash", "Saved")
		KeepFor: 2 * time.Hour,                                 // no deployment takes longer
	}
	x.Rows = demo() // instead, so that this runs without a database
	sessions, err := sojourn.New(memstore.New(), sojourn.Config{
		Legacy: x,
		Cookie: sojourn.Cookie{Persistent: true}, // as scs has it by default
	})
	if err != nil {
		log.Fatal(err)
	}
	handler := sessions.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Printf("user %s: %s\n", sessions.Info(r.Context()).Owner, message.Pop(r.Context()))
	}))

	r := httptest.NewRequest("GET", "https://example.com/", nil)
	r.AddCookie(&http.Cookie{Name: "session", Value: demoToken}) // of scs
	handler.ServeHTTP(httptest.NewRecorder(), r)
	// Output: user 7: Saved
}

// Any Redis client will do; this is one of go-redis, in a few lines:
//
//	func (c client) Get(ctx context.Context, key string) ([]byte, bool, error) {
//		b, err := c.Client.Get(ctx, key).Bytes()
//		if errors.Is(err, redis.Nil) {
//			return nil, false, nil
//		}
//		return b, err == nil, err
//	}
//
//	func (c client) Del(ctx context.Context, key string) error { return c.Client.Del(ctx, key).Err() }
func ExampleRedis() {
	var client legacy.RedisClient
	_ = &legacy.SCS{Rows: legacy.Redis(client, ""), Owner: "authenticatedUserID"}
}

// A cart was a struct in the old program, and is a list of texts in this one.
func ExampleMap() {
	type Cart struct{ Items []string }
	cart := sojourn.NewKey[[]string]("cart")
	_ = &legacy.SCS{
		Rows:   demo(),
		Types:  []any{Cart{}}, // what the old program gave to gob.Register
		Values: []legacy.Value{legacy.Map("cart", cart, func(c Cart) ([]string, error) { return c.Items, nil })},
	}
}

var demoToken = base64.RawURLEncoding.EncodeToString(make([]byte, 32))

// demo is a table with one session.
func demo() legacy.Rows {
	var b bytes.Buffer
	_ = gob.NewEncoder(&b).Encode(struct {
		Deadline time.Time
		Values   map[string]any
	}{time.Now().Add(time.Hour), map[string]any{"authenticatedUserID": 7, "flash": "Saved"}})
	return demoRows{demoToken: b.Bytes()}
}

type demoRows map[string][]byte

func (r demoRows) Find(_ context.Context, key string) ([]byte, error) {
	if b, ok := r[key]; ok {
		return b, nil
	}
	return nil, sojourn.ErrNotFound
}

func (r demoRows) Delete(_ context.Context, key string) error { delete(r, key); return nil }
