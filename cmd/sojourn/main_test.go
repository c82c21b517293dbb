package main

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"sojourn": main})
}

// What a transcript may say besides exec.
var commands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"exits": exits,
	"seed":  seed,
	"stale": stale,
	"spoil": spoil,
	"query": query,
	"mode":  fileMode,
	"old":   old,
	"visit": visit,
}

// exits CODE PROGRAM ARGS... runs a program that ends with that code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARGS...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		end, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = end.ExitCode()
	}
	if got != want {
		ts.Fatalf("it ended with %d, want %d", got, want)
	}
}

// mode PERM FILE wants those permissions.
func fileMode(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := strconv.FormatUint(uint64(info.Mode().Perm()), 8); got != args[0] {
		ts.Fatalf("%s has mode %s, want %s", args[1], got, args[0])
	}
}

// Transcripts that need no server.
func TestAlone(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/alone", Cmds: commands, RequireExplicitExec: true, Setup: func(env *testscript.Env) error {
		env.Setenv("SOJOURN_STORE", "sqlite:"+env.WorkDir+"/sessions.db")
		return nil
	}})
}

// Transcripts that are the same on each store. Without a server they are skipped, loudly. Each line runs the program,
// which the race detector makes slow, and which does one thing after the other: then one store is enough.
func TestStores(t *testing.T) {
	for i, kind := range kinds {
		if underRace && i > 0 {
			t.Logf("%s: without -race", kind.name)
			continue
		}
		t.Run(kind.name, func(t *testing.T) {
			fresh := kind.start(t)
			testscript.Run(t, testscript.Params{Dir: "testdata/stores", Cmds: commands, RequireExplicitExec: true,
				Condition: func(cond string) (bool, error) {
					return cond == "table" && kind.table || cond == "scs" && kind.scs, nil
				},
				Setup: func(env *testscript.Env) error { return fresh(env, env.WorkDir) }})
		})
	}
}
