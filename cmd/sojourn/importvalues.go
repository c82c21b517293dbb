package main

import (
	"fmt"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/legacy"
)

// convert makes old values a session: who is logged in, and the values of those names. A value of which this
// command cannot tell what the application's key is like leaves the whole session to the application.
func convert(ownerKey string, names []string, values map[string]any) (sojourn.LegacySession, error) {
	s, err := legacy.Convert(ownerKey, nil, values)
	for _, name := range names {
		v, there := values[name]
		if !there || err != nil {
			continue
		}
		var e sojourn.Entry
		if e, err = entry(name, v); err == nil {
			s.Values = append(s.Values, e)
		}
	}
	return s, err
}

// entry is v under a key of its type, which is how the application's key has it.
func entry(name string, v any) (sojourn.Entry, error) {
	switch v := v.(type) {
	case bool:
		return entryOf(name, v), nil
	case string:
		return entryOf(name, v), nil
	case []byte:
		return entryOf(name, v), nil
	case int, int8, int16, int32, int64:
		return integer(name, v), nil
	case uint, uint8, uint16, uint32, uint64:
		return unsigned(name, v), nil
	case float64:
		return entryOf(name, v), nil
	case float32:
		return entryOf(name, v), nil
	case time.Time:
		return entryOf(name, v), nil
	case time.Duration:
		return entryOf(name, v), nil
	case []string:
		return entryOf(name, v), nil
	case []int:
		return entryOf(name, v), nil
	}
	return sojourn.Entry{}, fmt.Errorf("key %q holds a %T, which only the application can bring in", name, v)
}

func entryOf[T any](name string, v T) sojourn.Entry { return sojourn.NewKey[T](name).Entry(v) }

// Integers of all widths are written in one way.
func integer(name string, v any) sojourn.Entry {
	switch v := v.(type) {
	case int:
		return entryOf(name, v)
	case int8:
		return entryOf(name, v)
	case int16:
		return entryOf(name, v)
	case int32:
		return entryOf(name, v)
	}
	return entryOf(name, v.(int64))
}

func unsigned(name string, v any) sojourn.Entry {
	switch v := v.(type) {
	case uint:
		return entryOf(name, v)
	case uint8:
		return entryOf(name, v)
	case uint16:
		return entryOf(name, v)
	case uint32:
		return entryOf(name, v)
	}
	return entryOf(name, v.(uint64))
}
