package lint

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/sigma"
)

// open marks a field below which there may be anything.
const open = ".*"

// records says by log source which fields its records have. Of other log sources
// nothing is known but what was observed.
var records = map[string][]string{"aws/cloudtrail": cloudtrail}

// cloudtrail is the fields of CloudTrail's records, versions 1.0 to 1.11. Those
// that end in .* hold what the service puts there.
var cloudtrail = []string{
	"additionalEventData.*", "addendum.originalEventID", "addendum.originalRequestID", "addendum.reason", "addendum.updatedFields",
	"annotation", "apiVersion", "awsRegion", "edgeDeviceDetails.*", "errorCode", "errorMessage", "eventCategory", "eventContext.*",
	"eventID", "eventName", "eventSource", "eventTime", "eventType", "eventVersion", "insightDetails.*", "managementEvent",
	"readOnly", "recipientAccountId", "requestID", "requestParameters.*", "resources.ARN", "resources.ARNPrefix",
	"resources.accountId", "resources.type", "responseElements.*", "serviceEventDetails.*", "sessionCredentialFromConsole",
	"sharedEventID", "sourceIPAddress", "tlsDetails.cipherSuite", "tlsDetails.clientProvidedHostHeader",
	"tlsDetails.keyExchange", "tlsDetails.tlsVersion", "userAgent", "userIdentity.accessKeyId", "userIdentity.accountId",
	"userIdentity.arn", "userIdentity.credentialId", "userIdentity.identityProvider", "userIdentity.inScopeOf.*",
	"userIdentity.invokedBy", "userIdentity.onBehalfOf.identityStoreArn", "userIdentity.onBehalfOf.userId",
	"userIdentity.principalId", "userIdentity.sessionContext.assumedRoot",
	"userIdentity.sessionContext.attributes.creationDate", "userIdentity.sessionContext.attributes.mfaAuthenticated",
	"userIdentity.sessionContext.ec2RoleDelivery", "userIdentity.sessionContext.sessionIssuer.accountId",
	"userIdentity.sessionContext.sessionIssuer.arn", "userIdentity.sessionContext.sessionIssuer.principalId",
	"userIdentity.sessionContext.sessionIssuer.type", "userIdentity.sessionContext.sessionIssuer.userName",
	"userIdentity.sessionContext.sourceIdentity", "userIdentity.sessionContext.webIdFederationData.attributes.*",
	"userIdentity.sessionContext.webIdFederationData.federatedProvider", "userIdentity.type", "userIdentity.userName",
	"vpcEndpointAccountId", "vpcEndpointId",
}

// scalars says of which fields a record has one value at most, and never an
// array: of them two values cannot both hold.
var scalars = map[string][]string{"aws/cloudtrail": {
	"awsRegion", "errorCode", "eventCategory", "eventID", "eventName", "eventSource", "eventType", "eventVersion",
	"readOnly", "recipientAccountId", "sourceIPAddress", "userAgent", "userIdentity.accessKeyId", "userIdentity.accountId",
	"userIdentity.arn", "userIdentity.invokedBy", "userIdentity.principalId", "userIdentity.type", "userIdentity.userName",
	"vpcEndpointId",
}}

// unknownField says that records of the log source have no such field, and which
// one may be meant; empty: they have, or nothing is known of them.
func unknownField(source, field string) string {
	known := records[source]
	if known == nil || field == "" {
		return ""
	}
	best, least := "", len(field)/3+1
	for _, k := range known {
		below, isOpen := strings.CutSuffix(k, open)
		// A field, what holds it, and anything below an open one.
		if field == k || field == below || strings.HasPrefix(k, field+".") || isOpen && strings.HasPrefix(field, below+".") {
			return ""
		}
		if strings.EqualFold(field, below) || strings.HasSuffix(strings.ToLower(below), "."+strings.ToLower(field)) {
			best, least = below, 0
		} else if n := letters(strings.ToLower(field), strings.ToLower(below)); n < least {
			best, least = below, n
		}
	}
	text := fmt.Sprintf("records of %s have no field %q", source, field)
	if best != "" {
		text += fmt.Sprintf(": is %q meant?", best)
	}
	return text
}

// letters is how many letters of a and b differ: put in, taken out or changed.
func letters(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := before
			if a[i] != b[j] {
				change++
			}
			before = row[j+1]
			row[j+1] = min(change, before+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// fields finds fields of a rule or filter that its log source does not have.
func (l *linter) fields(d *sigma.Detection, source sigma.LogSource, errorf func(sigma.Pos, string, ...any) *sigma.Error) {
	searches := slices.Clone(d.Searches)
	for _, r := range d.Required {
		searches = append(searches, r.Search)
	}
	for _, s := range searches {
		for _, g := range s.Groups {
			for i := range g {
				l.itemFields(&g[i], source, errorf)
			}
		}
	}
}

func (l *linter) itemFields(it *sigma.Item, source sigma.LogSource, errorf func(sigma.Pos, string, ...any) *sigma.Error) {
	for i := range it.Parts { // which stand in its place
		l.itemFields(&it.Parts[i], source, errorf)
	}
	if len(it.Parts) > 0 {
		return
	}
	if why := l.unknown(source, it.Field); why != "" {
		l.add(errorf(it.Pos, "%s", why), Warning, "field")
	}
	if !slices.Contains(it.Modifiers, "fieldref") {
		return
	}
	for _, v := range it.Values {
		if why := l.unknown(source, v.Text); why != "" {
			l.add(errorf(v.Pos, "%s", why), Warning, "field")
		}
	}
}

// unknown is unknownField, but for fields that aliases look for under a name that
// there is.
func (l *linter) unknown(source sigma.LogSource, field string) string {
	for _, name := range l.o.Aliases.Names(source, field) {
		if unknownField(source.String(), name) == "" {
			return ""
		}
	}
	return unknownField(source.String(), field)
}

// grouped finds fields of a correlation that neither the records of its rules
// have nor the program knows besides.
func (l *linter) grouped(c *sigma.Correlation, byName map[string]*sigma.Rule) {
	if l.o.Columns == nil {
		return
	}
	used := map[string]sigma.Pos{}
	for _, f := range c.GroupBy {
		used[f] = c.At["group-by"]
	}
	if c.Condition != nil {
		for _, f := range c.Condition.Fields {
			used[f] = c.At["condition"]
		}
	}
	for _, ref := range c.Rules {
		r := byName[ref.Rule]
		if r == nil {
			continue // another correlation, or refused
		}
		for _, name := range slices.Sorted(maps.Keys(used)) {
			field := aliased(c, r, name)
			if slices.Contains(l.o.Columns, field) {
				continue
			}
			if why := l.unknown(r.LogSource, field); why != "" {
				l.add(c.Errorf(used[name], "of rule %s: %s", ref.Rule, why), Warning, "field")
			}
		}
	}
}

// aliased is how a rule names a field of the correlation.
func aliased(c *sigma.Correlation, r *sigma.Rule, name string) string {
	for _, a := range c.Aliases {
		for _, f := range a.Fields {
			if a.Name == name && (f.Rule == r.ID || f.Rule == r.Name) {
				return f.Field
			}
		}
	}
	return name
}
