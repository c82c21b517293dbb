// Package compliance holds a manager against what OWASP, ASVS 5.0, NIST SP 800-63B-4, RFC 6265bis and the draft of
// device-bound sessions ask, row by row. The rows are those of [sojourn.Policy].
//
//	go test ./lab/compliance -run TestCompliance/O23    # one row, on the real middleware and real stores
//	go test ./lab/compliance -run TestTable -v          # the count: met, application, deviates
//	go test ./lab/compliance -docs                      # writes docs/compliance.md
package compliance
