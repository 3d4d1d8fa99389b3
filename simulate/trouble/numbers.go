package trouble

import (
	"time"

	"github.com/yagura-sec/yagura/simulate/estate"
)

// The numbers that trouble is made from.
const (
	RoundsSmall  = 1 // each kind in each difficulty, and two chains, a round
	RoundsMedium = 3
	RoundsLarge  = 6

	KnownShare = 0.7 // of what is benign, told by the calendar

	// Incidents of the same principal, person or secret are as far apart, the
	// first as long after TroubleAt and the last as long before End.
	Apart  = 36 * time.Hour
	Before = 12 * time.Hour
	After  = 36 * time.Hour
	// YoungestSecret is how old a secret is at least that trouble comes to, and
	// a program that does not do as it always did.
	YoungestSecret = 14 * 24 * time.Hour
	// Tries is how many times of day an incident looks for a place.
	Tries = 48

	// BlindShare of what is unusual or hidden comes to any secret that is used and
	// by anybody, whatever else happens near. What of it is not to be told from
	// the usual counts as hidden.
	BlindShare = 0.3

	// Frequency. Plain is at least PlainTimes as many as in a busy hour and
	// PlainMore calls more; unusual at least UnusualTimes; hidden anything.
	PlainTimes   = 5.0
	PlainMore    = 100.0
	UnusualTimes = 3.0

	// Caller: how much a secret must be read to know who its callers are.
	KnownPerHour = 0.5

	// Failures.
	SignInsEachDay = 0.8 // ordinary ones of the users whom it happens to
	SignInTypos    = 0.06
	SignInUsers    = 0.08 // of people have a user besides single sign-on

	// Stumbles are denials by policy of everyday, one at a time, a workday and account.
	Stumbles = 0.08

	// What looks like it.
	BusyPerHour  = 1.5 // reads of a program at least, all its secrets together
	StormFewest  = 12  // starts of a deploy, each reading all secrets of its application
	StormMost    = 44
	LoadHours    = 3
	MonthEnd     = 3.0
	NightHours   = 3
	BrokenHours  = 3
	TripDays     = 4
	TripShift    = 7 * time.Hour
	ExpandShare  = 0.5
	FailoverTime = 5 * time.Hour
	DrillTime    = 4 * time.Hour
)

// Range is what a size is drawn from, each value as likely as any other.
type Range struct{ Least, Most float64 }

// The ranges that sizes of incidents are drawn from, each time anew.
var (
	// Frequency: more calls in an hour.
	BurstHuge   = Range{200, 450}
	BurstLarge  = Range{70, 150}
	BurstMiddle = Range{28, 60}
	BurstSmall  = Range{10, 24}
	BurstOnApp  = Range{1.5, 3}  // times as many as on one secret, over all those read
	SlowRise    = Range{1.35, 2} // times as many calls after SlowDays
	SlowDays    = Range{4, 7}
	SweepWide   = Range{45, 60} // different secrets
	SweepMiddle = Range{28, 44}
	SweepNarrow = Range{20, 27}

	// Time, in hours outside of the pattern.
	FarOff    = Range{6.5, 9.5}
	Off       = Range{2.25, 4}
	JustOff   = Range{0.75, 1.5}
	NightRuns = Range{10, 26} // calls of a person at a time that is not his
	NightRead = Range{1, 3}   // reads among them of each of the person's secrets

	// Caller: how often a stranger reads.
	StrangerPlain  = Range{6, 24}
	StrangerSome   = Range{2, 8}
	StrangerHidden = Range{1, 3}

	// Group: how many times a part is read, and how often by a stranger.
	PartsSome   = Range{2, 5}
	PartsHidden = Range{1, 2}
	GroupReads  = Range{1, 6}

	// Failures.
	SprayWide     = Range{14, 30} // different secrets
	SprayNarrow   = Range{6, 13}
	SprayChain    = Range{3, 6}
	Hammer        = Range{50, 140} // denials on one secret, further apart than retries
	HammerShort   = Range{12, 28}
	FailsThenOpen = Range{6, 14} // then a success
	SignInFails   = Range{8, 20}
	SignInFew     = Range{4, 8}
	SignInSlow    = Range{3, 5}
	SlowFails     = Range{4, 9} // in SlowFailHours
	SlowFailHours = Range{6, 12}

	// View: how many secrets somebody looks at.
	ViewMany = Range{3, 6}
	ViewOne  = Range{1, 2}

	// Region: how many reads.
	RegionMany = Range{5, 20}
	RegionSome = Range{2, 5}
	RegionOne  = Range{1, 1}

	// Denials by policy of the organisation, and in how many hours.
	DenialsMany = Range{40, 60}
	DenialsSome = Range{10, 28}
	DenialsFew  = Range{3, 8}
	HoursMany   = Range{0.7, 1.5}
	HoursSome   = Range{2, 5}
	HoursFew    = Range{24, 240}

	// What looks like it.
	LoadTest    = Range{4, 12} // times as many calls
	ScaleStarts = Range{15, 45}
	FlushReads  = Range{30, 90} // of each secret
	TourSecrets = Range{5, 12}
)

