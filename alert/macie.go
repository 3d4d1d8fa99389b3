package alert

import "errors"

// readMacie reads findings of Macie, of sensitive data and of bucket policies,
// as events and as answers of GetFindings.
func readMacie(v value) (Alert, error) {
	a := Alert{
		Ref: Ref{"macie", tail(v.get("id").str(), "/")}, Product: "Macie", UID: v.get("id").str(), Class: DataSecurity, Cloud: "AWS",
		Type: v.get("type").str(), Title: v.get("title").str(), Description: v.get("description").str(),
		Account: v.get("accountId").str(), Region: v.get("region").str(), At: v.time("updatedAt", "createdAt"),
		First: v.time("policyDetails.action.apiCallDetails.firstSeen", "createdAt"), Last: v.time("policyDetails.action.apiCallDetails.lastSeen", "updatedAt"),
		Severity: severityOf(v.get("severity.description").str()), Level: v.get("severity.description").str(),
		Count: v.get("count").count(), Sample: v.get("sample").truth(), Status: Open, Said: "not archived",
	}
	if a.At.IsZero() {
		return a, errors.New("updatedAt and createdAt are missing or no times")
	}
	if v.get("archived").truth() {
		a.Status, a.Said = Suppressed, "archived"
	}
	bucket, object := v.get("resourcesAffected.s3Bucket"), v.get("resourcesAffected.s3Object")
	if key := object.get("key").str(); key != "" {
		name := firstOf(bucket.get("name").str(), tail(bucket.get("arn").str(), ":"))
		a.Resources = append(a.Resources, Resource{UID: "arn:" + partition(a.Region) + ":s3:::" + name + "/" + key, Type: "AwsS3Object", Name: key})
	}
	a.Resources = append(a.Resources, Resource{UID: bucket.any("arn", "name"), Type: "AwsS3Bucket", Name: bucket.get("name").str()})
	for _, d := range v.get("classificationDetails.result.sensitiveData").list() {
		for _, x := range d.get("detections").list() {
			a.note(FoundData, x.get("count").str(), x.get("type").str())
		}
	}
	actor := v.get("policyDetails.actor")
	for _, name := range []string{"assumedRole", "iamUser", "federatedUser", "root", "awsAccount"} {
		if who := actor.get("userIdentity." + name); who.exists() {
			a.Actor.Credential = who.get("accessKeyId").str()
			a.Actor.principal(firstOf(who.get("accountId").str(), a.Account), a.Region, name, who.any("sessionContext.sessionIssuer.userName", "userName"))
		}
	}
	a.Actor.IP = address(actor.get("ipAddressDetails.ipAddressV4").str())
	if api := v.get("policyDetails.action.apiCallDetails.api").str(); api != "" {
		a.note(Called, v.get("policyDetails.action.apiCallDetails.apiServiceName").str()+" "+api, "")
	}
	return a, nil
}
