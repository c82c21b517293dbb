package redisstore

import (
	"fmt"

	"github.com/gosojourn/sojourn"
)

var _ sojourn.Durable = (*Store)(nil)

// Durability says what the options promise, and what only the server's settings do. It asks the server nothing.
func (s *Store) Durability() sojourn.Durability {
	d := sojourn.Durability{Medium: "Redis or Valkey, keys " + s.o.Prefix, Restart: sojourn.OutlivesAsSet, Shared: true, MaxBytes: maxData}
	d.Notes = []string{"A restart keeps what appendonly has written; with appendfsync everysec the last second may be missing."}
	if s.o.WaitReplicas > 0 {
		d.Notes = append(d.Notes, fmt.Sprintf("A write counts when %d replicas have it, or it is an error after %v.", s.o.WaitReplicas, s.o.WaitTimeout))
	} else {
		d.Notes = append(d.Notes, "A failover loses what the primary answered in its last moments: Options.WaitReplicas is 0.")
	}
	if s.o.Near > 0 {
		d.Notes = append(d.Notes, fmt.Sprintf("A request that changes nothing may see another process's logout later by %v: Options.Near.", s.o.Near))
	}
	return d
}
