package value

//lint:file-ignore U1000 fields that JSON does not see are what this is about

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

type (
	hidden    struct{ a, b int }
	empty     struct{}
	onlyEmpty struct{ _ empty }
	tree      struct{ Left, Right *tree }
	selfish   struct{ *selfish }
	selfNamed struct {
		*selfNamed
		N int
	}
	person struct {
		Name string
		Born birthday
	}
	ignoring struct {
		Name string
		C    chan int `json:"-"`
		f    func()
		mu   sync.Mutex
	}
	base        struct{ ID int }
	embedding   struct{ base }
	embedHidden struct {
		hidden
		Name string
	}
	embedPtr struct{ *hidden }
	twoWays  struct { // no promoted method: JSON flattens both, and calls neither's
		oneWay
		rawScribbler
	}
	namedEmbed struct {
		time.Time `json:"at"`
	}
	emailText   struct{ s string }
	oneWay      struct{ secret string }
	oneWayInt   int
	pointerOnly struct{ s string }
	refusing    struct{ v int }
	panicking   struct{ v int }
	halfKey     struct{ s string }
)

func (e emailText) MarshalText() ([]byte, error)  { return []byte(e.s), nil }
func (e *emailText) UnmarshalText(b []byte) error { e.s = string(b); return nil }

func (oneWay) MarshalJSON() ([]byte, error) { return []byte(`"***"`), nil }

func (p *pointerOnly) MarshalJSON() ([]byte, error)    { return json.Marshal(p.s) }
func (p *pointerOnly) UnmarshalJSON(data []byte) error { return json.Unmarshal(data, &p.s) }

func (r refusing) MarshalJSON() ([]byte, error)     { return nil, errors.New("not the zero value") }
func (r *refusing) UnmarshalJSON(data []byte) error { return nil }

func (p panicking) MarshalJSON() ([]byte, error)     { panic("not the zero value") }
func (p *panicking) UnmarshalJSON(data []byte) error { return nil }

func (h halfKey) MarshalText() ([]byte, error) { return []byte(h.s), nil }

// F50: a type is kept as promised, or refused at once and in words that say what to do.
func TestF50_WhatJSONWouldLoseIsRefused(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string // "" when it is kept
	}{
		{why[hidden](), "no exported field"},
		{why[*hidden](), "no exported field"},
		{why[[]hidden](), "hidden[] (value.hidden) has no exported field"},
		{why[[3]hidden](), "no exported field"},
		{why[map[string]hidden](), "no exported field"},
		{why[person](), "person.Born (value.birthday) has no exported field"},
		{why[map[string][]*person](), "no exported field"},
		{why[embedHidden](), "embedHidden.hidden"},
		{why[embedPtr](), "no exported field"},
		{why[twoWays](), "twoWays.oneWay"},
		{why[url.URL](), "URL.User"}, // name and password would be gone
		{why[selfish](), "no exported field"},
		{why[map[string]pointerOnly](), "no exported field"}, // its method is never called there
		{why[map[float64]int](), "keys of type float64"},
		{why[struct {
			A int `json:"-"`
		}](), "no exported field"},
		{why[map[halfKey]int](), "keys of type value.halfKey"},
		{why[oneWay](), "does not come back"},
		{why[[]oneWay](), "does not come back"},
		{why[struct{ A *oneWay }](), "does not come back"},

		{why[chan int](), "cannot write"},
		{why[func()](), "cannot write"},
		{why[complex128](), "cannot write"},
		{why[map[string][]*func()](), "cannot write"},
		{why[struct {
			Name string
			Done chan bool
		}](), ".Done (chan bool)"},
		{why[error](), "interface with methods"},
		{why[map[int]fmt.Stringer](), "interface with methods"},
		{why[struct {
			Name string
			Err  error
		}](), ".Err (error)"},

		{why[struct {
			A  int
			Mu sync.Mutex
		}](), ""},
		{why[empty](), ""},
		{why[onlyEmpty](), ""},
		{why[tree](), ""},
		{why[selfNamed](), ""},
		{why[ignoring](), ""},
		{why[embedding](), ""},
		{why[namedEmbed](), ""},
		{why[struct{ time.Time }](), ""},
		{why[emailText](), ""},
		{why[map[emailText]int](), ""},
		{why[pointerOnly](), ""},
		{why[[]pointerOnly](), ""},
		{why[refusing](), ""},
		{why[panicking](), ""},
		{why[any](), ""},
		{why[[]any](), ""},
		{why[json.RawMessage](), ""},
		{why[big.Int](), ""},
		{why[oneWayInt](), ""},
		{why[[]level](), ""},
	} {
		switch {
		case c.want == "" && c.err != nil:
			t.Errorf("refused: %v", c.err)
		case c.want != "" && (c.err == nil || !strings.Contains(c.err.Error(), c.want)):
			t.Errorf("%v, want %q", c.err, c.want)
		}
	}
}

func why[T any]() error {
	_, err := For[T]()
	return err
}
