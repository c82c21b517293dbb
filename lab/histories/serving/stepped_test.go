package serving

import (
	"strings"
	"testing"
)

// The installed Go has the text that is replaced, once. This needs no build.
func TestTheInstalledGoCanBeStepped(t *testing.T) {
	_, text, err := timePackage()
	if err != nil {
		t.Skipf("skipped: the source of package time; there is none: %v", err)
	}
	got, err := stepping(text)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(got, nowSteps) {
		t.Error("Now is not stepped")
	}
	if _, err := stepping("package time\n"); err == nil {
		t.Error("a package without that Now is taken for one that can be stepped")
	}
}
