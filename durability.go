package sojourn

import "github.com/gosojourn/sojourn/internal/carrier"

// A Durability is what a store knows of how long it keeps what it has acknowledged. It asks its medium nothing:
// what a server's own settings decide is said in Notes, and Check looks at some of it.
type Durability struct {
	// Medium is where the sessions are, such as "MariaDB or MySQL, table sessions". "" is a store that does not
	// tell.
	Medium string `json:"medium"`

	// Restart says what a restart of the medium leaves of the sessions.
	Restart Outliving `json:"restart"`

	// Shared says that several processes see the same sessions.
	Shared bool `json:"shared"`

	// MaxBytes is how large one session may be, in bytes. 0 is a store that does not tell.
	MaxBytes int `json:"max_bytes"`

	// Notes are sentences about what the store's options promise, and what they leave to its server.
	Notes []string `json:"notes"`
}

// An Outliving says whether sessions outlive a restart of what keeps them.
type Outliving string

const (
	OutlivingUnknown Outliving = ""
	OutlivesNothing  Outliving = "gone"          // they end with the process
	OutlivesRestart  Outliving = "kept"          // they are on a disk, or with the clients
	OutlivesAsSet    Outliving = "as configured" // the server's settings decide
)

// A Durable store says how long it keeps what it has acknowledged, for [Manager.Policy]. The method does no I/O. A
// store that wraps another one passes on what that says.
type Durable interface {
	Durability() Durability
}

// durability is what the keeper says of itself.
func (m *Manager) durability() Durability {
	if m.copying {
		return m.seals.durability()
	}
	if m.durable != nil {
		return m.durable.Durability()
	}
	return Durability{}
}

func (k *sealKeeper) durability() Durability {
	d := Durability{
		Medium: "the clients, sealed", Restart: OutlivesRestart, Shared: true, MaxBytes: k.m.carrier.MaxSealed,
		Notes: []string{
			"Of two responses at once the last one wins.",
			"A copy of an old cookie is good until it expires, unless its owner is revoked.",
		},
	}
	if d.MaxBytes == 0 && k.m.carrier.Header == "" {
		d.MaxBytes = carrier.MaxChunks * carrier.MaxCookie
	}
	if k.m.fence == nil {
		d.Notes[1] = "A copy of an old cookie is good until it expires: without Config.Revocations nothing ends it."
	}
	return d
}
