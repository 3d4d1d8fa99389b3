package change

import "strings"

// still are the first words of operations that change nothing that is configured:
// they read, sign somebody in, or use what is there.
var still = words("Get List Describe Head Lookup Search Query Scan Select View Check Download Filter Simulate Preview Test Estimate " +
	"Assume Console Federate Login Logout Switch Renew Exit User Authenticate Credential Validate Verify Decode Resolve Retrieve Discover Count Calculate " +
	"Decrypt Encrypt Re Generate Sign Derive Mac Asymmetric " +
	"Invoke Send Receive Poll Publish Post Submit Report Record Respond Acknowledge Heartbeat Predict Detect Converse Is Has")

// stillThings are operations that change data, which are no changes of a resource,
// or start a question, by their whole name.
var stillThings = words("PutObject CopyObject DeleteObject DeleteObjects UploadPart CompleteMultipartUpload CreateMultipartUpload AbortMultipartUpload RestoreObject " +
	"PutItem UpdateItem DeleteItem BatchWriteItem TransactWriteItems ExecuteStatement BatchExecuteStatement PutRecord PutRecords PutLogEvents PutMetricData PutTraceSegments PutTelemetryRecords PutEvents " +
	"DeleteMessage DeleteMessageBatch ChangeMessageVisibility ChangeMessageVisibilityBatch UpdateInstanceInformation PutInventory PutComplianceItems UpdateInstanceAssociationStatus " +
	"StartQuery StopQuery StartQueryExecution StopQueryExecution CreateLogStream CreateSession CreateOAuth2Token CreateToken RegisterManagedInstance OpenDataChannel")

// changing are whole operations whose first word is of still.
var changing = words("PublishVersion PublishLayerVersion")

func words(all string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(all) {
		out[w] = true
	}
	return out
}

// Changes tells whether an operation changes a resource, by its name: usage keeps no
// more of it than that. Google's methods are told by their last word, Azure's
// operations by what stands behind the last slash. A name that nobody has heard of
// counts as a change.
func Changes(operation string) bool {
	if lower := strings.ToLower(operation); strings.Contains(lower, "/") {
		return !strings.HasSuffix(lower, "/read") && !strings.HasPrefix(lower, "microsoft.authorization/polic")
	}
	name := operation[strings.LastIndexByte(operation, '.')+1:]
	if name == "" || changing[name] {
		return name != ""
	}
	if c := name[0]; c >= 'a' && c <= 'z' { // instances.aggregatedList
		lower := strings.ToLower(name)
		return !strings.HasPrefix(lower, "get") && !strings.HasPrefix(lower, "test") && !strings.HasSuffix(lower, "list") && !strings.HasPrefix(lower, "search")
	}
	return !stillThings[name] && !still[firstWord(strings.TrimPrefix(name, "Batch"))]
}

// firstWord is an operation's verb: "Create" of CreateNetworkInterface.
func firstWord(operation string) string {
	for i := 1; i < len(operation); i++ {
		if c := operation[i]; 'A' <= c && c <= 'Z' {
			return operation[:i]
		}
	}
	return operation
}
