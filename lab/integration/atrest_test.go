package integration

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/go-sql-driver/mysql"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/lab/harness"
	"github.com/gosojourn/sojourn/redisstore"
)

const planted = "PLANTED-4929000000006-gopher"

// spelled are the ways in which somebody could look for text in a dump.
func spelled(text string) map[string][]byte {
	b := []byte(text)
	ways := map[string][]byte{"plain": b, "hex": []byte(hex.EncodeToString(b)), "HEX": []byte(strings.ToUpper(hex.EncodeToString(b)))}
	for shift := range 3 { // inside a longer text, base64 depends on where it begins
		whole := base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), b...))
		ways["base64 "+string(rune('0'+shift))] = []byte(whole[4 : len(whole)-4])
	}
	var le, be []byte
	for _, u := range utf16.Encode([]rune(text)) {
		le, be = append(le, byte(u), byte(u>>8)), append(be, byte(u>>8), byte(u))
	}
	ways["UTF-16 LE"], ways["UTF-16 BE"] = le, be
	return ways
}

// shows lists the ways in which dump shows the value, or the name of its key.
func shows(dump []byte) (ways []string) {
	for way, text := range spelled(planted) {
		if bytes.Contains(dump, text) {
			ways = append(ways, way)
		}
	}
	for way, text := range spelled("planted key") {
		if bytes.Contains(dump, text) {
			ways = append(ways, "the key, "+way)
		}
	}
	return ways
}

// dumpShowsNothing fills a store with one session's values, by each kind of write, and looks at what dump answers.
func dumpShowsNothing(t *testing.T, store sojourn.Store, dump func() []byte) {
	t.Helper()
	key := sojourn.NewKey[[]string]("planted key")
	fill := func(encrypt bool) (last string) {
		m, err := sojourn.New(store, sojourn.Config{EncryptAtRest: encrypt, StoreTimeout: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		cookie := ""
		for _, step := range []func(ctx context.Context){
			func(context.Context) {},
			func(ctx context.Context) { _ = m.Login(ctx, "ann") },
			func(ctx context.Context) { _ = m.Renew(ctx) },
			func(ctx context.Context) { m.Remember(ctx, true) },
		} {
			w, r := httptest.NewRecorder(), httptest.NewRequest("POST", "https://sojourn.test/", nil)
			r.Header.Set("Cookie", cookie)
			n := 0
			m.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				n = len(key.Get(r.Context()))
				sojourn.Append(r.Context(), key, planted)
				step(r.Context())
			})).ServeHTTP(w, r)
			if w.Code != 200 || (n == 0) != (cookie == "") {
				t.Fatalf("%d, %d values: %s", w.Code, n, w.Body)
			}
			if set := w.Header().Get("Set-Cookie"); set != "" {
				cookie, _, _ = strings.Cut(set, ";")
			}
		}
		return cookie
	}
	cookie := fill(true)
	all := dump()
	if ways := shows(all); ways != nil {
		t.Errorf("the dump shows the value: %v", ways)
	}
	if _, secret, _ := strings.Cut(cookie, "="); bytes.Contains(all, []byte(secret[24:])) {
		t.Error("the dump shows the token")
	} else if !bytes.Contains(all, []byte(secret[:24])) {
		t.Error("the dump does not have the session")
	}
	fill(false)
	if shows(dump()) == nil {
		t.Error("nothing is found where nothing is encrypted: the search, or the dump, is not right")
	}
}

// A dump of each kind of store, with all of the configuration, yields no value.
func TestADumpOfTheDatabaseShowsNoValue(t *testing.T) {
	for _, p := range asApplications {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			at := p.at(t)
			store := at.store(t)
			migrate(t, store)
			dumpShowsNothing(t, store, func() []byte { return append(at.rows(t), at.dump(t)...) })
		})
	}
	t.Run("Redis", func(t *testing.T) {
		t.Parallel()
		c := redisClient(t, nil, harness.Redis(t))
		prefix := redisPrefix(t, c)
		store := redisStore(t, c, redisstore.Options{Prefix: prefix})
		dumpShowsNothing(t, store, func() (all []byte) {
			keys, err := c.Do(t.Context(), c.B().Keys().Pattern(prefix+"*").Build()).AsStrSlice()
			if err != nil {
				t.Fatal(err)
			}
			for _, key := range keys {
				dumped, err := c.Do(t.Context(), c.B().Dump().Key(key).Build()).AsBytes()
				if err != nil {
					t.Fatal(err)
				}
				text, _ := c.Do(t.Context(), c.B().Get().Key(key).Build()).AsBytes() // an index is no string
				all = append(append(append(all, key...), dumped...), text...)
			}
			return all
		})
	})
}

// rows is what SELECT answers.
func (p place) rows(t testing.TB) (all []byte) {
	t.Helper()
	rows, err := harness.Open(t, p.driver, p.dsn).Query("SELECT token, data FROM sessions")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, data []byte
		if err := rows.Scan(&id, &data); err != nil {
			t.Fatal(err)
		}
		all = append(append(all, id...), data...)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// dump is what a backup of the whole database holds: of SQLite the files, of a server what its own program for that
// writes, if it is installed.
func (p place) dump(t testing.TB) (all []byte) {
	t.Helper()
	if p.driver == "sqlite" {
		u, err := url.Parse(p.dsn)
		if err != nil {
			t.Fatal(err)
		}
		for _, end := range []string{"", "-wal"} {
			b, err := os.ReadFile(u.Path + end)
			if err != nil && end == "" {
				t.Fatal(err)
			}
			all = append(all, b...)
		}
		return all
	}
	var command *exec.Cmd
	if p.driver == "mysql" {
		cfg, err := mysql.ParseDSN(p.dsn)
		if err != nil {
			t.Fatal(err)
		}
		host, port, _ := strings.Cut(cfg.Addr, ":")
		command = exec.Command("mysqldump", "--protocol=TCP", "-h", host, "-P", port, "-u", cfg.User, cfg.DBName)
		command.Env = append(os.Environ(), "MYSQL_PWD="+cfg.Passwd)
	} else {
		command = exec.Command("pg_dump", p.dsn)
	}
	out, err := command.Output()
	if err != nil { // not installed, or of another version than the server: the rows are looked at all the same
		t.Logf("the dump of %s is not looked at: %v", command.Path, err)
		return nil
	}
	if !bytes.Contains(out, []byte("sessions")) {
		t.Errorf("%s wrote %d bytes, and no sessions", command.Path, len(out))
	}
	return out
}
