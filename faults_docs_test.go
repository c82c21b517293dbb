package sojourn_test

import (
	"os"
	"strings"
	"testing"
)

// The package's documentation said that New refuses EncryptAtRest.
func TestFaultThePackageDocDeniesNoOption(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	if text := strings.ReplaceAll(string(doc), "\n// ", " "); strings.Contains(text, "Encryption at rest is not in this version") {
		t.Error("doc.go says that Encryption at rest is not in this version")
	}
}
