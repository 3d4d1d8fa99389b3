package novelty

import (
	"fmt"
	"strings"

	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/usage"
)

// Next are commands that show what a secret, parameter or key is and who may have
// it, and change it where that can be done at once.
func Next(s *watch.Secret) []string {
	name := s.UID
	if h, ok := usage.HeldIn(name); ok {
		return nextOf(h)
	}
	switch {
	case s.Key:
		return []string{fmt.Sprintf("aws kms describe-key --key-id %s --region %s", name, s.Region),
			fmt.Sprintf("aws kms get-key-policy --key-id %s --region %s", name, s.Region)}
	case strings.Contains(name, ":ssm:"):
		if _, path, ok := strings.Cut(name, ":parameter"); ok {
			name = path
		}
		return []string{fmt.Sprintf("aws ssm get-parameter-history --name %s --region %s --query 'Parameters[].[Version,LastModifiedDate,LastModifiedUser]'", name, s.Region),
			fmt.Sprintf("aws ssm put-parameter --overwrite --name %s --region %s --value NEW", name, s.Region)}
	case strings.Contains(name, ":secretsmanager:"):
		return []string{fmt.Sprintf("aws secretsmanager describe-secret --secret-id %s --region %s", name, s.Region),
			fmt.Sprintf("aws secretsmanager get-resource-policy --secret-id %s --region %s", name, s.Region),
			fmt.Sprintf("aws secretsmanager rotate-secret --secret-id %s --region %s", name, s.Region)}
	}
	return nil
}

// Show is the command that shows a principal that is a program: a role of AWS, a
// service account of Google Cloud, or what has an object id in a directory of Azure.
func Show(who *watch.Actor) string {
	switch {
	case strings.HasSuffix(who.UID, ".gserviceaccount.com"):
		return fmt.Sprintf("gcloud iam service-accounts describe %s", who.UID)
	case !strings.HasPrefix(who.UID, "arn:"):
		return fmt.Sprintf("az ad sp show --id %s", who.UID)
	}
	return fmt.Sprintf("aws iam get-role --role-name %s", who.Name)
}

// nextOf are the commands for what another cloud holds. Rotating is none of them:
// there it takes a new value.
func nextOf(h usage.Held) []string {
	container, name, _ := strings.Cut(h.Name, "/")
	switch {
	case strings.Contains(h.Container, "/managedhsms/"):
		return []string{fmt.Sprintf("az keyvault key show --hsm-name %s --name %s", container, name),
			fmt.Sprintf("az keyvault role assignment list --hsm-name %s", container)}
	case strings.HasPrefix(h.Container, "/subscriptions/"):
		return []string{fmt.Sprintf("az keyvault %s list-versions --vault-name %s --name %s", h.Kind, container, name),
			fmt.Sprintf("az role assignment list --all --scope %s", h.Container)}
	case h.Kind == "key":
		return []string{fmt.Sprintf("gcloud kms keys describe %s --keyring %s --location %s --project %s", name, container, orGlobal(h.Region), h.Account),
			fmt.Sprintf("gcloud kms keys get-iam-policy %s --keyring %s --location %s --project %s", name, container, orGlobal(h.Region), h.Account)}
	}
	return []string{fmt.Sprintf("gcloud secrets versions list %s --project %s", h.Name, h.Account),
		fmt.Sprintf("gcloud secrets get-iam-policy %s --project %s", h.Name, h.Account)}
}

func orGlobal(region string) string {
	if region == "" {
		return "global"
	}
	return region
}
