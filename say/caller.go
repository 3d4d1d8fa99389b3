package say

// caller is what is said of who reads a secret for the first time. key: it is a key
// and used, not read.
var caller = texts{
	"somebody":     {"somebody", "不明な主体"},
	"something":    {"something", "不明な対象"},
	"minute":       {"a minute", "1 分"},
	"percent":      {"{share:percent}", "{share:percent}"},
	"percent.less": {"less than {share:percent}", "{share:percent} 未満"},

	"caller.title":      {"{secret} is {key|used|read} by {who} for the first time", "{who} が {secret} を初めて{key|使用|読み取り}"},
	"caller.title.kind": {"{secret} is {key|used|read} by {kind} for the first time ({who})", "{kind}({who})が {secret} を初めて{key|使用|読み取り}"},
	"caller.kind":       {"{kind} (role {who})", "{kind}(ロール {who})"},
	"caller.never":      {"{who}, which never did,", "初めての {who} "},
	"caller.sentence": {"For {days} days (about {calls:grouped} calls lately) {secret} was {key|used|read} only by {usual}; at {at:clock} UTC {what} {key|used|read} it.",
		"{secret} は {days} 日間(最近の呼び出し約 {calls:grouped} 回)、{usual} だけが{key|使用|読み取り}していたが、{at:clock} UTC に{what}が{key|使用|読み取り}。"},
	"caller.observed":     {"{kind}, {who}", "{kind}、{who}"},
	"caller.usual":        {"{kind} ({roles})", "{kind}({roles})"},
	"caller.usual.more":   {"{kind} ({role} and {n} more roles)", "{kind}({role} 他 {n} ロール)"},
	"caller.readers":      {"{readers:and}", "{readers:and}"},
	"caller.nobody":       {"nobody known", "既知の主体なし"},
	"caller.peers":        {"{n} of the {all} other secrets of {family} are usually read by {kind}; in the whole organisation it is {share} of all.", "{family} のほかのシークレット {all} 個のうち、普段{kind}が読み取るのは {n} 個。組織全体では {share}。"},
	"caller.several":      {"{n} secrets that it never read before were read in that hour.", "この 1 時間に、初めてのシークレットを {n} 個読み取り。"},
	"caller.unseen.crowd": {"it has more callers than the {n} that are kept: a new role of a usual kind and account goes unnoticed there", "呼び出し元が保持上限の {n} を超えており、既知の種類・アカウントの新しいロールは検出対象外"},

	"caller.role.same":      {"Role {role} {key|uses|reads} it as {usual} every day; the same credentials are now used by {now}.", "ロール {role} は毎日 {usual} として{key|使用|読み取り}していたが、同じ認証情報を今回は{now}が使用。"},
	"caller.role.crowd":     {"Roles of its account usually {key|use|read} it; too many callers do for each to be known.", "このアカウントのロールは普段から{key|使用|読み取り}しているが、呼び出し元が多く個別には把握していない。"},
	"caller.role.again":     {"Role {role} did so first on {since:day}, which is not long enough to be usual.", "ロール {role} は{since:day}が初回で、通常と見なすには日が浅い。"},
	"caller.role.relative":  {"Role {role} already {key|uses|reads} other secrets of {family}.", "ロール {role} は {family} のほかのシークレットを以前から{key|使用|読み取り}。"},
	"caller.role.namesake":  {"Role {role} is called like the usual readers or like {family}.", "ロール {role} の名前は、普段の読み取り元または {family} に似ている。"},
	"caller.role.neighbour": {"Role {role} belongs to another application: it {key|uses|reads} {n} other secrets, none of {family}.", "ロール {role} は別のアプリケーションのもので、ほかのシークレット {n} 個を{key|使用|読み取り}しているが、{family} のものはない。"},
	"caller.role.partner":   {"Role {role} is of account {account}, of which other roles read secrets of {family}.", "ロール {role} はアカウント {account} のもので、同アカウントのほかのロールは {family} のシークレットを読み取る。"},
	"caller.role.foreigner": {"Role {role} is of account {account}; no role of that account ever read secrets of {family} in account {home}.", "ロール {role} はアカウント {account} のもので、同アカウントからアカウント {home} の {family} のシークレットを読み取ったロールはこれまでない。"},
	"caller.role.nobody":    {"Role {role} {key|uses|reads} no other secret or key and is not called like the readers of this one.", "ロール {role} はほかのシークレットや鍵を{key|使用|読み取り}しておらず、名前も普段の読み取り元に似ていない。"},

	"caller.built":   {"{operation} of {resource} by {by} {ago} before: the program is being built or moved", "{ago}前に {by} が {resource} に {operation} を実行: プログラムの構築または移行中と推定"},
	"caller.rotates": {"{who} puts new values into what it reads: it rotates them", "{who} は読み取るシークレットに新しい値を設定: ローテーション"},
}

