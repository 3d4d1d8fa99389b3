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

	// Frequency. Plain is at least PlainTimes as many as in a busy hour and
	// PlainMore calls more; unusual at least UnusualTimes; hidden anything.
	BurstHuge    = 300
	BurstLarge   = 100
	BurstMiddle  = 40
	BurstSmall   = 15
	PlainTimes   = 5.0
	PlainMore    = 100.0
	UnusualTimes = 3.0
	SlowRise     = 1.5 // times as many calls after SlowDays
	SlowDays     = 5
	SweepWide    = 60 // different secrets
	SweepMiddle  = 30
	SweepNarrow  = 20

	// Time, in hours outside of the pattern.
	FarOff    = 8
	Off       = 3
	JustOff   = 1
	NightRuns = 12 // calls of a person at a time that is not his, at least; the same again at most
	NightRead = 2  // reads among them of each of the person's secrets

	// Caller: how often a stranger reads, and how much a secret must be read to
	// know who its callers are.
	StrangerPlain  = 12
	StrangerSome   = 4
	StrangerHidden = 2
	KnownPerHour   = 0.5

	// Failures.
	SprayWide      = 20 // different secrets
	SprayNarrow    = 9
	Hammer         = 90 // denials on one secret, minutes apart
	HammerShort    = 18
	FailsThenOpen  = 9 // then a success
	SignInFails    = 12
	SignInFew      = 6
	SlowFails      = 6 // in SlowFailHours
	SlowFailHours  = 9
	SignInsEachDay = 0.8 // ordinary ones of the users whom it happens to
	SignInTypos    = 0.06
	SignInUsers    = 0.08 // of people have a user besides single sign-on

	// View: how many secrets somebody looks at.
	ViewMany = 4
	ViewOne  = 1

	// Region: how many reads.
	RegionMany = 10
	RegionSome = 3
	RegionOne  = 1

	// Denials by organisation policy.
	DenialsMany = 60 // in an hour
	DenialsSome = 16 // in three hours
	DenialsFew  = 5  // in DenialsDays days
	DenialsDays = 4
	// Stumbles are such denials of everyday, one at a time, a workday and account.
	Stumbles = 0.08

	// What looks like it.
	BusyPerHour  = 1.5 // reads of a program at least, all its secrets together
	StormFewest  = 12  // starts of a deploy, each reading all secrets of its application
	StormMost    = 44
	LoadTest     = 8.0 // times as many calls
	LoadHours    = 3
	MonthEnd     = 3.0
	ScaleStarts  = 30
	FlushReads   = 60 // of each secret
	NightHours   = 3
	BrokenHours  = 3
	TripDays     = 4
	TripShift    = 7 * time.Hour
	ExpandShare  = 0.5
	FailoverTime = 5 * time.Hour
	DrillTime    = 4 * time.Hour
	TourSecrets  = 8
)

// Rates are the numbers as world.json prints them.
func Rates() estate.Rates {
	return estate.Rates{
		"trouble.rounds.small": RoundsSmall, "trouble.rounds.medium": RoundsMedium, "trouble.rounds.large": RoundsLarge,
		"trouble.known_share": KnownShare, "trouble.apart_hours": Apart.Hours(), "trouble.youngest_secret_days": YoungestSecret.Hours() / 24,
		"trouble.frequency.huge": BurstHuge, "trouble.frequency.large": BurstLarge, "trouble.frequency.middle": BurstMiddle,
		"trouble.frequency.small": BurstSmall, "trouble.frequency.plain_times": PlainTimes, "trouble.frequency.plain_more": PlainMore,
		"trouble.frequency.unusual_times": UnusualTimes, "trouble.frequency.slow_rise": SlowRise, "trouble.frequency.slow_days": SlowDays,
		"trouble.frequency.sweep_wide": SweepWide, "trouble.frequency.sweep_middle": SweepMiddle, "trouble.frequency.sweep_narrow": SweepNarrow,
		"trouble.time.far_hours": FarOff, "trouble.time.off_hours": Off, "trouble.time.just_hours": JustOff, "trouble.time.calls": NightRuns, "trouble.time.reads": NightRead,
		"trouble.caller.plain": StrangerPlain, "trouble.caller.some": StrangerSome, "trouble.caller.hidden": StrangerHidden, "trouble.caller.known_per_hour": KnownPerHour,
		"trouble.failures.spray_wide": SprayWide, "trouble.failures.spray_narrow": SprayNarrow, "trouble.failures.hammer": Hammer,
		"trouble.failures.hammer_short": HammerShort, "trouble.failures.then_open": FailsThenOpen, "trouble.failures.sign_in": SignInFails,
		"trouble.failures.sign_in_few": SignInFew, "trouble.failures.slow": SlowFails, "trouble.failures.slow_hours": SlowFailHours,
		"sign_ins.each_day": SignInsEachDay, "sign_ins.typos": SignInTypos,
		"trouble.view.many": ViewMany, "trouble.view.one": ViewOne,
		"trouble.region.many": RegionMany, "trouble.region.some": RegionSome, "trouble.region.one": RegionOne,
		"trouble.denials.many": DenialsMany, "trouble.denials.some": DenialsSome, "trouble.denials.few": DenialsFew, "trouble.denials.days": DenialsDays,
		"org_denials.each_workday_and_account": Stumbles, "sign_ins.share_of_people": SignInUsers,
		"alike.busy_per_hour": BusyPerHour, "alike.storm_fewest": StormFewest, "alike.storm_most": StormMost, "alike.load_times": LoadTest, "alike.load_hours": LoadHours,
		"alike.month_end_times": MonthEnd, "alike.scale_starts": ScaleStarts, "alike.flush_reads": FlushReads, "alike.night_hours": NightHours,
		"alike.broken_hours": BrokenHours, "alike.trip_days": TripDays, "alike.trip_shift_hours": TripShift.Hours(), "alike.expand_share": ExpandShare,
		"alike.failover_hours": FailoverTime.Hours(), "alike.drill_hours": DrillTime.Hours(), "alike.tour_secrets": TourSecrets, "alike.settling_hours": Settling.Hours(),
	}
}
