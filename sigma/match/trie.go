package match

import "strings"

// node is the keys to look for in an object.
type node struct {
	children map[string]*entry
	entries  []*entry // children by hash, a power of two of them, or none
	dotted   []int32  // slots that an object gives by a key with dots in it
}

// entry is a key to look for.
type entry struct {
	key   string
	slot  int32 // the field that ends here, or -1
	child *node // what to look for further down, or nil
	// dotted: the key is a whole name with dots. Where it occurs, the same name
	// as a path does not count. Its place in node.dotted.
	dotted   bool
	dottedAt int
}

// add makes the rest of a field's name known to n and what is below.
func (n *node) add(name string, slot int32) {
	e := n.child(name)
	e.slot = slot
	head, rest, nested := strings.Cut(name, ".")
	if !nested {
		return
	}
	e.dotted, e.dottedAt = true, len(n.dotted)
	n.dotted = append(n.dotted, slot)
	below := n.child(head)
	if below.child == nil {
		below.child = &node{}
	}
	below.child.add(rest, slot)
}

func (n *node) child(key string) *entry {
	if n.children == nil {
		n.children = map[string]*entry{}
	}
	e := n.children[key]
	if e == nil {
		e = &entry{key: key, slot: -1}
		n.children[key] = e
	}
	return e
}

// finish lays the keys out for lookup.
func (n *node) finish() {
	size := 1
	for size < 4*len(n.children) {
		size *= 2
	}
	n.entries = make([]*entry, size)
	for _, e := range n.children {
		at := hash([]byte(e.key)) & uint32(size-1)
		for n.entries[at] != nil {
			at = (at + 1) & uint32(size-1)
		}
		n.entries[at] = e
		if e.child != nil {
			e.child.finish()
		}
	}
}

// hash looks at the length and a few bytes: keys of a record differ there, and
// a wrong guess costs one comparison.
func hash(key []byte) uint32 {
	n := len(key)
	if n == 0 {
		return 0
	}
	return uint32(n)*0x9e3779b1>>7 ^ uint32(key[0])*31 ^ uint32(key[n/2])*131 ^ uint32(key[n-1])*7
}

// find gives the entry of a key, or nil.
func (n *node) find(key []byte) *entry {
	if len(n.entries) == 0 {
		return nil
	}
	mask := uint32(len(n.entries) - 1)
	for at := hash(key) & mask; ; at = (at + 1) & mask {
		e := n.entries[at]
		if e == nil || e.key == string(key) {
			return e
		}
	}
}
