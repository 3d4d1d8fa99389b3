package logs

// Activity is a record of Google Workspace, as the Reports API gives it
// (developers.google.com/workspace/admin/reports/reference/rest/v1/activities).
type Activity struct {
	Kind   string          `json:"kind"`
	ID     ActivityID      `json:"id"`
	Actor  ActivityActor   `json:"actor"`
	IP     string          `json:"ipAddress,omitempty"`
	Events []ActivityEvent `json:"events"`
}

// ActivityID says which record it is.
type ActivityID struct {
	Time        string `json:"time"`
	Qualifier   string `json:"uniqueQualifier"`
	Application string `json:"applicationName"`
	Customer    string `json:"customerId"`
}

// ActivityActor is who acted.
type ActivityActor struct {
	Type    string `json:"callerType"`
	Email   string `json:"email"`
	Profile string `json:"profileId"`
}

// ActivityEvent is what happened.
type ActivityEvent struct {
	Type       string      `json:"type"`
	Name       string      `json:"name"`
	Parameters []Parameter `json:"parameters"`
}

// Parameter is of an event; one of its values is set.
type Parameter struct {
	Name   string   `json:"name"`
	Value  string   `json:"value,omitempty"`
	Values []string `json:"multiValue,omitempty"`
	Bool   *bool    `json:"boolValue,omitempty"`
}