// denials is what is said of denials by policies of the organisation.
var denials = texts{
	"unseen.young": {"It was seen on {days} {days|day|days} only: it is judged by its peers.", "観測が {days} 日分しかないため、類似の主体と比較して判定。"},

	"denials.title":    {"{who:Upper} ran into policies of the organisation {n} {n|time|times}", "{who} が組織ポリシーにより {n} 回拒否された"},
	"denials.sentence": {"{who:Upper} was denied by policy of the organisation {n} {n|time|times}{retries} in {span} in account {account}: {operations} in {regions}; {usual}.", "{who} がアカウント {account} で {span}間に {n} 回{retries}、組織ポリシーにより拒否された: {regions} の {operations}。{usual}。"},
	"denials.none":     {"it had none on {days} {days|day|days} before", "過去 {days} 日間は拒否なし"},
	"denials.never":    {"it was never seen before", "これまで観測されていない"},
	"denials.some":     {"it had some on {n} of {days} {days|day|days} before, at most {most} an hour", "過去 {days} 日のうち {n} 日に拒否があり、最大で 1 時間に {most} 回"},
	"denials.retries":  {" ({n} calls with retries)", "(再試行を含め {n} 回)"},
	"denials.breadth":  {"{n} of these calls were never denied in the account before, in this region.", "このうち {n} 種類の呼び出しは、このアカウントのこのリージョンで初めて拒否された。"},
	"denials.slow":     {"It was denied so on {n} of the last {days} days, {times} {times|time|times} since {since:moment} ({operations}).", "直近 {days} 日のうち {n} 日に同様の拒否があり、{since:moment} 以降 {times} 回({operations})。"},
	"denials.account":  {"All principals of the account together had such denials on {n} of {days} {days|day|days}, at most {most} an hour.", "このアカウントの全プリンシパルでは、{days} 日のうち {n} 日に同様の拒否があり、最大で 1 時間に {most} 回。"},
	"denials.chance":   {"The chance of this under what is usual for it and its peers is about 1 in 10^{score:1} an hour.", "この主体と類似の主体の通常の範囲では、1 時間あたり約 10^{score:1} 分の 1 の確率。"},
	"denials.unseen":   {"Which policy denied it is not in the log: only its sort is.", "どのポリシーによる拒否かはログになく、ポリシーの種類のみ記録されている。"},
	"denials.rollout":  {"{principals} {principals|principal|principals} in {accounts} {accounts|account|accounts} were denied {operation} within a day: a policy of the organisation is new.", "1 日以内に {accounts} アカウントの {principals} 個のプリンシパルで {operation} が拒否された: 組織ポリシーの新設と推定。"},
	"denials.policy":   {"{operation} at {at:clock} changed the organisation's policies shortly before.", "直前の {at:clock} に {operation} で組織ポリシーが変更された。"},
	"denials.pipeline": {"A pipeline known for days fails with {operations:and} on and on: a policy or its plan is new.", "数日前から知られているパイプラインが {operations:and} で失敗し続けている: ポリシーまたは計画の変更と推定。"},
}

// group is what is said of secrets that are read together.
var group = texts{
	"group.of":    {"{n} of {all}", "{all} 個中 {n} 個"},
	"group.title": {"{who:Upper} read {n} of {all} secrets that are read together", "{who} が、まとめて読み取られるシークレット {all} 個のうち {n} 個だけを読み取り"},
	"group.sentence": {"The {n} secrets {set:commas} were read together in {whole:0} of the last {bursts:0} bursts on {days} days; at {at:clock} only {read:commas} was read ({missing:commas} not).",
		"シークレット {n} 個({set:commas})は、{days} 日間の直近 {bursts:0} 回のうち {whole:0} 回はまとめて読み取られたが、{at:clock} は {read:commas} だけが読み取られた(未読: {missing:commas})。"},
	"group.stranger":      {"{who:Upper} never read any of them before; they are read by {readers:commas}.", "{who} はこれまでどれも読み取っていない。普段の読み取り元: {readers:commas}。"},
	"group.repeated":      {"In {n} bursts between {from:clock} and {to:clock} it read just these of the set.", "{from:clock}〜{to:clock} の {n} 回とも、この組のうちこれらだけを読み取り。"},
	"group.rare":          {"Sets like this one are read in part in about 1 of {n:0} bursts", "このような組が一部だけ読み取られるのは約 {n:0} 回に 1 回"},
	"group.rare.stranger": {"A program comes new to such a set on about 1 of {n:0} days", "このような組を新しいプログラムが読み取り始めるのは約 {n:0} 日に 1 日"},
	"group.chance":        {"{rare}; with what this set has shown itself the chance of this is about 1 in 10^{score:1}.", "{rare}。この組自体の実績も合わせると、約 10^{score:1} 分の 1 の確率。"},
	"group.unseen":        {"Only {n} days of log are known.", "ログが {n} 日分しかない。"},
	"group.member":        {"{operation} at {at:clock} changed a member of the set that was not read.", "{at:clock} の {operation} により、読み取られなかったシークレットが変更されている。"},
	"group.rotation":      {"{operation} at {at:clock} gave a new value to what was read.", "{at:clock} の {operation} により、読み取られたシークレットの値が更新されている。"},
	"group.deploy":        {"{operation} at {at:clock} came before: the new version may read fewer secrets.", "直前の {at:clock} に {operation} があり、新しい版では読み取るシークレットが減った可能性がある。"},
}
