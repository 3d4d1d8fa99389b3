package anomaly

// An alarm is told if the budget has room for all that are as rare. All classes
// of all signs have the same bar: a rate of one part of the budget (tails.parts),
// so that together they stay within it. What a class cannot use, for its scores
// are cautious, is there for the others.

// needed is the smallest budget that has room for an alarm of that rate.
func needed(t *tails, rate float64) float64 { return rate * t.split }

// trouble is how many real troubles a day, 1,000 secrets and sign are taken for
// granted when a rate is turned into how sure one is. Nobody knows it; it is a
// tenth of the alerts that the default budget allows for, and as many again.
const trouble = 0.1

// confidence is the chance that an alarm is none of those that chance gives.
func confidence(rate float64) float64 {
	return min(max(trouble/(trouble+rate), 0.05), 0.99)
}
