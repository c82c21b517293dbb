package legacy

import (
	"bytes"
	"net/http"
	"testing"
	"time"

	"github.com/gorilla/sessions"

	"github.com/gosojourn/sojourn"
	gorilla "github.com/gosojourn/sojourn/gorillacompat/legacy"
	"github.com/gosojourn/sojourn/lab/harness"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sqlstore"
)

var pairs = [][]byte{bytes.Repeat([]byte("k"), 64), bytes.Repeat([]byte("e"), 32)}

const cookieName = "session-name"

// onGorilla is an application on gorilla/sessions.
func onGorilla(store sessions.Store, copies bool, l func(keep time.Duration) sojourn.Legacy, open func() sojourn.Store) *scene {
	return &scene{
		name: cookieName, copies: copies, legacy: l, store: open,
		old: oldHandler(
			func(r *http.Request, w http.ResponseWriter) (string, error) {
				s, err := store.Get(r, cookieName)
				if err != nil && !s.IsNew {
					return "", err
				}
				owner, _ := s.Values[key].(string)
				return owner, nil
			},
			func(r *http.Request, w http.ResponseWriter, owner string) error {
				s, _ := store.Get(r, cookieName)
				s.Values[key] = owner
				return s.Save(r, w)
			}),
	}
}

func inMemory() func() sojourn.Store {
	s := memstore.New()
	return func() sojourn.Store { return s }
}

func TestFromCookieStore(t *testing.T) {
	_, open := sqlPlace(t, "mysql", harness.MySQL(t), sqlstore.MySQL)
	onGorilla(sessions.NewCookieStore(pairs...), true, func(keep time.Duration) sojourn.Legacy {
		return &gorilla.Cookies{Keys: pairs, SessionCookie: http.Cookie{Name: cookieName}, Owner: key, KeepFor: keep}
	}, open).run(t)
}

func TestFromFilesystemStore(t *testing.T) {
	dir := t.TempDir()
	onGorilla(sessions.NewFilesystemStore(dir, pairs...), false, func(keep time.Duration) sojourn.Legacy {
		return &gorilla.Files{Dir: dir, Keys: pairs, SessionCookie: http.Cookie{Name: cookieName}, Owner: key, KeepFor: keep}
	}, inMemory()).run(t)
}
