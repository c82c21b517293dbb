package scscompat

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/internal/bridge"
)

// checkMoving says what is wrong with Legacy beside the other fields.
func (e *engine) checkMoving() error {
	if e.old == nil {
		return nil
	}
	if _, ok := e.store.(*native); !ok {
		return errors.New("scscompat: Legacy is set, and Store keeps scs's own sessions, which need no moving in: remove it, or set Store by Native")
	}
	if e.idle > 0 && e.old.KeepFor > e.idle/4 {
		return fmt.Errorf("scscompat: Legacy.KeepFor (%v) is more than a quarter of IdleTimeout (%v): the old session of somebody who comes to new servers alone might end by itself meanwhile, and take the new one along; shorten it", e.old.KeepFor, e.idle)
	}
	return nil
}

// moving is Legacy, with what the fields say of the old sessions.
func (e *engine) moving() sojourn.Legacy {
	x := e.old.Whole(func(values map[string]any) []sojourn.Entry { return entries(e.codec, values) })
	if x.SessionCookie.Name == "" {
		k := &e.cookie
		x.SessionCookie = http.Cookie{Name: k.Name, Path: k.Path, Domain: strings.TrimPrefix(k.Domain, "."), Secure: k.Secure, Partitioned: k.Partitioned}
	}
	x.HashTokenInStore = x.HashTokenInStore || e.hash
	if x.Lifetime == 0 {
		x.Lifetime = e.lifetime
	}
	if _, gobs := e.codec.(GobCodec); !gobs && x.Decode == nil {
		x.Decode = e.codec.Decode
	}
	return x
}

// entries are all values, each as Put keeps it.
func entries(c Codec, values map[string]any) (all []sojourn.Entry) {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		name, raw, err := kept(c, key, values[key])
		if err != nil {
			all = append(all, sojourn.BadEntry(err))
			continue
		}
		all = append(all, bridge.Entry(name, raw).(sojourn.Entry))
	}
	return all
}

// kept is what Sojourn keeps of a value, and under which name.
func kept(c Codec, key string, v any) (name string, raw []byte, err error) {
	name, fits := stored(key)
	if raw, err = encodeBy(c, v); err != nil {
		return "", nil, &keyError{key, err}
	}
	if !fits {
		raw = naming(key, raw)
	}
	return name, raw, nil
}
