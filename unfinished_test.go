package sojourn_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sojourntest"
)

// An undeleting store raises fences, and deletes no rows behind them.
type undeleting struct {
	*memstore.Store
	err error
}

func (u undeleting) DeleteBelow(context.Context, uint64) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) { yield(0, u.err) }
}

func (u undeleting) RevokeOwner(ctx context.Context, owner, _ string) (uint64, error) {
	fence, err := u.Store.RevokeOwner(ctx, owner+" but not the rows", "")
	return fence, errors.Join(err, u.err)
}

// What is done is never reported as not done: behind a raised fence no error says that nothing was applied, whatever
// the store says of its last step. Where the fence is not raised, it does.
func TestRevocationsThatAreUnfinished(t *testing.T) {
	nothing := []error{sojourn.ErrRefused, sojourn.ErrBusy, sojourn.ErrNotFound, sojourn.ErrConflict, errors.ErrUnsupported}
	for _, cause := range append(nothing, errors.New("the cause")) {
		fault := fmt.Errorf("%w: the store's words", cause)
		faulty := &sojourntest.FaultyStore{Store: undeleting{memstore.New(), fault}}
		m, err := sojourn.New(faulty, sojourn.Config{})
		if err != nil {
			t.Fatal(err)
		}
		calls := map[string]func() error{
			"RevokeEveryone": func() error { return m.RevokeEveryone(t.Context()) },
			"RevokeAll":      func() error { return m.RevokeAll(t.Context(), "bob") },
		}
		for name, call := range calls {
			err := call()
			if !errors.Is(err, sojourn.ErrUnfinished) || !sojourn.Unavailable(err) || !strings.Contains(err.Error(), "the store's words") {
				t.Errorf("%s: %v", name, err)
			}
			for _, n := range nothing {
				if errors.Is(err, n) {
					t.Errorf("%s: %v says that nothing was applied", name, err)
				}
			}
			faulty.Fail(fault)
			if err := call(); !errors.Is(err, cause) || errors.Is(err, sojourn.ErrUnfinished) {
				t.Errorf("%s: before the fence: %v", name, err)
			}
			faulty.Fail(nil)
		}
	}
}
