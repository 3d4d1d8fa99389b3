package say

// unseen is why nothing can be known of the use of a secret or key.
var unseen = texts{
	"unseen.data_access": {
		"Google Cloud tells the use of secrets and keys in its data access logs, and none of them came of project {project}. They are off until somebody turns them on (Data Read of the service).",
		"Google Cloud はシークレットや鍵の使用をデータアクセス監査ログに記録するが、プロジェクト {project} からは届いていない。このログは既定では無効(サービスの「データ読み取り」で有効化)。",
	},
	"unseen.audit_event": {
		"Azure tells the use of secrets and keys in a vault's AuditEvent log, and nothing of it came. It is off until a diagnostic setting delivers it.",
		"Azure はシークレットや鍵の使用をコンテナーの AuditEvent ログに記録するが、届いていない。診断設定で配信するまで出力されない。",
	},
}
