package simulate

import (
	"maps"

	"github.com/yagura-sec/yagura/simulate/estate"
	"github.com/yagura-sec/yagura/simulate/streams"
)

// What a world is made from. world.json prints these figures, and a test holds
// what is written against them.
const (
	rateMedian = 3.0 // reads of a secret in a busy hour, over all its readers
	rateSigma  = 1.6 // of the logarithm
	rateMax    = 200.0
	batchMax   = 30.0 // reads of one run of a batch

	shareLambda = 0.40 // of applications
	shareECS    = 0.25
	shareEC2    = 0.20
	shareEKS    = 0.08
	shareCI     = 0.05
	shareMixed  = 0.15 // of applications have programs of two classes

	shareOffice  = 0.45 // of programs' reading
	shareFlat    = 0.30
	shareBatch   = 0.12
	shareWeekly  = 0.05
	shareMonthly = 0.08
	monthEnd     = 3.0 // times as much, on the last two days and the first

	shareTogether   = 0.30 // of applications with three or more secrets
	sharePerson     = 0.08 // of secrets are people's
	shareParameter  = 0.18 // of the others
	shareKey        = 0.10
	shareByName     = 0.20 // of Secrets Manager's secrets: callers give the bare name
	shareRotated    = 0.20 // of secrets that are not read together
	shareReplicated = 0.06
	shareGrowing    = 0.20 // of readings, by up to growthMax a month either way
	growthMax       = 0.20
	shareStepping   = 0.10 // of readings, at one moment to between half and twice
	shareIMDSv1     = 0.15 // of EC2
	shareExecEnv    = 0.80 // of Lambda tell their environment in the user agent
	shareEndpoint   = 0.35 // of programs call through the VPC endpoint

	dispersionMedian = 12.0 // k of the gamma-Poisson counts
	dispersionSigma  = 0.8
	onShare          = 0.06 // of hours of switching traffic are ON
	onTail           = 1.8  // Pareto's alpha, of lengths and of factors
	onFactorMax      = 6.0
	offNoise         = 0.15 // sigma of the logarithm otherwise
	cacheTTL         = 3600 // seconds that a caching client keeps a secret

	deploysPerDay    = 0.35 // a weekday and team
	deployReadsMin   = 4    // of every secret of the application
	deployReadsMax   = 44
	deployUnmarked   = 0.15
	scalesPerDay     = 0.5 // scale-outs a day and service on ECS or EC2
	pagesPerDay      = 0.15
	tagEditsPerDay   = 0.5 // a day and 100 secrets
	newAppEvery      = 20  // days
	shareCreated     = 0.02
	shareRenamed     = 0.01
	shareDeleted     = 0.01
	shareJoining     = 0.04 // of people, within the logs
	shareLeaving     = 0.03
	callsPerPerson   = 40.0 // a day at work
	presence         = 0.92 // of workdays are worked
	fromHome         = 0.40 // of those
	shareConsole     = 0.55 // of people's calls
	personReads      = 1.6  // of each of their secrets a day at work
	peopleFailed     = 1.0 / 64
	deniedPrincipals = 0.30 // of programs are denied something now and then
	deniedMax        = 2.0  // times an hour
	misconfigured    = 45.0 // denials an hour of the one broken pipeline

	shareTwin       = 0.93 // of reads have the key service's record beside them
	shareThrottled  = 0.0004
	shareNotFound   = 0.001
	shareInternal   = 0.3 // of console calls come under the agent "AWS Internal"
	shareAgain      = 0.01
	delayMedian     = 5 * 60.0 // seconds
	delaySigma      = 0.596    // 1 % later than 20 minutes
	gapHours        = 6
	backgroundCalls = 12.0 // records of other work in a busy hour and account
)

func rates() estate.Rates {
	r := streams.Rates()
	maps.Copy(r, estate.Rates{
		"rate_median_per_busy_hour": rateMedian, "rate_sigma": rateSigma, "rate_max": rateMax, "batch_max": batchMax,
		"share_lambda": shareLambda, "share_ecs": shareECS, "share_ec2": shareEC2, "share_eks": shareEKS, "share_ci": shareCI, "share_mixed_apps": shareMixed,
		"share_office": shareOffice, "share_flat": shareFlat, "share_batch": shareBatch, "share_weekly": shareWeekly, "share_month_end": shareMonthly, "month_end_factor": monthEnd,
		"share_together_apps": shareTogether, "share_person_secrets": sharePerson, "share_parameters": shareParameter, "share_keys": shareKey,
		"share_by_name": shareByName, "share_rotated": shareRotated, "share_replicated": shareReplicated,
		"share_growing": shareGrowing, "growth_max_per_month": growthMax, "share_stepping": shareStepping,
		"share_imdsv1": shareIMDSv1, "share_exec_env": shareExecEnv, "share_vpc_endpoint": shareEndpoint,
		"dispersion_median": dispersionMedian, "dispersion_sigma": dispersionSigma,
		"on_share_of_hours": onShare, "on_pareto_alpha": onTail, "on_factor_max": onFactorMax, "off_noise_sigma": offNoise, "cache_ttl_seconds": cacheTTL,
		"deploys_per_weekday_and_team": deploysPerDay, "deploy_reads_min": deployReadsMin, "deploy_reads_max": deployReadsMax, "deploy_unmarked_share": deployUnmarked,
		"scale_outs_per_day_and_service": scalesPerDay, "night_pages_per_day": pagesPerDay, "tag_edits_per_day_and_100_secrets": tagEditsPerDay,
		"new_app_every_days": newAppEvery, "share_created": shareCreated, "share_renamed": shareRenamed, "share_deleted": shareDeleted,
		"share_joining": shareJoining, "share_leaving": shareLeaving,
		"calls_per_person_and_workday": callsPerPerson, "presence_share": presence, "from_home_share": fromHome, "console_share": shareConsole,
		"person_reads_per_secret_and_workday": personReads, "people_failed_share": peopleFailed,
		"denied_principals_share": deniedPrincipals, "denied_max_per_hour": deniedMax, "misconfigured_denials_per_hour": misconfigured,
		"twin_share": shareTwin, "throttled_share": shareThrottled, "not_found_share": shareNotFound, "aws_internal_share": shareInternal,
		"delivered_again_share": shareAgain, "delivery_median_seconds": delayMedian, "delivery_sigma": delaySigma, "delivery_gap_hours": gapHours,
		"background_calls_per_busy_hour_and_account": backgroundCalls,
	})
	return r
}
