package say

// refused is what is said of runs of denials by policy in Google Cloud and Azure.
var refused = texts{
	"refused.title":          {"{who} runs into {constraint} in {project} again and again", "{project} で {who} が {constraint} により繰り返し拒否されている"},
	"refused.title.masked":   {"{constraint} refuses call after call in {project}; the log does not say whose", "{project} で {constraint} による拒否が連続しており、ログには呼び出し元の記録がない"},
	"refused.title.inferred": {"{constraint} refuses call after call in {project}: probably {who} (inferred, not logged)", "{project} で {constraint} による拒否が連続。呼び出し元はおそらく {who}(推定であり、ログの記録ではない)"},
	"refused.inferred":       {"Inferred, not logged: {share:percent} that it was {who}, who {why:clause}.", "推定であり、ログの記録ではない: {who} である確率は {share:percent}。根拠: {why:clause}。"},
	"refused.candidates":     {"Inferred, not logged, and nobody stands out: {candidates}; none of those whom any log names {none:percent}.", "推定であり、ログの記録ではない。特定には至らず: {candidates}。ログに現れない人物である確率 {none:percent}。"},
	"refused.candidate":      {"{who} {share:percent}", "{who} {share:percent}"},
	"refused.sentence": {"{n} {n|attempt|attempts} ({calls}) in {project} {n|was|were} refused by {constraint} from {since:clock} to {until:clock} UTC{retries}{more}; {usual}.",
		"{project} で {since:clock}〜{until:clock} UTC に {n} 件({calls})が {constraint} により拒否された{retries}{more}。{usual}。"},
	"refused.retries": {", retries taken as one ({n} records)", "(再試行は 1 件と数える。記録は {n} 件)"},
	"refused.more":    {", {n} since {since:moment}", "({since:moment} 以降では {n} 件)"},
	"refused.never":   {"nothing of this caller was refused so in the {days} {days|day|days} before", "この呼び出し元では直前 {days} 日間に同様の拒否なし"},
	"refused.none":    {"there is no past to hold it against", "比較できる過去の記録なし"},
	"refused.some":    {"in the {days} days before it came on {n} {n|day|days}, at most {most} times an hour", "直前 {days} 日のうち {n} 日に発生し、最大で 1 時間に {most} 回"},
	"refused.fresh":   {"{constraint} refused nothing in {project} in the days before: the policy or the work is new there.", "{project} では直前の期間に {constraint} による拒否がなく、ポリシーまたは作業が新しいと推定。"},
	"refused.slow":    {"It came on {n} of the last {days} days.", "直近 {days} 日のうち {n} 日に発生。"},
	"refused.chance":  {"The chance of this under what is usual for such callers is about 1 in 10^{score:1} an hour.", "同種の呼び出し元の通常の範囲では、1 時間あたり約 10^{score:1} 分の 1 の確率。"},
	"refused.actor":   {"The record names nobody: the calls came from {from}.", "記録に呼び出し元の名前がなく、送信元は {from}。"},
	"refused.nowhere": {"an address that is not told either", "不明なアドレス"},
	"refused.agent":   {"The record names {agent} only, which acts for whoever asked {service}.", "記録にあるのは {agent} のみで、これは {service} に依頼した誰かの代理として動作する。"},
}
