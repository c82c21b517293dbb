// Command oncall says from a log and scrapes alone what was broken, since when, until when, and who was hit: what
// somebody who is called at night has. Nothing in it knows the application or its store.
//
//	SOJOURN_ONCALL=night go test -run TestOnCall ./lab/oncall    kills databases under load; logs and scrapes are in night
//	go run ./lab/oncall night/MariaDB                            reads them
//
// A folder has app.log, the JSON lines of slog, and scrapes, what a Prometheus page said: one file each, named by when
// it was asked for and when it was there, in milliseconds since 1970.
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: oncall folder")
		os.Exit(2)
	}
	f, err := read(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "oncall:", err)
		os.Exit(1)
	}
	fmt.Print(f)
}
