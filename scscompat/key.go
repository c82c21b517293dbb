package scscompat

import (
	"fmt"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/internal/value"
)

// NewKey is a key of Sojourn's for a value that the methods here put and get under the same name: with it a program
// moves value by value. name is 1 to 64 bytes. It is for GobCodec, and for the type that was put: an int64 is no int.
//
//	var cart = scs.NewKey[Cart]("cart") // gob.Register(Cart{}) as before
//
// Of a bool, string, []byte, int or float64 it is what sojourn.NewKey makes, so that may take its place at any
// time. Of another type the two read each other's values as absent.
func NewKey[T any](name string) sojourn.Key[T] {
	switch any(*new(T)).(type) {
	case bool, string, []byte, int, float64:
		return sojourn.NewKey[T](name)
	}
	return sojourn.NewCodecKey(name, sojourn.Codec[T](gobbed[T]{}))
}

// gobbed encodes as Put does.
type gobbed[T any] struct{}

func (gobbed[T]) Encode(v T) ([]byte, error) {
	raw, err := encode(v)
	if err != nil {
		return nil, err
	}
	return raw[1:], nil // the key marks it as custom
}

func (gobbed[T]) Decode(data []byte) (v T, err error) {
	got, err := decode(GobCodec{}, value.WrapCustom(data))
	if err != nil {
		return v, err
	}
	v, ok := got.(T)
	if !ok {
		return v, fmt.Errorf("scscompat: the value is a %T, the key is of %T", got, v)
	}
	return v, nil
}
