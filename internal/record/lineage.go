package record

const (
	versionLen    = 6
	maxLineage    = 8
	lineageMillis = 60_000
)

// Descend makes c's lineage what it is once version is replaced; seen is when that was written, and
// list is room to write in, used from its beginning.
func (c *Content) Descend(list []byte, version uint64, seen, now int64) {
	older := c.lineage
	if now-seen > lineageMillis {
		older = nil
	}
	var line [maxLineage * versionLen]byte // list may be where the present lineage is
	b := appendMillis(line[:0], int64(version))
	b = append(b, older[:min(len(older), len(line)-versionLen)]...)
	c.lineage = append(list[:0], b...)
}

// DescendsFrom reports whether version is one that this record replaced of late: then the write that
// drew it took effect.
func (c *Content) DescendsFrom(version uint64) bool {
	for b := c.lineage; len(b) > 0; b = b[versionLen:] {
		if uint64(getMillis(b)) == version {
			return true
		}
	}
	return false
}
