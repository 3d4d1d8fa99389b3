// Package correlate evaluates Sigma correlations over hits of the rules they
// refer to.
//
// Compile makes a plan of correlations and says which rules' hits it needs and
// which fields of theirs. An Engine takes hits as they come and gives firings;
// Evaluate does the same to hits that are all there. Both see hits in the order
// of their times: an engine holds them back until its watermark, the latest time
// seen less the lateness, has passed. So the order in which hits come, and
// repeats of them, change nothing, and what comes later than that is counted. A
// hit dated further ahead of the clock than EngineOptions.MaxAhead is set aside
// and counted: it would make all others late. A repeat is a hit of the same rule
// with the same id and the same time, for an Engine as for Evaluate.
//
// What a firing rests on is a function of the hits alone and, per hit, of those
// no further away than Correlation.Reach: whoever stores hits can evaluate any
// part of them anew and comes to the same.
//
// What the specification leaves open is decided so:
//
//   - Windows slide. A window holds both its ends: two hits exactly a timespan
//     apart are within it.
//   - A month and a year are the calendar's on average, as in pySigma.
//   - Conditions of gt and gte, and temporal types, are looked at whenever a hit
//     comes, over the timespan that ends with it. Hits of the same time are taken
//     together.
//   - Conditions that more hits could undo (lt, lte, eq, neq, ranges) are looked
//     at when the timespan has closed. A hit is asked about the fullest window
//     that it is in, of those that begin with a hit: of the greatest value, or
//     for averages and percentiles of the most numbers. So a hit amid a burst is
//     never one of few.
//   - A count of 0, for conditions that nothing else satisfies, is a timespan
//     without a hit after the last one of a group: what never came has no group.
//   - temporal_ordered: hits of the same time are in any order one likes; logs
//     have seconds and no causes. Other hits may lie between. Its condition
//     counts the rules that matched in order, and must hold of all from some
//     number on.
//   - One event that several rules match satisfies each in temporal types, and
//     counts once in the others.
//   - A hit that lacks a field of group-by, null included, is in no group, and
//     counted in Stats.NoGroup. An array is in the groups of all its elements.
//     Values are the same if their text is: case matters, 7 is "7".
//   - value_count of several fields counts combinations. A hit that lacks one
//     adds none, but is among the hits that a firing rests on.
//   - value_sum and the like take numbers and text that is one, and pass over
//     the rest.
//   - value_percentile with a percentile is that of the numbers, interpolated
//     linearly; value_median is percentile 50. Without one it is, as in the
//     specification's example, the share of a value among all values in the
//     fullest window, in percent, and a firing is about the hits with such a
//     value and names the share of the first.
//   - A field that an alias does not cover for a rule keeps its name.
//   - A firing feeds the correlations that refer to its own as a hit at the time
//     it could be said. Its fields are the group's values; any other field has
//     the values that the hits it rests on have.
//   - generate: a rule that any correlation refers to gives no findings of its
//     own unless one of these says generate: true. So do correlations.
//
// Boolean conditions over the rules of temporal types, a proposal for
// specification 2.2, are refused unless Options.Extended is set:
//
//   - temporal, "a and not b": a matched, and b did not within the timespan
//     before or after. More generally what is under a not stays out for a
//     timespan on both sides of the moment at which the rest came to hold.
//   - temporal_ordered: the order of rules says where b must stay out: listed
//     behind all others for the timespan after the last, listed before them for
//     the timespan up to the last, listed between two not between them. Only and
//     and not join rules here.
//   - b at the same time as a is both before and after it.
//
// State is bounded by EngineOptions. What goes over is counted in Stats, and a
// firing whose group lost hits says so: its value is a lower bound. Limits on
// counts are decided rightly nevertheless, since a group may always have more
// hits than its condition asks for.
package correlate
