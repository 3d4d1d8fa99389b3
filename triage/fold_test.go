package triage

import (
	"fmt"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/sigma/attack"
)

const (
	appRole = "arn:aws:iam::111122223333:role/app"
	books   = "arn:aws:s3:::books"
	key     = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:key-a1b2c3"
	pod     = "books/books-7d9f-abcde"
)

// said is a finding of a product, "" being us, at minutes after noon.
func said(source, kind, actor, resource string, minutes int, change ...func(*finding.Finding)) finding.Finding {
	at := time.Date(2026, 3, 4, 12, minutes, 0, 0, time.UTC)
	f := finding.Finding{
		Trouble:   finding.Trouble{Key: source + kind, Kind: finding.KindRule, Severity: finding.High, Actor: actor, Resource: resource, Account: "111122223333", Source: source, Title: kind},
		FirstSeen: at, LastSeen: at, Status: finding.New,
	}
	if source != "" {
		f.Kind, f.External = finding.KindExternal, &finding.External{Product: source, UID: "u/" + kind, Type: kind, Given: finding.New}
	}
	for _, c := range change {
		c(&f)
	}
	return f
}

func technique(ids ...string) func(*finding.Finding) {
	return func(f *finding.Finding) {
		for _, id := range ids {
			f.Attack = append(f.Attack, finding.Attack{ID: id})
		}
	}
}

func sign(s string) func(*finding.Finding) {
	return func(f *finding.Finding) { f.Anomaly = &finding.Anomaly{Sign: s} }
}

func state(f *finding.Finding) { f.External.State = true }

func account(id string) func(*finding.Finding) {
	return func(f *finding.Finding) { f.Account = id }
}

