package sojourn_test

import (
	"fmt"
	"log"
	"strings"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
)

// An application that asks for two factors has the limits of AAL2, and prints what is in force when it starts.
func ExampleManager_Policy() {
	cfg := sojourn.AAL2()
	cfg.MaxPerOwner = 5
	sessions, err := sojourn.New(memstore.New(), cfg)
	if err != nil {
		log.Fatal(err)
	}
	policy := sessions.Policy()
	for line := range strings.Lines(policy.String()) {
		if strings.HasPrefix(line, "idle") || strings.HasPrefix(line, "absolute") || strings.HasPrefix(line, "per owner") {
			fmt.Print(line)
		}
	}
	for _, r := range policy.Requirements {
		if r.ID == "N17" {
			fmt.Println(r.Standing)
		}
	}
	// Output:
	// idle          1h from the last use, at most 3m less
	// absolute      24h from the login, or from the beginning
	// per owner     5 sessions at most; can be revoked, and listed
	// met
}