// ranges by their names in world.json.
var ranges = map[string]Range{
	"trouble.frequency.huge": BurstHuge, "trouble.frequency.large": BurstLarge, "trouble.frequency.middle": BurstMiddle, "trouble.frequency.small": BurstSmall,
	"trouble.frequency.on_app_times": BurstOnApp, "trouble.frequency.slow_rise": SlowRise, "trouble.frequency.slow_days": SlowDays,
	"trouble.frequency.sweep_wide": SweepWide, "trouble.frequency.sweep_middle": SweepMiddle, "trouble.frequency.sweep_narrow": SweepNarrow,
	"trouble.time.far_hours": FarOff, "trouble.time.off_hours": Off, "trouble.time.just_hours": JustOff, "trouble.time.calls": NightRuns, "trouble.time.reads": NightRead,
	"trouble.caller.plain": StrangerPlain, "trouble.caller.some": StrangerSome, "trouble.caller.hidden": StrangerHidden,
	"trouble.group.parts": PartsSome, "trouble.group.parts_hidden": PartsHidden, "trouble.group.reads": GroupReads,
	"trouble.failures.spray_wide": SprayWide, "trouble.failures.spray_narrow": SprayNarrow, "trouble.failures.spray_chain": SprayChain, "trouble.failures.hammer": Hammer,
	"trouble.failures.hammer_short": HammerShort, "trouble.failures.then_open": FailsThenOpen, "trouble.failures.sign_in": SignInFails,
	"trouble.failures.sign_in_few": SignInFew, "trouble.failures.sign_in_slow": SignInSlow, "trouble.failures.slow": SlowFails, "trouble.failures.slow_hours": SlowFailHours,
	"trouble.view.many": ViewMany, "trouble.view.one": ViewOne,
	"trouble.region.many": RegionMany, "trouble.region.some": RegionSome, "trouble.region.one": RegionOne,
	"trouble.denials.many": DenialsMany, "trouble.denials.some": DenialsSome, "trouble.denials.few": DenialsFew,
	"trouble.denials.hours_many": HoursMany, "trouble.denials.hours_some": HoursSome, "trouble.denials.hours_few": HoursFew,
	"alike.load_times": LoadTest, "alike.scale_starts": ScaleStarts, "alike.flush_reads": FlushReads, "alike.tour_secrets": TourSecrets,
}

// Rates are the numbers as world.json prints them: a range as its two ends.
func Rates() estate.Rates {
	out := estate.Rates{
		"trouble.rounds.small": RoundsSmall, "trouble.rounds.medium": RoundsMedium, "trouble.rounds.large": RoundsLarge,
		"trouble.known_share": KnownShare, "trouble.blind_share": BlindShare, "trouble.apart_hours": Apart.Hours(), "trouble.youngest_secret_days": YoungestSecret.Hours() / 24,
		"trouble.frequency.plain_times": PlainTimes, "trouble.frequency.plain_more": PlainMore, "trouble.frequency.unusual_times": UnusualTimes,
		"trouble.caller.known_per_hour": KnownPerHour, "sign_ins.each_day": SignInsEachDay, "sign_ins.typos": SignInTypos,
		"org_denials.each_workday_and_account": Stumbles, "sign_ins.share_of_people": SignInUsers,
		"alike.busy_per_hour": BusyPerHour, "alike.storm_fewest": StormFewest, "alike.storm_most": StormMost, "alike.load_hours": LoadHours,
		"alike.month_end_times": MonthEnd, "alike.night_hours": NightHours, "alike.broken_hours": BrokenHours,
		"alike.trip_days": TripDays, "alike.trip_shift_hours": TripShift.Hours(), "alike.expand_share": ExpandShare,
		"alike.failover_hours": FailoverTime.Hours(), "alike.drill_hours": DrillTime.Hours(), "alike.settling_hours": Settling.Hours(),
	}
	for name, r := range ranges {
		out[name+".least"], out[name+".most"] = r.Least, r.Most
	}
	return out
}