// TestSameTrouble: what is one trouble and what is not. docs/findings-of-others.md
// tells the same.
func TestSameTrouble(t *testing.T) {
	f := func(a, b finding.Finding, want string) {
		t.Helper()
		same, is := SameTrouble(&a, &b)
		if is != (want != "") || same.Trouble != want {
			t.Errorf("%s and %s: %+v, want %q", a.Key, b.Key, same, want)
		}
		if back, also := SameTrouble(&b, &a); also != is || back != same {
			t.Errorf("%s and %s: %+v one way, %+v the other", a.Key, b.Key, same, back)
		}
		met := slices.ContainsFunc(Topics(&a.Trouble), func(x Topic) bool { return slices.Contains(Topics(&b.Trouble), x) })
		if is && !met {
			t.Errorf("%s and %s are the same and share no topic", a.Key, b.Key)
		}
	}
	read := said("", "secret read", appRole, key, 0, technique("T1555.006", "T1078.004"))
	const odd = "CredentialAccess:IAMUser/AnomalousBehavior"
	// The principal, where one of the two names nothing else.
	f(read, said("guardduty", odd, appRole, appRole, 30), "T1555.006")
	f(read, said("guardduty", odd, appRole, "", 30), "T1555.006")
	f(read, said("guardduty", "TTPs/CredentialAccess:IAMUser-AnomalousBehavior", appRole, appRole, 30), "T1555.006") // as ASFF writes it
	f(read, said("guardduty", odd, appRole, appRole, 61), "")                                                        // another time
	f(read, said("guardduty", odd, appRole+"2", appRole+"2", 30), "")                                                // another principal
	f(read, said("guardduty", odd, appRole, books, 30), "")                                                          // the same principal at something else
	f(read, said("guardduty", odd, appRole, appRole, 30, account("444455556666")), "")
	f(read, said("guardduty", odd, appRole, appRole, 30, account("")), "T1555.006")
	// The same principal within the hour, and another trouble.
	f(read, said("guardduty", "Discovery:IAMUser/AnomalousBehavior", appRole, appRole, 30), "")
	f(read, said("guardduty", "AttackSequence:IAM/CompromisedCredentials", appRole, appRole, 30), "")
	f(read, said("guardduty", "TTPs/AttackSequence:IAM-CompromisedCredentials", appRole, appRole, 30, technique("T1555.006")), "") // that is several
	f(read, said("elsewatch", "x", appRole, appRole, 30, technique("T1078.004", "TA0006")), "")                                    // nearly everything is that
	f(read, said("elsewatch", "x", appRole, appRole, 30), "")                                                                      // it says not what
	f(read, said("", "secret read twice", appRole, key, 0, technique("T1555.006")), "")                                            // ours and ours
	f(said("guardduty", odd, appRole, appRole, 0), said("guardduty", odd+"2", appRole, appRole, 0), "")
	// Credentials used from elsewhere.
	elsewhere := said("", "region", appRole, key, 0, sign(finding.SignRegion))
	f(elsewhere, said("guardduty", "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS", appRole, appRole, 5), troubleElsewhere)
	f(elsewhere, said("guardduty", "UnauthorizedAccess:IAMUser/MaliciousIPCaller.Custom", appRole, appRole, 5), troubleElsewhere)
	f(said("", "caller", appRole, key, 0, sign(finding.SignCaller)), said("guardduty", "UnauthorizedAccess:IAMUser/MaliciousIPCaller", appRole, appRole, 5), "")
	// An address, a service, a whole account are many.
	f(said("", "a", "203.0.113.9", key, 0, technique("T1110")), said("okta", "b", "203.0.113.9", "", 0, technique("T1110")), "")
	f(said("", "a", "ec2.amazonaws.com", key, 0, technique("T1485")), said("okta", "b", "ec2.amazonaws.com", "", 0, technique("T1485")), "")
	f(said("", "a", "", "arn:aws:iam::111122223333:root", 0, technique("T1485")), said("elsewatch", "b", "", "arn:aws:iam::111122223333:root", 0, technique("T1485")), "")
	// The resource, whoever acted.
	gone := said("", "deleted", appRole, books, 0, technique("T1485"))
	f(gone, said("guardduty", "Impact:S3/AnomalousBehavior.Delete", "", books, 10), "T1485")
	f(gone, said("guardduty", "Exfiltration:S3/AnomalousBehavior", "", books, 10), "")
	f(gone, said("guardduty", "Impact:S3/AnomalousBehavior.Delete", "", books+"-2", 10), "")
	f(said("", "rights", "arn:aws:iam::111122223333:user/ann", appRole, 0, technique("T1098.003")),
		said("guardduty", "PrivilegeEscalation:IAMUser/AnomalousBehavior", appRole, appRole, 0), "") // to whom it was done, and who did it
	// Of several resources the first has to be the same.
	shell := said("falco", "syscall", "", pod, 0, technique("T1059"), func(f *finding.Finding) { f.External.Resources = []string{pod, "node-7"} })
	f(shell, said("sysdig", "shell", "", pod, 1, technique("T1059")), "T1059")
	f(shell, said("sysdig", "shell", "", "books/other", 1, technique("T1059"), func(f *finding.Finding) { f.External.Resources = []string{"books/other", "node-7"} }), "")
	// How something is: whenever it was looked at, and never with what was done.
	open := said("macie", "Policy:IAMUser/S3BucketPublic", "", books, 0)
	f(open, said("guardduty", "Policy:S3/BucketAnonymousAccessGranted", appRole, books, 10), troubleOpened)
	control := said("securityhub", "x", "", books, 0, state, func(f *finding.Finding) {
		f.External.UID = "arn:aws:securityhub:eu-west-1:111122223333:security-control/S3.8/finding/0a"
	})
	prowler := said("prowler", "s3", "", books, 9000, state, func(f *finding.Finding) {
		f.External.UID = "prowler-aws-s3_bucket_level_public_access_block-111122223333-eu-west-1-books"
	})
	f(control, prowler, "check s3.8")
	f(control, open, "")
	f(control, said("config", "s3-bucket-level-public-access-prohibited", "", books, 0, state), "check s3.8")
	f(control, said("config", "s3-bucket-ssl-requests-only", "", books, 0, state), "")
	f(said("elsewatch", "S3.8", "", books, 0, state), prowler, "") // the short name is Security Hub's
	named := control
	named.Related = []string{"configcustom"}
	f(named, said("config", "custom", "", books, 0, state), "finding configcustom")
	f(named, said("config", "custom", "", books+"-2", 0, state), "")
	f(said("inspector", "CVE-2026-0001 - examplelib", "", appRole, 0, state), said("sysdig", "cve-2026-0001 in examplelib", "", appRole, 0, state), "CVE-2026-0001")
	f(said("inspector", "CVE-2026-0001 - examplelib", "", appRole, 0, state), said("sysdig", "CVE-2026-00012", "", appRole, 0, state), "")
	f(gone, said("guardduty", "Impact:S3/AnomalousBehavior.Delete", "", books, 10, func(f *finding.Finding) { f.External.Sample = true }), "")
}

