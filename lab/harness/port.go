package harness

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

// freeAddr is below 32768, where the ports of outgoing connections begin: one of them could take the
// port of a server that is down for a moment.
func freeAddr() (string, error) {
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(12000)))
		if err == nil {
			defer l.Close()
			return l.Addr().String(), nil
		}
	}
	return "", errors.New("no free port from 20000 to 32000")
}
