package main

// A single is measured once, not in pairs.
type single struct {
	name    string // the results' names begin with it
	measure func(o options) ([]result, error)
}

var singles = []single{
	{"allocations in process", measureAllocations},
	{"memory of a session", measureMemory},
	counting(inSQLite), counting(inMariaDB), counting(inPostgres),
	{"200 increments", measureIncrements},
	{"sweep of half", measureSweep},
	growth(inSQLite), growth(inMariaDB), growth(inPostgres),
}