// TestRank: who leads.
func TestRank(t *testing.T) {
	const odd = "CredentialAccess:IAMUser/AnomalousBehavior"
	f := func(a, b finding.Finding) {
		t.Helper()
		if rank(&a, &b) >= 0 || rank(&b, &a) <= 0 {
			t.Errorf("%s does not lead %s", a.Key, b.Key)
		}
	}
	severity := func(s finding.Severity) func(*finding.Finding) { return func(f *finding.Finding) { f.Severity = s } }
	closed := func(f *finding.Finding) { f.External.Given = finding.Suppressed }
	f(said("", "a", appRole, key, 0, severity(finding.Low)), said("guardduty", odd, appRole, "", 0))
	f(said("x", "a", appRole, key, 0, severity(finding.Low)), said("guardduty", odd, appRole, "", 0, closed))
	f(said("x", "a", appRole, key, 0), said("guardduty", odd, appRole, "", 0, severity(finding.Low)))
	f(said("x", "a", appRole, key, 0, technique("T1")), said("guardduty", odd, appRole, key, 0))
	f(said("x", "a", appRole, key, 0), said("guardduty", odd, appRole, key, 1))
	f(said("a", "a", appRole, key, 0), said("b", "a", appRole, key, 0))
}

// TestNotByAThird: what is the same as a folded finding and not as the leading
// one is not folded with it.
func TestNotByAThird(t *testing.T) {
	a := said("", "a", appRole, key, 0, technique("T1485"))
	b := said("guardduty", "b", appRole, "", 50, technique("T1485"))
	c := said("elsewatch", "c", appRole, "", 100, technique("T1485"))
	all := map[string]finding.Finding{a.Key: a, b.Key: b, c.Key: c}
	Fold(all)
	if all[b.Key].Folded != a.Key || all[c.Key].Folded != "" || len(all[a.Key].Also) != 1 {
		t.Errorf("b into %q, c into %q", all[b.Key].Folded, all[c.Key].Folded)
	}
}

// TestPartRules: the rules whose findings are parts are ours, and speak of
// refusals.
func TestPartRules(t *testing.T) {
	for i, file := range []string{"gcp/organization-policy-denied.yml", "azure/policy-denied.yml"} {
		text, err := os.ReadFile("../rules/" + file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), "\nid: "+partRules[i]+"\n") {
			t.Errorf("%s has not the id %s", file, partRules[i])
		}
	}
}

// TestPartOfMany: of a run with more records than are kept, those of its caller
// in its time are parts.
func TestPartOfMany(t *testing.T) {
	at := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	refused := func(f *finding.Finding) { f.Account, f.Constraint = "kite-ml", "constraints/c" }
	run := said("", "run", "private", "", 0, refused, func(f *finding.Finding) {
		f.Kind, f.Inferred, f.LastSeen = "anomaly.denials", &finding.Inference{}, at.Add(3*time.Hour)
		for i := range 3 * finding.EvidenceCap {
			f.Evidence.Add(finding.Sighting{Time: at.Add(time.Duration(i) * time.Minute), UID: event.HashUID("run", fmt.Sprint(i))})
		}
	})
	f := func(want bool, actor string, minutes int) {
		t.Helper()
		part := said("", "part", actor, "r", minutes, refused, func(f *finding.Finding) {
			f.Rule = partRules[0]
			f.Evidence.Add(finding.Sighting{Time: f.FirstSeen, UID: event.HashUID("run", "elsewhere")})
		})
		if _, is := SameTrouble(&part, &run); is != want {
			t.Errorf("of %q after %d minutes: %v", actor, minutes, is)
		}
	}
	f(true, "private", 80)
	f(true, "", 80) // no address is logged of either
	f(false, "203.0.113.9", 80)
	f(false, "private", 300)
}

// TestFoldTable: patterns are well formed, techniques are of today, and each
// check is there once.
func TestFoldTable(t *testing.T) {
	id := regexp.MustCompile(`^T\d{4}(\.\d{3})?$`)
	for _, x := range foldTypes {
		if _, err := path.Match(x.pattern, "x"); err != nil {
			t.Errorf("%s: %v", x.pattern, err)
		}
		if id.MatchString(x.trouble) && attack.Name(x.trouble) == "" {
			t.Errorf("%s: %s is no technique of today", x.pattern, x.trouble)
		}
		if slices.Contains(tooBroad, x.trouble) {
			t.Errorf("%s: %s is too broad", x.pattern, x.trouble)
		}
	}
	seen := map[string]bool{}
	for _, check := range foldChecks {
		for _, name := range check {
			if seen[name] {
				t.Errorf("%s is two checks", name)
			}
			seen[name] = true
		}
	}
}
