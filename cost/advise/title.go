package advise

import (
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/say"
)

// titleOf is what an advice is about to do in a few words, whether it is advised or
// not: decisions about it are called so.
func titleOf(a *cost.Advice) say.Text {
	at := where(a.Account, a.Region)
	name := named(a)
	switch a.Kind {
	case cost.AboutRecording:
		return say.T("advice.title.recording", say.Values{"type": a.ResourceType, "where": at})
	case cost.AboutExclusion:
		return say.T("advice.title.exclusion", say.Values{"type": a.ResourceType, "where": at})
	case cost.AboutTrail:
		return say.T("advice.title.trail", say.Values{"where": at})
	case cost.AboutAnalyzer:
		return say.T("advice.title.analyzer", say.Values{"name": name, "where": at})
	case cost.AboutDetector:
		if i := slices.IndexFunc(protections, func(p protection) bool { return p.feature == name }); i >= 0 {
			name = protections[i].name
		}
		return say.T("advice.title.detector", say.Values{"name": name, "where": at})
	case cost.AboutUnusedKey:
		if name == a.Account { // nothing is known of any of them
			return say.T("advice.title.unused_keys", say.Values{"where": at})
		}
		return say.T("advice.title.unused_key", say.Values{"name": name})
	case cost.AboutUnusedSecret:
		if name == a.Account {
			return say.T("advice.title.unused_secrets", say.Values{"where": at})
		}
		return say.T("advice.title.unused_secret", say.Values{"name": name})
	case cost.AboutDataEvents:
		return say.T("advice.title.data_events", say.Values{"where": at})
	case cost.AboutChecks:
		return say.T("advice.title.checks", say.Values{"where": at})
	}
	return say.Plain(a.Key)
}

// where is an account and, where it is about one, its region.
func where(account, region string) say.Text {
	if region == "" {
		return say.Plain(account)
	}
	return say.T("advice.title.region", say.Values{"account": account, "region": region})
}

// named is what the key of an advice names besides its place: an ARN, a feature, an
// analyzer.
func named(a *cost.Advice) string {
	rest := strings.TrimPrefix(a.Key, a.Kind+"/")
	return strings.TrimPrefix(rest, a.Account+"/"+a.Region+"/")
}
