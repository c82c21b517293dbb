package sojourn

import (
	"context"
	"iter"
	"slices"
	"time"
)

// An Observer sees each question that a manager asks of its store: for metrics and traces. Module otelsojourn has
// one for OpenTelemetry.
//
// Start is called before the question. The context that it returns goes to the store in place of ctx: a driver
// that makes spans of its own hangs them there. The function that it returns is called once, with what the store
// answered: nil, an error that the contract of Store names, or another one. ErrNotFound and ErrConflict are answers,
// not failures.
//
// Both run in the request, on every question: they may not block and may not ask the session. They are called from
// many goroutines at once.
type Observer interface {
	Start(ctx context.Context, op Op) (context.Context, func(err error))
}

// Observers makes one Observer of several, for Config.Observer. The first one's Start is called first, and its end last.
func Observers(all ...Observer) Observer { return observers(all) }

type observers []Observer

func (all observers) Start(ctx context.Context, op Op) (context.Context, func(err error)) {
	ends := make([]func(error), len(all))
	for i, o := range all {
		ctx, ends[i] = o.Start(ctx, op)
	}
	return ctx, func(err error) {
		for _, end := range slices.Backward(ends) {
			end(err)
		}
	}
}

// An Op is one question.
type Op struct {
	Name  OpName
	Bytes int // of the data that is written, as the store gets it; 0 when none is
}

// An OpName is the method of Store, OwnerIndex or Sweeper that is called.
type OpName string

const (
	OpLoad     OpName = "load"
	OpLoadNear OpName = "load_near" // a copy nearby may have answered
	OpCreate   OpName = "create"
	OpUpdate   OpName = "update"
	OpTouch    OpName = "touch"
	OpDelete   OpName = "delete"
	OpList     OpName = "list" // from the first page to the last, with what its reader does in between
	OpListAll  OpName = "list_all"
	OpCount    OpName = "count"
	OpFence    OpName = "fence"
	OpRevoke   OpName = "revoke"
	OpSweep    OpName = "sweep"
)

// observe puts o between this manager and its store. Without an observer nothing is between them.
func (m *Manager) observe(o Observer) {
	if o == nil {
		return
	}
	seen := observed{o}
	if m.stores != nil {
		if m.stores.near != nil {
			m.stores.near = observedNear{m.stores.near, seen}
		}
		m.store = observedStore{m.store, seen}
		m.stores.store = m.store
	}
	if m.lister != nil {
		m.lister = observedLister{m.lister, seen}
	}
	if m.sweeper != nil {
		m.sweeper = observedSweeper{m.sweeper, seen}
	}
	if m.fence != nil {
		m.fence = observedIndex{m.fence, seen}
	}
	if m.index != nil {
		m.index = m.fence
	}
	if m.everyone != nil {
		m.everyone = observedEveryone{m.everyone, seen}
	}
}

// An observed is an Observer with the frame that every question has.
type observed struct{ Observer }

// ask calls do. A store that panics has not answered.
func (o observed) ask(ctx context.Context, op Op, do func(ctx context.Context) error) error {
	ctx, end := o.Start(ctx, op)
	err := errPanicked
	defer func() { end(err) }()
	err = do(ctx)
	return err
}

type observedStore struct {
	s Store
	o observed
}

func (s observedStore) Load(ctx context.Context, id string) (r Record, err error) {
	err = s.o.ask(ctx, Op{Name: OpLoad}, func(ctx context.Context) (err error) {
		r, err = s.s.Load(ctx, id)
		return err
	})
	return r, err
}

func (s observedStore) Create(ctx context.Context, r Record) error {
	return s.o.ask(ctx, Op{OpCreate, len(r.Data)}, func(ctx context.Context) error { return s.s.Create(ctx, r) })
}

func (s observedStore) Update(ctx context.Context, r Record, version uint64) error {
	return s.o.ask(ctx, Op{OpUpdate, len(r.Data)}, func(ctx context.Context) error { return s.s.Update(ctx, r, version) })
}

