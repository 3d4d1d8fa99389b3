package about

// Columns are those of an event that findings are made from, by name.
var Columns = []string{
	"account_uid", "actor_name", "actor_session", "actor_type", "actor_uid", "api_operation", "api_service",
	"message", "region", "resource_uid", "src_host", "src_ip",
}
