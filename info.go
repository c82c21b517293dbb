package sojourn

import (
	"context"
	"time"

	"github.com/gosojourn/sojourn/internal/binding"
)

// Info describes a session. Its times are UTC, to the millisecond.
type Info struct {
	ID         string // public name; knowing it gives no access
	Owner      string // "" while nobody is logged in
	Created    time.Time
	AuthTime   time.Time // last Login
	LastSeen   time.Time // coarse: too early by at most a twentieth of the idle limit, and at most an hour
	Expires    time.Time // when it ends if it is not used again
	Deadline   time.Time // when it ends in any case: the absolute limit
	Remembered bool
	Current    bool   // the session of the context given to List
	Device     Device // as of the last Login
	Bound      bool   // to a key of one device, see package dbsc
}

// Info describes the session as this request would leave it. It is zero while nothing is stored, and when Load
// has failed. A Login that has not been committed shows its owner already.
func (m *Manager) Info(ctx context.Context) Info {
	s := sessionOf(ctx, m)
	s.lock()
	defer s.unlock()
	i := Info{}
	if s.base.ID != "" {
		i = s.base.info()
	}
	for _, o := range s.log {
		switch o.kind {
		case opLogin:
			i.Owner, i.Bound, i.AuthTime = o.name, false, time.Now().UTC().Truncate(time.Millisecond)
		case opLogout:
			i = Info{}
		case opRemember:
			i.Remembered = o.on
		case opLimit:
			i.limit(timeOf(int64(o.stamp)))
		case opDeadline:
			if i.ID != "" {
				i.Deadline = timeOf(int64(o.stamp))
			}
		}
	}
	i.Current = i.ID != ""
	return i
}

// limit shows a Limit that has not been committed, of a session that is there.
func (i *Info) limit(until time.Time) {
	if until.Before(i.Deadline) {
		i.Deadline = until
	}
	if until.Before(i.Expires) {
		i.Expires = until
	}
}

func (r *stored) info() Info {
	i := Info{
		ID: r.ID, Owner: r.Owner, Remembered: r.Remembered,
		Created: timeOf(r.Created), AuthTime: timeOf(r.Auth), Deadline: timeOf(r.Deadline),
		LastSeen: timeOf(r.Seen.UnixMilli()), Expires: timeOf(r.Expiry.UnixMilli()),
	}
	i.Bound = binding.Is(r.Bound())
	i.Device.Addr, i.Device.Agent, i.Device.Label = r.Content.Device()
	return i
}

func timeOf(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
