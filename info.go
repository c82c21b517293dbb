package sojourn

import (
	"context"
	"time"
)

// Info describes a session. Its times are UTC, to the millisecond.
type Info struct {
	ID         string // public name; gives nothing to who knows it
	Owner      string // "" while nobody is logged in
	Created    time.Time
	AuthTime   time.Time // last Login
	LastSeen   time.Time // coarse: early by at most a twentieth of the idle limit, or an hour
	Expires    time.Time // if it is not used again
	Deadline   time.Time // whatever happens
	Remembered bool
	Current    bool   // the session of the context given to List
	Device     Device // as of the last Login
}

// Info describes the session as this request would leave it; zero while nothing is stored, or when
// Load failed. A Login that has not been committed shows its owner already.
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
			i.Owner, i.AuthTime = o.name, timeOf(millis(time.Now()))
		case opLogout:
			i = Info{}
		case opRemember:
			i.Remembered = o.on
		}
	}
	i.Current = i.ID != ""
	return i
}

func (r *stored) info() Info {
	return Info{
		ID: r.ID, Owner: r.Owner, Remembered: r.remembered, Device: r.deviceInfo(),
		Created: timeOf(r.created), AuthTime: timeOf(r.auth), Deadline: timeOf(r.deadline),
		LastSeen: timeOf(millis(r.Seen)), Expires: timeOf(millis(r.Expiry)),
	}
}
