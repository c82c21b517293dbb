// Command serve runs one of the shops, to try with a browser or curl:
//
//	go run ./lab/compat/serve gin
//	curl -c jar -b jar -d name=ann localhost:4000/login
//	curl -c jar -b jar localhost:4000/
package main

import (
	"log"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/lab/compat/chi"
	"github.com/gosojourn/sojourn/lab/compat/connect"
	"github.com/gosojourn/sojourn/lab/compat/echo4"
	"github.com/gosojourn/sojourn/lab/compat/echo5"
	"github.com/gosojourn/sojourn/lab/compat/gin"
	"github.com/gosojourn/sojourn/lab/compat/gorillamux"
	"github.com/gosojourn/sojourn/lab/compat/httprouter"
	"github.com/gosojourn/sojourn/lab/compat/huma"
	"github.com/gosojourn/sojourn/lab/compat/nethttp"
	"github.com/gosojourn/sojourn/lab/compat/shop"
	"github.com/gosojourn/sojourn/memstore"
)

var programs = map[string]func(*shop.Shop) http.Handler{
	"nethttp": nethttp.New, "chi": chi.New, "gorillamux": gorillamux.New, "gin": gin.New, "echo4": echo4.New,
	"echo5": echo5.New, "huma": huma.New, "connect": connect.New, "httprouter": httprouter.New,
}

func main() {
	names := slices.Sorted(maps.Keys(programs))
	if len(os.Args) != 2 || programs[os.Args[1]] == nil {
		log.Fatalf("usage: serve %s", strings.Join(names, "|"))
	}
	sessions, err := sojourn.New(memstore.New(), sojourn.Config{DangerouslyAllowHTTP: true}) // for curl, which sends no Secure cookie over http
	if err != nil {
		log.Fatal(err)
	}
	log.Print("http://localhost:4000")
	log.Fatal(http.ListenAndServe("localhost:4000", programs[os.Args[1]](&shop.Shop{Sessions: sessions})))
}
