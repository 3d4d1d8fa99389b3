package who

import (
	"slices"
	"strings"
)

// person is somebody with all names under which they are logged.
type person struct {
	uid   string // an e-mail, where there is one
	names map[string]bool
}

// ids are the names, the uid first.
func (p *person) ids() []string {
	out := []string{p.uid}
	for name := range p.names {
		if name != p.uid {
			out = append(out, name)
		}
	}
	slices.Sort(out[1:])
	return out
}

// people are persons by name.
type people struct {
	byName map[string]*person
	all    []*person // by uid
}

// link makes persons of names. A log of a device knows mei.tanaka@example.com as
// EXAMPLE\mei.tanaka, EXAMPLE\mtanaka or tanaka: such a name is taken for the one
// person whose e-mail may be shortened to it, and stands for itself where that may
// be several people's, or nobody's.
func link(names []string) *people {
	p := &people{byName: map[string]*person{}}
	slices.Sort(names)
	names = slices.Compact(names)
	short := map[string][]*person{} // whose e-mail may be shortened so
	add := func(name string) *person {
		x := &person{uid: name, names: map[string]bool{name: true}}
		p.byName[name] = x
		p.all = append(p.all, x)
		return x
	}
	byLocal := map[string]*person{}
	for _, name := range names {
		local, _, ok := strings.Cut(name, "@")
		if !ok {
			continue
		}
		// One person has addresses in several domains of a company.
		if x := byLocal[local]; x != nil {
			x.names[name] = true
			p.byName[name] = x
			continue
		}
		x := add(name)
		byLocal[local] = x
		for _, form := range forms(local) {
			short[form] = append(short[form], x)
		}
	}
	for _, name := range names {
		if name == "" || p.byName[name] != nil {
			continue
		}
		local := name[strings.LastIndexByte(name, '\\')+1:]
		if x := byLocal[local]; x != nil {
			x.names[name] = true
			p.byName[name] = x
			continue
		}
		if some := short[local]; len(some) == 1 {
			some[0].names[name] = true
			p.byName[name] = some[0]
			continue
		}
		add(name)
	}
	slices.SortFunc(p.all, func(a, b *person) int { return strings.Compare(a.uid, b.uid) })
	return p
}

// forms are how the local part of an e-mail is shortened to a name of a computer's
// user: meitanaka, mtanaka, tanakam, tanaka.
func forms(local string) []string {
	parts := strings.FieldsFunc(local, func(r rune) bool { return r == '.' || r == '_' || r == '-' })
	if len(parts) < 2 {
		return nil
	}
	first, last := parts[0], parts[len(parts)-1]
	out := []string{strings.Join(parts, ""), first[:1] + last, last + first[:1], first + last[:1], last + "." + first, last}
	slices.Sort(out)
	return slices.Compact(out)
}

// of is the person of that name, if it is one's.
func (p *people) of(name string) *person { return p.byName[name] }

// join takes the names of alias for one person's.
func (p *people) join(to, alias *person) {
	for name := range alias.names {
		to.names[name], p.byName[name] = true, to
	}
	p.all = slices.DeleteFunc(p.all, func(x *person) bool { return x == alias })
}
