// Package compat_test runs the suite on every framework, and holds docs/routers.md to what came out.
package compat_test

import (
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gosojourn/sojourn/lab/compat/chi"
	"github.com/gosojourn/sojourn/lab/compat/connect"
	"github.com/gosojourn/sojourn/lab/compat/echo4"
	"github.com/gosojourn/sojourn/lab/compat/echo5"
	"github.com/gosojourn/sojourn/lab/compat/gin"
	"github.com/gosojourn/sojourn/lab/compat/gorillamux"
	"github.com/gosojourn/sojourn/lab/compat/gzip"
	"github.com/gosojourn/sojourn/lab/compat/httprouter"
	"github.com/gosojourn/sojourn/lab/compat/huma"
	"github.com/gosojourn/sojourn/lab/compat/nethttp"
	"github.com/gosojourn/sojourn/lab/compat/proxy"
	"github.com/gosojourn/sojourn/lab/compat/shop"
	"github.com/gosojourn/sojourn/lab/compat/suite"
	"github.com/gosojourn/sojourn/lab/compat/timeout"
)

var write = flag.Bool("docs", false, "write the tables of docs/routers.md instead of comparing them")

const page = "../../docs/routers.md"

var frameworks = []suite.App{
	{Name: "net/http", New: nethttp.New},
	{Name: "chi", New: chi.New},
	{Name: "gorilla/mux", New: gorillamux.New},
	{Name: "Gin", New: gin.New},
	{Name: "Echo v4", New: echo4.New},
	{Name: "Echo v5", New: echo5.New},
	{Name: "Huma", New: huma.New, Asks: suite.JSON},
	{Name: "connect-go", New: connect.New, Asks: suite.Connect(connect.Service), Lacks: []string{"redirect", "chat"}},
	{Name: "httprouter", New: httprouter.New},
}

var arrangements = []suite.App{
	{Name: "chi: the whole router wrapped, `Recoverer` inside", New: chi.Whole},
	{Name: "Echo v4: the whole of Echo wrapped, `Recover` inside", New: echo4.Whole},
	{Name: "Echo v5: the whole of Echo wrapped, `Recover` inside", New: echo5.Whole},
	{Name: "`handlers.CompressHandler` outside", New: gzip.Outside},
	{Name: "`handlers.CompressHandler` inside", New: gzip.Inside},
	{Name: "`handlers.CompressHandler` inside, the recovering middleware outside", New: gzip.Unrecovered},
	{Name: "`gzhttp.GzipHandler` outside", New: gzip.GzhttpOutside},
	{Name: "`gzhttp.GzipHandler` inside", New: gzip.GzhttpInside},
	{Name: "`http.TimeoutHandler` inside", New: limited(timeout.Inside), Lacks: []string{"stream", "hang-up", "chat"}},
	{Name: "`http.TimeoutHandler` outside, nobody late", New: limited(timeout.Outside), Lacks: []string{"stream", "chat"}},
	{Name: "behind `httputil.ReverseProxy`", New: nethttp.New, Front: behindProxy},
	{Name: "Gin: `adapter.Wrap` of gwatts/gin-adapter", New: gin.Adapted},
	{Name: "Gin: an adapter that ignores the writer", New: gin.Ignored},
}

func limited(h func(*shop.Shop, time.Duration) http.Handler) func(*shop.Shop) http.Handler {
	return func(s *shop.Shop) http.Handler { return h(s, time.Hour) }
}

func behindProxy(t testing.TB, h http.Handler) http.Handler {
	backend := httptest.NewServer(h)
	t.Cleanup(backend.Close)
	u, err := url.Parse(backend.URL)
	if err != nil {
		t.Fatal(err)
	}
	return proxy.Front(u, backend.Client().Transport)
}

// The tables of docs/routers.md are what the suite finds, on HTTP/1.1 and HTTP/2.
func TestTables(t *testing.T) {
	rows, faults := suite.Run(t, append(frameworks[:len(frameworks):len(frameworks)], arrangements...))
	var table strings.Builder
	table.WriteString("| | ")
	for _, f := range frameworks {
		fmt.Fprintf(&table, "| %s ", f.Name)
	}
	table.WriteString("|\n|---|---" + strings.Repeat("|:-:", len(frameworks)) + "|\n")
	for i, r := range rows {
		fmt.Fprintf(&table, "| %d | %s ", i+1, r.Case)
		for _, c := range r.Results[:len(frameworks)] {
			fmt.Fprintf(&table, "| %s ", c)
		}
		table.WriteString("|\n")
	}
	compare(t, "suite", table.String())

	var around strings.Builder
	around.WriteString("| arrangement | not so | there is none |\n|---|---|---|\n")
	for n, a := range arrangements {
		fmt.Fprintf(&around, "| %s | %s | %s |\n", a.Name, listed(rows, len(frameworks)+n, suite.No), listed(rows, len(frameworks)+n, suite.None))
	}
	compare(t, "arrangements", around.String())
	if t.Failed() {
		t.Logf("What went otherwise:\n%s", strings.Join(faults, "\n"))
	}
}

// listed is the numbers of the cases that came to r.
func listed(rows []suite.Row, app int, r suite.Result) string {
	var is []string
	for i, row := range rows {
		if row.Results[app] == r {
			is = append(is, fmt.Sprint(i+1))
		}
	}
	if is == nil {
		return "–"
	}
	return strings.Join(is, ", ")
}

// compare holds the page's part of that name to text.
func compare(t *testing.T, name, text string) {
	t.Helper()
	all, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "<!-- "+name+" -->\n", "<!-- end of "+name+" -->"
	before, rest, ok := strings.Cut(string(all), begin)
	is, after, ok2 := strings.Cut(rest, end)
	switch {
	case !ok || !ok2:
		t.Errorf("%s has no place for the table %q", page, name)
	case is == text:
	case *write:
		if err := os.WriteFile(page, []byte(before+begin+text+end+after), 0o644); err != nil {
			t.Error(err)
		}
	default:
		t.Errorf("%s says of %s\n%s\nand the suite says\n%s\nIf that is as it should be: go test ./lab/compat -run TestTables -docs", page, name, is, text)
	}
}
