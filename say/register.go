package say

// registers is said of what projects applied for.
var registers = texts{
	"register.state.not_applied":    {"Used, and nobody applied for it.", "申請なしで使用されている。"},
	"register.state.refused":        {"Refused whenever it was called, and nobody applied for it.", "呼び出しはすべて拒否されており、申請もない。"},
	"register.state.not_allowed":    {"Applied for, and the policy does not allow it.", "申請済みだが、ポリシーで許可されていない。"},
	"register.state.not_granted":    {"Applied for, and refused whenever it was called.", "申請済みだが、呼び出しはすべて拒否されている。"},
	"register.state.too_wide":       {"The policy allows it; nobody applied for it or uses it.", "ポリシーで許可されているが、申請も使用もない。"},
	"register.state.idle":           {"Applied for, and not called in this time.", "申請済みだが、この期間の呼び出しはない。"},
	"register.state.fine":           {"Applied for and used.", "申請どおりに使用されている。"},
	"register.allowed.unknown":      {"What policies allow is not known: of the project, and the folders and the organisation above it, the log does not have all changes of a policy that names services, and the configuration lists none.", "ポリシーで何が許可されているかは不明: プロジェクトとその上位のフォルダー・組織について、サービスを指定するポリシーの変更がすべてはログになく、設定にも一覧がない。"},
	"register.allowed.log":          {"The policy allows {n} {n|service|services} by name, as {by} set it on {resource} at {at:stamp} UTC.", "ポリシーは {n} 件のサービスを許可({at:stamp} UTC に {by} が {resource} に設定)。"},
	"register.allowed.organization": {"What policies of the organisation leave the account is worked out from the answers of AWS in the configured folder. Of a service of which conditions or a part are denied it is not known.", "組織のポリシーがこのアカウントに許可する範囲を、設定フォルダーにある AWS の応答から判定。条件付きまたは一部のみ拒否されるサービスについては不明。"},
	"register.allowed.missing":      {"What policies of the organisation leave the account is worked out from the answers of AWS in the configured folder, and not all of them are there: without {missing}, nothing that is not denied for certain is known to be allowed.", "組織のポリシーがこのアカウントに許可する範囲を、設定フォルダーにある AWS の応答から判定。ただし {missing} がないため、確実に拒否されるもの以外は不明。"},
	"register.allowed.list":         {"The configuration lists {n} {n|service|services} as allowed.", "設定の一覧では {n} 件のサービスを許可。"},
	"unapplied.title":               {"{service} is used in project {project}, and nobody applied for it", "プロジェクト {project} で未申請の {service} を使用"},
	"unapplied.sentence":            {"{n} {n|call|calls} of {service} in project {project} on {days} {days|day|days} since {since:iso}, the latest at {last:stamp} UTC; {applied}.", "プロジェクト {project} で {since:iso} 以降 {days} 日間に {service} の呼び出しが {n} 回(最新 {last:stamp} UTC)。{applied}。"},
	"unapplied.applied":             {"applied for are {services}", "申請済みは {services}"},
	"unapplied.nothing":             {"no service was applied for", "申請済みのサービスはない"},
	"unapplied.brings":              {"{by}, which was applied for, always brings {service} along.", "申請済みの {by} は常に {service} を伴う。"},
	"unapplied.may_bring":           {"{by}, which was applied for, may bring {service} along.", "申請済みの {by} は {service} を伴うことがある。"},
	"register.needs":                {"{service} needs {needs}: {why}.", "{service} には {needs} が必要: {why}。"},
	"register.may_need":             {"{service} may need {needs}: {why}.", "{service} には {needs} が必要になることがある: {why}。"},
	"explained.register":            {"{service} was applied for since: {by} accepted its refusal in project {project} as a gap in the application on {at:iso}, and the register covers it.", "{service} はその後申請済み: {at:iso} に {by} がプロジェクト {project} での拒否を「申請漏れ」と判定し、台帳にも登録されている。"},
}

// draft is what drafts of messages and of policies say.
var draft = texts{
	"draft.nothing":                {"The finding names no service that was refused because nobody applied for it: there is nothing to draft.", "この検出には、申請がないために拒否されたサービスの記載がない: 下書きするものはない。"},
	"draft.subject":                {"Project {project}: {service} is refused, and was not applied for", "プロジェクト {project}: {service} の利用が拒否されています(未申請)"},
	"draft.greeting":               {"Dear {to},", "{to} 様"},
	"draft.greeting.team":          {"Dear colleagues,", "ご担当者様"},
	"draft.refused":                {"between {since:stamp} and {until:stamp} (UTC), {n} {n|request|requests} for {service} in project {project} {n|was|were} refused by {policy}.", "{since:stamp} から {until:stamp}(UTC)にかけて、プロジェクト {project} での {service} へのリクエスト {n} 件が {policy} により拒否されました。"},
	"draft.policy.unknown":         {"a policy of the organisation", "組織のポリシー"},
	"draft.actor":                  {"They were made by {who}.", "リクエストの実行者は {who} です。"},
	"draft.inferred":               {"They were probably made by {who} ({probability:sure}; inferred from other logs, not logged).", "リクエストの実行者は {who} と推定されます(確率 {probability:sure}。他のログからの推定であり、記録されたものではありません)。"},
	"draft.nobody":                 {"The log does not say who made them.", "リクエストの実行者はログに記録されていません。"},
	"draft.applied":                {"Applied for are: {services}.", "申請済みのサービス: {services}。"},
	"draft.applied.none":           {"No service was applied for.", "申請済みのサービスはありません。"},
	"draft.unregistered":           {"Nobody applied for the project.", "このプロジェクトの申請は見当たりません。"},
	"draft.ask":                    {"If the project is to use {service}, please apply for it. If not, nothing needs to be done: it stays refused.", "{service} を利用する場合は、追加で申請してください。利用しない場合、対応は不要です(拒否されたままとなります)。"},
	"draft.policy.google.inherits": {"It adds the service to what project {project} inherits. Where the project has a policy of its own, this takes its place: look at it first.", "プロジェクト {project} が継承する設定にこのサービスを追加する。プロジェクト独自のポリシーがある場合は置き換わるため、先に確認すること。"},
	"draft.policy.google.own":      {"It is the policy of project {project} as the log has it from {at:stamp} UTC, and the service. Look at it first: it may have changed since.", "{at:stamp} UTC のログにあるプロジェクト {project} のポリシーに、このサービスを追加したもの。その後変更された可能性があるため、先に確認すること。"},
	"draft.policy.aws":             {"A statement for a service control policy that lists what is allowed. One that lists what is denied has to leave the service out instead.", "許可するサービスを列挙するサービスコントロールポリシー用のステートメント。拒否を列挙する方式の場合は、そこからこのサービスを除く。"},
	"draft.policy.azure":           {"It exempts the whole subscription from the assignment. A parameter that lists the allowed types of resources is narrower, where the assignment has one.", "サブスクリプション全体を割り当ての対象外とする。許可するリソースの種類を列挙するパラメーターがある場合は、その変更のほうが範囲が狭い。"},
}
