package scscompat

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/gosojourn/sojourn/internal/bridge"
)

// rows are sessions in a store of scs, in scs's format: gob, or what Codec makes, of the whole session, under
// its token or that token's hash.
type rows struct {
	store Store
	codec Codec
	hash  bool
}

var _ bridge.Rows = (*rows)(nil)

const tokenBytes = 32

// byKey marks what stands for the token of a session that All has listed, and is the key in the store.
const byKey = "\x00"

// WellFormed is true for what scs takes from its random source: 32 bytes in base64url. Nothing else is looked for.
func (*rows) WellFormed(token string) bool {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	return err == nil && len(raw) == tokenBytes && !strings.ContainsAny(token, "\r\n")
}

func (*rows) NewToken() string {
	var raw [tokenBytes]byte
	_, _ = rand.Read(raw[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

// key is what the store has token under.
func (r *rows) key(token string) string {
	if key, ok := strings.CutPrefix(token, byKey); ok {
		return key
	}
	if !r.hash {
		return token
	}
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func (r *rows) Find(ctx context.Context, token string) (row bridge.Row, found bool, err error) {
	var b []byte
	if c, ok := r.store.(interface {
		FindCtx(context.Context, string) ([]byte, bool, error)
	}); ok {
		b, found, err = c.FindCtx(ctx, r.key(token))
	} else {
		b, found, err = r.store.Find(r.key(token))
	}
	if err != nil || !found {
		return row, false, err
	}
	row, err = r.decode(b)
	return row, err == nil, err
}

// decode reads one row. What does not decode is an error, as with scs: nothing is known of that session.
func (r *rows) decode(b []byte) (row bridge.Row, err error) {
	deadline, values, err := r.codec.Decode(b)
	if err != nil {
		return row, fmt.Errorf("scscompat: a session does not decode; are its types registered with gob? %w", err)
	}
	row = bridge.Row{Deadline: deadline, Values: make(map[string][]byte, len(values))}
	for key, v := range values {
		name, raw, err := kept(r.codec, key, v)
		if err != nil {
			return row, err
		}
		row.Values[name] = raw
	}
	row.Remembered, _ = values[rememberKey].(bool)
	return row, nil
}

func (r *rows) Save(ctx context.Context, token string, row bridge.Row, expiry time.Time) error {
	values := make(map[string]interface{}, len(row.Values))
	for name, raw := range row.Values {
		key := keyOf(name, raw)
		v, err := decode(r.codec, raw)
		if err != nil {
			return fmt.Errorf("%w: %w", bridge.ErrEncode, &keyError{key, err})
		}
		values[key] = v
	}
	b, err := r.codec.Encode(row.Deadline.UTC(), values)
	if err != nil {
		return fmt.Errorf("scscompat: %w: %w", bridge.ErrEncode, err)
	}
	if c, ok := r.store.(interface {
		CommitCtx(context.Context, string, []byte, time.Time) error
	}); ok {
		return c.CommitCtx(ctx, r.key(token), b, expiry)
	}
	return r.store.Commit(r.key(token), b, expiry)
}

func (r *rows) Delete(ctx context.Context, token string) error {
	if c, ok := r.store.(interface {
		DeleteCtx(context.Context, string) error
	}); ok {
		return c.DeleteCtx(ctx, r.key(token))
	}
	return r.store.Delete(r.key(token))
}

// all lists the rows by their keys, or panics.
func (r *rows) all(ctx context.Context) (map[string][]byte, error) {
	if c, ok := r.store.(IterableCtxStore); ok {
		return c.AllCtx(ctx)
	}
	if c, ok := r.store.(IterableStore); ok {
		return c.All()
	}
	panic(fmt.Sprintf("scscompat: type %T does not support iteration", r.store))
}

func (e *engine) iterateRows(ctx context.Context, fn func(context.Context) error) error {
	all, err := e.rows.all(ctx)
	if err != nil {
		return err
	}
	for key, b := range all {
		row, err := e.rows.decode(b)
		if err != nil {
			return err
		}
		token := key
		if e.hash {
			token = byKey + key
		}
		if err := e.visit(ctx, token, row, fn); err != nil {
			return err
		}
	}
	return nil
}
