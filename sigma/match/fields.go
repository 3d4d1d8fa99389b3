package match

import (
	"fmt"
	"sync"

	"github.com/yagura-sec/yagura/sigma/ir"
)

// Fields reads the values of named fields from records, finding them as a Set
// does: a name as it stands before the same name as a path, arrays as their
// elements. It never changes and may be used from several goroutines.
type Fields struct {
	names []string
	set   *Set
	plan  *plan
	pool  sync.Pool // of *Scratch
}

// NewFields makes a reader of the fields.
func NewFields(names []string) *Fields {
	f := &Fields{names: names, plan: &plan{root: &node{}}}
	f.set = &Set{program: &ir.Program{}, fields: []string{""}, slots: map[string]int{}, plans: map[Source]*plan{}}
	for _, name := range names {
		slot := f.set.slot(name)
		f.plan.slots = append(f.plan.slots, slot)
		f.plan.root.add(name, slot)
	}
	f.plan.root.finish()
	f.set.plans[Source{}] = f.plan
	return f
}

// Names are the fields, in the order in which Read gives their values.
func (f *Fields) Names() []string { return f.names }

// Read gives the values of each field as text: none where the field is absent
// or null, several where it is an array. The texts are the caller's.
func (f *Fields) Read(record []byte) ([][]string, error) {
	out := make([][]string, len(f.names))
	if len(f.names) == 0 {
		return out, nil
	}
	sc, _ := f.pool.Get().(*Scratch)
	if sc == nil {
		sc = f.set.NewScratch()
	}
	defer f.pool.Put(sc)
	sc.enter(Source{})
	if err := sc.read(record); err != nil {
		return nil, fmt.Errorf("read fields: %w", err)
	}
	for i, name := range f.names {
		values := sc.fields[f.set.slots[name]].Values
		for k := range values {
			if values[k].Kind != ir.Null {
				out[i] = append(out[i], values[k].Shown(&sc.buf))
			}
		}
	}
	sc.Forget()
	return out, nil
}
