package anomaly

import "github.com/yagura-sec/yagura/finding"

// Of the budget every sign has an equal part, and of that every class of the sign:
// none can use up what the others need, and what is rare by construction is told
// with hardly any of it.

// needed is the smallest budget that has room for an alarm of that rate.
func needed(t *tails, sign, class string, rate float64) float64 {
	return rate * float64(len(finding.Signs)) * float64(t.share(sign, class))
}

// trouble is how many real troubles a day, 1,000 secrets and sign are taken for
// granted when a rate is turned into how sure one is. Nobody knows it; it is a
// tenth of the alerts that the default budget allows for, and as many again.
const trouble = 0.1

// confidence is the chance that an alarm is none of those that chance gives.
func confidence(rate float64) float64 {
	return min(max(trouble/(trouble+rate), 0.05), 0.99)
}
