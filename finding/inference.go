package finding

import "github.com/yagura-sec/yagura/say"

// Named is the least probability, and Margin the least ratio to the next
// candidate, at which an inference names somebody.
const (
	Named  = 0.8
	Margin = 2.0
)

// Inference is who probably made calls whose record does not say. It is
// inferred, not logged: the events themselves are never changed by it.
type Inference struct {
	// UID is the one named; empty where nobody stands out enough (Named,
	// Margin): then the candidates are all that can be said.
	UID         string  `json:"uid"`
	Probability float64 `json:"probability"` // of UID, or of the first candidate
	// Candidates are the three most probable, most probable first.
	Candidates []Candidate `json:"candidates"`
	// None is the probability that it was none of those whom any log names.
	None float64 `json:"none"`
}

// Candidate is somebody who may have made the calls.
type Candidate struct {
	UID         string     `json:"uid"` // an actor_uid of other events
	Probability float64    `json:"probability"`
	Why         []Pointing `json:"why,omitempty"`
}

// Pointing is something that speaks for a candidate, or against one.
type Pointing struct {
	Text say.Text `json:"text"`
	// Weight is in nats: the logarithm of how many times likelier this is to be
	// seen if it was the candidate than if it was anybody else.
	Weight float64 `json:"weight"`
	// Query finds the records that show it, in the language of package query.
	Query string `json:"query"`
}

// Name names the first candidate if it stands out, and says whether it does.
func (i *Inference) Name() bool {
	i.UID, i.Probability = "", 0
	if len(i.Candidates) == 0 {
		return false
	}
	first := i.Candidates[0]
	next := i.None
	if len(i.Candidates) > 1 {
		next = max(next, i.Candidates[1].Probability)
	}
	i.Probability = first.Probability
	if first.Probability < Named || first.Probability < Margin*next {
		return false
	}
	i.UID = first.UID
	return true
}

// RegisterGap is a service that somebody's work needs and nobody applied for.
type RegisterGap struct {
	Project string `json:"project"`
	Service string `json:"service"` // missing in the register: "compute.googleapis.com"
	// NeededBy is the service applied for, or used, that brings Service along.
	NeededBy string   `json:"needed_by"`
	Applied  []string `json:"applied"` // services that were applied for
}

// ProposedVerdict is a verdict for a person to take or leave.
type ProposedVerdict struct {
	Verdict Verdict    `json:"verdict"`
	Reason  string     `json:"reason"` // a verdict's reason code
	Why     []say.Text `json:"why"`    // sentences, weightiest first
}