func (s observedStore) Touch(ctx context.Context, r Record) error {
	return s.o.ask(ctx, Op{Name: OpTouch}, func(ctx context.Context) error { return s.s.Touch(ctx, r) })
}

func (s observedStore) Delete(ctx context.Context, id string, version uint64) error {
	return s.o.ask(ctx, Op{Name: OpDelete}, func(ctx context.Context) error { return s.s.Delete(ctx, id, version) })
}

type observedNear struct {
	n Near
	o observed
}

func (n observedNear) LoadNear(ctx context.Context, id string) (r Record, copied bool, err error) {
	err = n.o.ask(ctx, Op{Name: OpLoadNear}, func(ctx context.Context) (err error) {
		r, copied, err = n.n.LoadNear(ctx, id)
		return err
	})
	return r, copied, err
}

type observedSweeper struct {
	s Sweeper
	o observed
}

func (s observedSweeper) Sweep(ctx context.Context, before time.Time, limit int) (n int, err error) {
	err = s.o.ask(ctx, Op{Name: OpSweep}, func(ctx context.Context) (err error) {
		n, err = s.s.Sweep(ctx, before, limit)
		return err
	})
	return n, err
}

type observedIndex struct {
	x OwnerIndex
	o observed
}

func (x observedIndex) ListOwner(ctx context.Context, owner string) iter.Seq2[Record, error] {
	return x.o.list(ctx, OpList, func(ctx context.Context) iter.Seq2[Record, error] { return x.x.ListOwner(ctx, owner) })
}

// list is ask, of a listing.
func (o observed) list(ctx context.Context, name OpName, all func(ctx context.Context) iter.Seq2[Record, error]) iter.Seq2[Record, error] {
	return observedPages(ctx, o, name, all)
}

func observedPages[T any](ctx context.Context, o observed, name OpName, all func(ctx context.Context) iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		_ = o.ask(ctx, Op{Name: name}, func(ctx context.Context) (last error) {
			for r, err := range all(ctx) {
				if last = err; !yield(r, err) {
					break
				}
			}
			return last
		})
	}
}

type observedLister struct {
	l Lister
	o observed
}

func (l observedLister) ListAll(ctx context.Context) iter.Seq2[Record, error] {
	return l.o.list(ctx, OpListAll, l.l.ListAll)
}

func (l observedLister) Count(ctx context.Context) (n int, err error) {
	err = l.o.ask(ctx, Op{Name: OpCount}, func(ctx context.Context) (err error) {
		n, err = l.l.Count(ctx)
		return err
	})
	return n, err
}

// EveryoneFence is not told: it is asked at each load, and mostly answered from memory.
type observedEveryone struct {
	EveryoneRevoker
	o observed
}

func (x observedEveryone) RaiseEveryone(ctx context.Context) (fence uint64, err error) {
	err = x.o.ask(ctx, Op{Name: OpRevoke}, func(ctx context.Context) (err error) {
		fence, err = x.EveryoneRevoker.RaiseEveryone(ctx)
		return err
	})
	return fence, err
}

func (x observedEveryone) DeleteBelow(ctx context.Context, fence uint64) iter.Seq2[int, error] {
	return observedPages(ctx, x.o, OpRevoke, func(ctx context.Context) iter.Seq2[int, error] { return x.EveryoneRevoker.DeleteBelow(ctx, fence) })
}

func (x observedIndex) Fence(ctx context.Context, owner string) (fence uint64, age time.Duration, err error) {
	err = x.o.ask(ctx, Op{Name: OpFence}, func(ctx context.Context) (err error) {
		fence, age, err = x.x.Fence(ctx, owner)
		return err
	})
	return fence, age, err
}

func (x observedIndex) RevokeOwner(ctx context.Context, owner, keep string) (fence uint64, err error) {
	err = x.o.ask(ctx, Op{Name: OpRevoke}, func(ctx context.Context) (err error) {
		fence, err = x.x.RevokeOwner(ctx, owner, keep)
		return err
	})
	return fence, err
}
