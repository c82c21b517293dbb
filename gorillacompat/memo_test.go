package gorillacompat

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/storetest"
)

// The wrapper keeps every promise of the store inside.
func TestRememberingIsAStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) sojourn.Store { return remembering{memstore.New()} })
}

// What the store inside does not have, the wrapper does not either.
func TestRememberingInventsNothing(t *testing.T) {
	s, ctx := remembering{struct{ sojourn.Store }{memstore.New()}}, context.Background()
	errs := []error{s.Check(ctx)}
	_, _, err := s.Fence(ctx, "ann")
	errs = append(errs, err)
	_, err = s.RevokeOwner(ctx, "ann", "")
	errs = append(errs, err)
	_, err = s.Sweep(ctx, time.Now(), 1)
	errs = append(errs, err)
	_, err = s.Count(ctx)
	errs = append(errs, err)
	for _, err := range s.ListOwner(ctx, "ann") {
		errs = append(errs, err)
	}
	for _, err := range s.ListAll(ctx) {
		errs = append(errs, err)
	}
	if len(errs) != 7 || s.Local() {
		t.Errorf("%d answers, want 7; local %v", len(errs), s.Local())
	}
	for i, err := range errs {
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("answer %d: %v, want ErrUnsupported", i, err)
		}
	}
}
