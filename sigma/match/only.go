package match

// Only is a set of the same rules under the same indexes, of which none but
// those given is ever held against a record, or costs anything.
func (s *Set) Only(rules []int) *Set {
	only := make([]bool, s.Len())
	for _, i := range rules {
		only[i] = s.only == nil || s.only[i]
	}
	return &Set{
		program: s.program, fields: s.fields, slots: s.slots, atomAt: s.atomAt, refAt: s.refAt, jumps: s.jumps, entry: s.entry,
		only: only, plans: map[Source]*plan{}, byRules: map[string]*plan{},
	}
}
