package strangers

import "time"

// Stalls measures for how long, until stop, the machine has kept this process from going on, and answers twice that,
// because the server is a process of its own, which stands still as well: what a limit of time has to be let off for,
// where others use the machine.
func Stalls() (stop func() time.Duration) {
	const each = 5 * time.Millisecond
	over, sum := make(chan struct{}), make(chan time.Duration)
	go func() {
		tick := time.NewTicker(each)
		defer tick.Stop()
		lost, last := time.Duration(0), time.Now()
		for more := true; more; {
			select {
			case <-tick.C:
			case <-over:
				more = false
			}
			lost += max(0, time.Since(last)-each)
			last = time.Now()
		}
		sum <- lost
	}()
	return func() time.Duration {
		close(over)
		return 2 * <-sum
	}
}
