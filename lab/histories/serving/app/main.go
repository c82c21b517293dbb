// Command app serves what its environment orders: see package serving. A build with the tag steppedclock, and with
// the time package that lab/faults makes for it, has a clock that can be stepped.
package main

import (
	"fmt"
	"os"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver named "pgx"

	"github.com/gosojourn/sojourn/lab/histories/serving"
)

func main() {
	serves, err := serving.Serve()
	if err == nil && !serves {
		err = fmt.Errorf("%s is not set", serving.OrderVar)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "app:", err)
		os.Exit(1)
	}
}
