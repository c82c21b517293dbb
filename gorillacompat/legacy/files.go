package legacy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/legacy"
)

// Files reads the sessions of gorilla's FilesystemStore. It is not changed after it was given to a manager.
type Files struct {
	// Dir is the folder that NewFilesystemStore was given. Default: os.TempDir(), as gorilla has it.
	Dir string

	// Keys, SessionCookie, MaxAge and what follows are as in Cookies.
	Keys          [][]byte
	SessionCookie http.Cookie
	MaxAge        time.Duration
	Owner         string
	Values        []legacy.Value
	Convert       func(values map[any]any) (sojourn.LegacySession, error)
	Types         []any
	MaxBytes      int
	KeepFor       time.Duration
	Until         time.Time
}

func (x *Files) common() *common {
	return &common{x.Keys, x.SessionCookie, x.MaxAge, x.MaxBytes, x.Owner, x.Values, x.Types, x.Convert, x.KeepFor, x.Until}
}

// Whole is as that of Cookies.
func (x *Files) Whole(cookie http.Cookie, pack func(values map[any]any) sojourn.Entry) sojourn.Legacy {
	c := x.common().whole(cookie, pack)
	return &Files{x.Dir, c.keys, c.cookie, c.maxAge, c.owner, c.values, c.convert, c.types, c.maxBytes, c.keepFor, c.until}
}

// Validate says what is wrong with the fields; sojourn.New asks it.
func (x *Files) Validate() error { return x.common().validate("Files") }

// Cookie is SessionCookie with its defaults.
func (x *Files) Cookie() http.Cookie { return x.common().sent() }

// ids are what gorilla draws: base32 of 32 bytes.
var ids = regexp.MustCompile(`^[A-Z2-7]{16,104}$`)

// Shown answers the ids in the cookies that r shows and that a key has signed.
func (x *Files) Shown(r *http.Request) (all []string) {
	c := x.common()
	for _, text := range c.texts(r) {
		plain, err := c.open(text, mostCookie)
		if err != nil {
			continue
		}
		var id string
		if err := legacy.DecodeGob(plain, mostCookie, &id); err == nil && ids.MatchString(id) && !slices.Contains(all, id) {
			all = append(all, id)
		}
	}
	return all
}

func (x *Files) file(id string) string {
	dir := x.Dir
	if dir == "" {
		dir = os.TempDir()
	}
	return filepath.Join(dir, "session_"+id)
}

// Load reads and converts a file.
func (x *Files) Load(ctx context.Context, _ *http.Request, token string) (s sojourn.LegacySession, err error) {
	if !ids.MatchString(token) {
		return s, sojourn.ErrNotFound
	}
	c := x.common()
	var plain []byte
	var text string
	for try := range 5 {
		text, err = x.read(token, c.most())
		if err != nil {
			return s, err
		}
		if plain, err = c.open(text, 2*c.most()); err == nil || strings.Contains(err.Error(), "expired") {
			break
		}
		// gorilla writes a file where it stands, so this may be half of one.
		if pause(ctx, time.Millisecond<<try) != nil {
			return s, ctx.Err()
		}
	}
	switch {
	case err != nil && strings.Contains(err.Error(), "expired"):
		return s, sojourn.ErrNotFound
	case err != nil:
		return s, fmt.Errorf("%w: %w", sojourn.ErrLegacyUnreadable, err)
	}
	values, err := c.valuesOf(plain)
	if err != nil {
		return s, err
	}
	return c.session(values, dateOf(text))
}

// read reads a file, up to most bytes of what is in it: as text that is twice as much.
func (x *Files) read(id string, most int) (string, error) {
	f, err := os.Open(x.file(id))
	if errors.Is(err, fs.ErrNotExist) {
		return "", sojourn.ErrNotFound
	} else if err != nil {
		return "", fmt.Errorf("gorillacompat/legacy: %w", nameless(err))
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, int64(2*most)))
	if err != nil {
		return "", fmt.Errorf("gorillacompat/legacy: %w", nameless(err))
	}
	return string(b), nil
}

// nameless takes the file's name out of err: it holds the session's id.
func nameless(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return fmt.Errorf("%s a session's file: %w", p.Op, p.Err)
	}
	return err
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// End deletes the file.
func (x *Files) End(_ context.Context, token string) error {
	if !ids.MatchString(token) {
		return nil
	}
	if err := os.Remove(x.file(token)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("gorillacompat/legacy: %w", nameless(err))
	}
	return nil
}
