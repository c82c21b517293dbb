//go:build !steppedclock

package serving

import (
	"errors"
	"time"
)

func step(time.Duration) error {
	return errors.New("this program has the kernel's clock: it is not built with the tag steppedclock")
}
