package histories

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
)

// A Lossy is a store in memory behind a bad network. Each call takes a while; some fail before they were
// begun, of some the answer is lost, and some of those that failed land later.
type Lossy struct {
	*memstore.Store
	mu  sync.Mutex
	rng *rand.Rand
	// One write in so many meets one of the three; 0: none.
	Every int
}

// NewLossy makes one whose faults come from seed.
func NewLossy(seed uint64, every int) *Lossy {
	return &Lossy{Store: memstore.New(), rng: rand.New(rand.NewPCG(seed, seed)), Every: every}
}

var errLost = errors.New("the connection was lost")

// Local: it is to be waited for.
func (*Lossy) Local() bool { return false }

func (l *Lossy) draw(n int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.rng.IntN(n)
}

func (l *Lossy) write(ctx context.Context, do func(context.Context) error) error {
	time.Sleep(time.Duration(l.draw(300)) * time.Microsecond)
	if l.Every == 0 {
		return do(ctx)
	}
	switch l.draw(3 * l.Every) {
	case 0:
		return errLost
	case 1:
		_ = do(ctx)
		return errLost
	case 2:
		late := time.Duration(l.draw(4000)) * time.Microsecond
		go func() {
			time.Sleep(late)
			_ = do(context.WithoutCancel(ctx))
		}()
		return errLost
	}
	return do(ctx)
}

func (l *Lossy) Load(ctx context.Context, id string) (sojourn.Record, error) {
	time.Sleep(time.Duration(l.draw(200)) * time.Microsecond)
	return l.Store.Load(ctx, id)
}

func (l *Lossy) Create(ctx context.Context, r sojourn.Record) error {
	return l.write(ctx, func(ctx context.Context) error { return l.Store.Create(ctx, r) })
}

func (l *Lossy) Update(ctx context.Context, r sojourn.Record, version uint64) error {
	return l.write(ctx, func(ctx context.Context) error { return l.Store.Update(ctx, r, version) })
}

func (l *Lossy) Touch(ctx context.Context, r sojourn.Record) error {
	return l.write(ctx, func(ctx context.Context) error { return l.Store.Touch(ctx, r) })
}

func (l *Lossy) Delete(ctx context.Context, id string, version uint64) error {
	return l.write(ctx, func(ctx context.Context) error { return l.Store.Delete(ctx, id, version) })
}

func (l *Lossy) RevokeOwner(ctx context.Context, owner, keep string) (uint64, error) {
	var fence atomic.Uint64 // it may be raised after the answer was lost
	err := l.write(ctx, func(ctx context.Context) error {
		f, err := l.Store.RevokeOwner(ctx, owner, keep)
		fence.Store(f)
		return err
	})
	if err != nil {
		return 0, err
	}
	return fence.Load(), nil
}
