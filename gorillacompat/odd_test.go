package gorillacompat_test

import (
	"encoding/gob"
	"errors"
)

// odd is a type that cannot always be read, as one that an older program does not know.
type odd struct{ refuses bool }

var oddReads bool

func init() { gob.Register(odd{}) }

func (o odd) GobEncode() ([]byte, error) { return []byte{1}, nil }

func (o *odd) GobDecode([]byte) error {
	if !oddReads {
		return errors.New("this program does not know the type")
	}
	o.refuses = true
	return nil
}
