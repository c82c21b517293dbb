package sqlstore

import (
	"fmt"
	"strconv"
	"strings"
)

// noRoom reports that MySQL takes no more prepared statements, of anybody's: ER_MAX_PREPARED_STMT_COUNT_REACHED.
// Nothing was run. The driver prepares also what has parameters and is run once.
func noRoom(err error) bool { return err != nil && mysqlNumber(err) == 1461 }

// spelled writes the values into a statement of MySQL, for a server that prepares no more. They are numbers,
// and texts of characters that mean nothing in any character set: ids, headers, bytes in hexadecimal. With
// anything else in a text, a key of somebody else's say, it is not done.
func spelled(text string, args []any) (string, bool) {
	parts := strings.Split(text, "?")
	if len(parts) != len(args)+1 {
		return "", false
	}
	var b strings.Builder
	for i, arg := range args {
		b.WriteString(parts[i])
		switch v := arg.(type) {
		case nil:
			b.WriteString("NULL")
		case int:
			b.WriteString(strconv.Itoa(v))
		case int64:
			b.WriteString(strconv.FormatInt(v, 10))
		case string, []byte:
			s := fmt.Sprintf("%s", v)
			if !isBase64url(s) {
				return "", false
			}
			b.WriteString("'" + s + "'")
		default:
			return "", false
		}
	}
	b.WriteString(parts[len(args)])
	return b.String(), true
}
