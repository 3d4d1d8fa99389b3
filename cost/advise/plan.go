package advise

import (
	"encoding/json"
	"slices"

	"github.com/yagura-sec/yagura/cost/count"
	"github.com/yagura-sec/yagura/internal/shell"
)

// Frequencies and strategies of the provider's interface.
const (
	frequencyContinuous = "CONTINUOUS"
	frequencyDaily      = "DAILY"
	frequencyNever      = "NEVER" // ours: the type is left out

	useExclusion = "EXCLUSION_BY_RESOURCE_TYPES"
	useInclusion = "INCLUSION_BY_RESOURCE_TYPES"
)

// askRecorders is the command whose answer tells how recorders are set up.
const askRecorders = "aws configservice describe-configuration-recorders"

// recorderOf is the customer's own recorder of a place as it was described; nil: it is
// not known. Recorders that services keep for themselves are not it.
func (j *judge) recorderOf(p count.Place) *count.Recorder {
	for i := range j.Setup.Recorders {
		if r := &j.Setup.Recorders[i]; r.Place == p && r.Service == "" && len(r.Described) > 0 && !isTowers(r) {
			return r
		}
	}
	return nil
}

// recordedAs is how the customer's recorder of a place, whoever made it, records a
// type: how often, or not at all; empty: it was not described.
func (j *judge) recordedAs(t tallied) string {
	for i := range j.Setup.Recorders {
		r := &j.Setup.Recorders[i]
		switch {
		case r.Place != t.Place || r.Service != "" || len(r.Described) == 0:
		case leavesOut(r.Group, t.resourceType):
			return frequencyNever
		default:
			return frequencyOf(r, t.resourceType)
		}
	}
	return ""
}

// includes tells whether a group names the types that it records.
func includes(g count.Group) bool {
	if g.RecordingStrategy != nil && g.RecordingStrategy.UseOnly != "" {
		return g.RecordingStrategy.UseOnly == useInclusion
	}
	return !g.AllSupported && len(g.ResourceTypes) > 0
}

// leavesOut tells whether a group does not record a type.
func leavesOut(g count.Group, resourceType string) bool {
	if includes(g) {
		return !slices.Contains(g.ResourceTypes, resourceType)
	}
	return g.ExclusionByResourceTypes != nil && slices.Contains(g.ExclusionByResourceTypes.ResourceTypes, resourceType)
}

// frequencyOf is how often a recorder records a type.
func frequencyOf(r *count.Recorder, resourceType string) string {
	for _, o := range r.Mode.Overrides {
		if slices.Contains(o.Types, resourceType) {
			return o.Frequency
		}
	}
	if r.Mode.Frequency == "" {
		return frequencyContinuous // as it was before there was a choice
	}
	return r.Mode.Frequency
}

// dailyPlan sets types to daily recording, and back: the recorder as it was described.
// Putting a recorder replaces all of it, so that both commands say all of it. False: it
// does not say enough of itself for a way back.
func dailyPlan(r *count.Recorder, types []string) (plan, undo []string, ok bool) {
	m := r.Mode
	if m.Frequency == "" {
		m.Frequency = frequencyContinuous
	}
	// There is at most one override. It lists what differs from the recorder's own
	// frequency: the types join it, or leave it where all others are daily.
	listed := frequencyDaily
	if m.Frequency == frequencyDaily {
		listed = frequencyContinuous
	}
	var apart []string
	for _, o := range m.Overrides {
		if o.Frequency == listed {
			apart = append(apart, o.Types...)
		}
	}
	apart = slices.DeleteFunc(apart, func(t string) bool { return slices.Contains(types, t) })
	if listed == frequencyDaily {
		apart = append(apart, types...)
	}
	slices.Sort(apart)
	m.Overrides = nil
	if len(apart) > 0 {
		m.Overrides = []count.Override{{Description: "recorded otherwise than the rest, by what it costs", Types: slices.Compact(apart), Frequency: listed}}
	}
	return put(r, r.Group, m)
}

// exclusionPlan leaves a type out, and back.
func exclusionPlan(r *count.Recorder, resourceType string) (plan, undo []string, ok bool) {
	g := r.Group
	if includes(g) {
		g.ResourceTypes = slices.DeleteFunc(slices.Clone(g.ResourceTypes), func(t string) bool { return t == resourceType })
		if len(g.ResourceTypes) == 0 {
			return nil, nil, false
		}
	} else {
		var out []string
		if g.ExclusionByResourceTypes != nil {
			out = append(out, g.ExclusionByResourceTypes.ResourceTypes...)
		}
		out = append(out, resourceType)
		slices.Sort(out)
		g = count.Group{ExclusionByResourceTypes: &count.Excluded{ResourceTypes: slices.Compact(out)}, RecordingStrategy: &count.Strategy{UseOnly: useExclusion}}
	}
	return put(r, g, r.Mode)
}

// put writes the commands that set a recorder and set it back.
func put(r *count.Recorder, g count.Group, m count.Mode) (plan, undo []string, ok bool) {
	if r.Name == "" || r.Role == "" || r.Region == "" || !r.Group.AllSupported && len(r.Group.ResourceTypes) == 0 && r.Group.ExclusionByResourceTypes == nil {
		return nil, nil, false
	}
	was := r.Mode
	for _, x := range []*count.Mode{&was, &m} {
		if x.Frequency == "" {
			x.Frequency = frequencyContinuous
		}
	}
	return []string{putCommand(r, g, m)}, []string{putCommand(r, r.Group, was)}, true
}

func putCommand(r *count.Recorder, g count.Group, m count.Mode) string {
	type recorder struct {
		Name string     `json:"name"`
		Role string     `json:"roleARN"`
		Mode count.Mode `json:"recordingMode"`
	}
	return shell.Command("aws", "configservice", "put-configuration-recorder", "--region", r.Region,
		"--configuration-recorder", text(recorder{r.Name, r.Role, m}), "--recording-group", text(tidy(g)))
}

// tidy leaves out what the interface answers but does not take together with the
// strategy: empty lists.
func tidy(g count.Group) count.Group {
	if g.ExclusionByResourceTypes != nil && len(g.ExclusionByResourceTypes.ResourceTypes) == 0 {
		g.ExclusionByResourceTypes = nil
	}
	return g
}

// text is a value as JSON.
func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // of types that always encode
	}
	return string(b)
}
