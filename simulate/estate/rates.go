package estate

// Rates are the figures that a world is made from, as world.json prints them.
// A test holds each against what is written.
type Rates map[string]float64
