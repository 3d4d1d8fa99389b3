package anomaly

import "github.com/yagura-sec/yagura/finding"

// budget decides which alarms are told. Every sign has an equal part of it, and
// of that every class of the sign: none can use up what the others need, and
// what is rare by construction is told with hardly any of it.
type budget struct {
	perDay float64 // and 1,000 secrets, all signs
}

// threshold is up to which rate an alarm is told.
func (b budget) threshold(t *tails, sign, class string) float64 {
	return b.perDay / float64(len(finding.Signs)) / float64(t.share(sign, class))
}

// needed is the smallest budget that tells of an alarm of such a rate.
func needed(t *tails, sign, class string, rate float64) float64 {
	return rate / budget{1}.threshold(t, sign, class)
}

// trouble is how many real troubles a day, 1,000 secrets and sign are taken for
// granted when a rate is turned into how sure one is. Nobody knows it; it is a
// tenth of the alerts that the default budget allows for, and as many again.
const trouble = 0.1

// confidence is the chance that an alarm is none of those that chance gives.
func confidence(rate float64) float64 {
	return min(max(trouble/(trouble+rate), 0.05), 0.99)
}
