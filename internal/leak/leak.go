// Package leak fails the tests of a package that leave a goroutine behind. A package with tests says
//
//	func TestMain(m *testing.M) { leak.Main(m) }
package leak

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

const project = "github.com/gosojourn/sojourn"

// patience is how long what was told to end may take.
const patience = 10 * time.Second

// Main runs the tests, and ends the process: with 1 if they have passed and a goroutine of this project is left.
func Main(m *testing.M) {
	code := m.Run()
	if code == 0 {
		code = Left(os.Stderr)
	}
	os.Exit(code)
}

// Left waits until no goroutine of this project is left, and answers 0. Else it writes where they are, and answers 1.
func Left(w interface{ WriteString(string) (int, error) }) int {
	var left []string
	for over := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if left = ours(stacks()); len(left) == 0 {
			return 0
		}
		if time.Now().After(over) {
			break
		}
	}
	w.WriteString(fmt.Sprintf("%d goroutines outlive the tests:\n\n%s\n", len(left), strings.Join(left, "\n\n")))
	return 1
}

// stacks is that of each goroutine but this one.
func stacks() []string {
	for size := 1 << 20; ; size *= 2 {
		b := make([]byte, size)
		if n := runtime.Stack(b, true); n < size {
			return strings.Split(string(b[:n]), "\n\n")[1:]
		}
	}
}

// ours are those that run this project's code, or were begun by it.
func ours(all []string) (left []string) {
	for _, s := range all {
		if strings.Contains(s, project) {
			left = append(left, s)
		}
	}
	return left
}
