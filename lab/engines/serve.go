package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	"github.com/gosojourn/sojourn/lab/harness"
)

// serve says the address of an unpacked e, and ends it with its own input.
func serve(e engine, cache string) error {
	if e.version(cache) == "" {
		return fmt.Errorf("%s is not unpacked: go run ./engines fetch %s", e.name, e.name)
	}
	key, value, _ := strings.Cut(e.environment(cache), "=")
	os.Setenv(key, value)
	address, stop, err := harness.Serve(e.server)
	if err != nil {
		return err
	}
	defer stop()
	fmt.Println(address)
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	ended := make(chan struct{})
	go func() {
		io.Copy(io.Discard, os.Stdin)
		close(ended)
	}()
	select {
	case <-interrupted:
	case <-ended:
	}
	return nil
}

// served runs serve in a process of its own, because the harness knows one server of a kind.
func served(e engine) (address string, stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return "", nil, err
	}
	cmd := exec.Command(self, "serve", e.name)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		in.Close()
		cmd.Wait()
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		stop()
		return "", nil, errors.New("the server does not start")
	}
	return strings.TrimSpace(line), stop, nil
}
