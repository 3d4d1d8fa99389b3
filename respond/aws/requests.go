package aws

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/guardduty"
	guarddutytypes "github.com/aws/aws-sdk-go-v2/service/guardduty/types"
	"github.com/aws/aws-sdk-go-v2/service/securityhub"
	hubtypes "github.com/aws/aws-sdk-go-v2/service/securityhub/types"
	"github.com/aws/smithy-go"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/respond"
)

// noteMost is how long a note may be: 512 characters at Security Hub.
const noteMost = 512

// note is a comment as it is sent.
func note(s string) string {
	r := []rune(strings.TrimSpace(s))
	if len(r) > noteMost {
		r = append(r[:noteMost-1], '…')
	}
	return string(r)
}

var (
	workflows = map[finding.Status]hubtypes.WorkflowStatus{
		finding.New: hubtypes.WorkflowStatusNew, finding.InProgress: hubtypes.WorkflowStatusNotified,
		finding.Suppressed: hubtypes.WorkflowStatusSuppressed, finding.Resolved: hubtypes.WorkflowStatusResolved,
	}
	// numbers are OCSF's of a status, which version 2 takes.
	numbers = map[finding.Status]int32{finding.New: 1, finding.InProgress: 2, finding.Suppressed: 3, finding.Resolved: 4}
)

func toSecurityHub(f *finding.Finding, t respond.Told) ([]request, error) {
	x := f.External
	if x.UID == "" || x.Parent == "" {
		return nil, errors.New("a finding is named to Security Hub by its id and its ProductArn, and the record has not both")
	}
	if strings.Contains(x.Parent, ":productv2/") {
		return []request{{"BatchUpdateFindingsV2", func(ctx context.Context, c aws.Config) (string, error) { return hubV2(ctx, c, f, t) }}}, nil
	}
	in := &securityhub.BatchUpdateFindingsInput{
		FindingIdentifiers: []hubtypes.AwsSecurityFindingIdentifier{{Id: aws.String(x.UID), ProductArn: aws.String(x.Parent)}},
		Workflow:           &hubtypes.WorkflowUpdate{Status: workflows[t.Status]},
	}
	if s := note(t.Note); s != "" {
		in.Note = &hubtypes.NoteUpdate{Text: aws.String(s), UpdatedBy: aws.String("yagura")}
	}
	return []request{{"BatchUpdateFindings", func(ctx context.Context, c aws.Config) (string, error) {
		out, err := securityhub.NewFromConfig(c).BatchUpdateFindings(ctx, in)
		if err != nil {
			return "", err
		}
		for _, u := range out.UnprocessedFindings {
			return "", fmt.Errorf("it was not taken: %s %s", aws.ToString(u.ErrorCode), aws.ToString(u.ErrorMessage))
		}
		return fmt.Sprintf("workflow status %s", in.Workflow.Status), nil
	}}}, nil
}

func hubV2(ctx context.Context, c aws.Config, f *finding.Finding, t respond.Told) (string, error) {
	in := &securityhub.BatchUpdateFindingsV2Input{
		FindingIdentifiers: []hubtypes.OcsfFindingIdentifier{{
			CloudAccountUid: aws.String(f.Account), FindingInfoUid: aws.String(f.External.UID), MetadataProductUid: aws.String(f.External.Parent),
		}},
		StatusId: aws.Int32(numbers[t.Status]),
	}
	if s := note(t.Note); s != "" {
		in.Comment = aws.String(s)
	}
	out, err := securityhub.NewFromConfig(c).BatchUpdateFindingsV2(ctx, in)
	if err != nil {
		return "", err
	}
	for _, u := range out.UnprocessedFindings {
		return "", fmt.Errorf("it was not taken: %s %s", u.ErrorCode, aws.ToString(u.ErrorMessage))
	}
	return fmt.Sprintf("status %d", *in.StatusId), nil
}

func toGuardDuty(f *finding.Finding, t respond.Told) ([]request, error) {
	x := f.External
	id := x.UID[strings.LastIndexByte(x.UID, '/')+1:]
	if id == "" || x.Parent == "" {
		return nil, errors.New("a finding is named to GuardDuty by its id and its detector, and the record has not both")
	}
	detector, ids := aws.String(x.Parent), []string{id}
	var out []request
	closed := t.Status == finding.Suppressed || t.Status == finding.Resolved
	switch {
	case t.Status == x.Given || closed && x.Closed() || !closed && !x.Closed():
		// It is so already, and GuardDuty knows nothing between open and archived.
	case closed:
		out = append(out, request{"ArchiveFindings", func(ctx context.Context, c aws.Config) (string, error) {
			_, err := guardduty.NewFromConfig(c).ArchiveFindings(ctx, &guardduty.ArchiveFindingsInput{DetectorId: detector, FindingIds: ids})
			return "archived", err
		}})
	default:
		out = append(out, request{"UnarchiveFindings", func(ctx context.Context, c aws.Config) (string, error) {
			_, err := guardduty.NewFromConfig(c).UnarchiveFindings(ctx, &guardduty.UnarchiveFindingsInput{DetectorId: detector, FindingIds: ids})
			return "open again", err
		}})
	}
	if feedback, said := feedbacks[t.Verdict]; said {
		in := &guardduty.UpdateFindingsFeedbackInput{DetectorId: detector, FindingIds: ids, Feedback: feedback}
		if s := note(t.Note); s != "" {
			in.Comments = aws.String(s)
		}
		out = append(out, request{"UpdateFindingsFeedback", func(ctx context.Context, c aws.Config) (string, error) {
			_, err := guardduty.NewFromConfig(c).UpdateFindingsFeedback(ctx, in)
			return string(feedback), err
		}})
	}
	if len(out) == 0 {
		return nil, errors.New("it is at GuardDuty as it was decided here: there is open and archived, nothing else")
	}
	return out, nil
}

// feedbacks are what GuardDuty takes of verdicts: whether it was right to say so.
var feedbacks = map[finding.Verdict]guarddutytypes.Feedback{
	finding.TruePositive: guarddutytypes.FeedbackUseful, finding.FalsePositive: guarddutytypes.FeedbackNotUseful,
}

// plain is what a service refused in a person's words, without the SDK's own.
func plain(err error) error {
	var refused smithy.APIError
	if errors.As(err, &refused) {
		return fmt.Errorf("%s: %s", refused.ErrorCode(), refused.ErrorMessage())
	}
	return err
}
