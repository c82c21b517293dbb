package harness

import "flag"

// SideBySide is how many tests run at the same time unless -parallel says otherwise, on whatever machine: for those
// that wait for servers and clocks more than they compute.
func SideBySide(n string) {
	flag.Parse()
	said := false
	flag.Visit(func(f *flag.Flag) { said = said || f.Name == "test.parallel" })
	if !said {
		_ = flag.Set("test.parallel", n)
	}
}
