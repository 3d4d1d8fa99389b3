package novelty

import (
	"strings"

	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/internal/shell"
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
		return []string{shell.Command("aws", "kms", "describe-key", "--key-id", name, "--region", s.Region),
			shell.Command("aws", "kms", "get-key-policy", "--key-id", name, "--region", s.Region)}
	case strings.Contains(name, ":ssm:"):
		if _, path, ok := strings.Cut(name, ":parameter"); ok {
			name = path
		}
		return []string{shell.Command("aws", "ssm", "get-parameter-history", "--name", name, "--region", s.Region, "--query", "Parameters[].[Version,LastModifiedDate,LastModifiedUser]"),
			shell.Command("aws", "ssm", "put-parameter", "--overwrite", "--name", name, "--region", s.Region, "--value", "NEW")}
	case strings.Contains(name, ":secretsmanager:"):
		return []string{shell.Command("aws", "secretsmanager", "describe-secret", "--secret-id", name, "--region", s.Region),
			shell.Command("aws", "secretsmanager", "get-resource-policy", "--secret-id", name, "--region", s.Region),
			shell.Command("aws", "secretsmanager", "rotate-secret", "--secret-id", name, "--region", s.Region)}
	}
	return nil
}

// Show is the command that shows a principal that is a program: a role of AWS, a
// service account of Google Cloud, or what has an object id in a directory of Azure.
func Show(who *watch.Actor) string {
	switch {
	case strings.HasSuffix(who.UID, ".gserviceaccount.com"):
		return shell.Command("gcloud", "iam", "service-accounts", "describe", who.UID)
	case !strings.HasPrefix(who.UID, "arn:"):
		return shell.Command("az", "ad", "sp", "show", "--id", who.UID)
	}
	return shell.Command("aws", "iam", "get-role", "--role-name", who.Name)
}

// nextOf are the commands for what another cloud holds. Rotating is none of them:
// there it takes a new value.
func nextOf(h usage.Held) []string {
	container, name, _ := strings.Cut(h.Name, "/")
	switch {
	case strings.Contains(h.Container, "/managedhsms/"):
		return []string{shell.Command("az", "keyvault", "key", "show", "--hsm-name", container, "--name", name),
			shell.Command("az", "keyvault", "role", "assignment", "list", "--hsm-name", container)}
	case strings.HasPrefix(h.Container, "/subscriptions/"):
		return []string{shell.Command("az", "keyvault", h.Kind, "list-versions", "--vault-name", container, "--name", name),
			shell.Command("az", "role", "assignment", "list", "--all", "--scope", h.Container)}
	case h.Kind == "key":
		return []string{shell.Command("gcloud", "kms", "keys", "describe", name, "--keyring", container, "--location", orGlobal(h.Region), "--project", h.Account),
			shell.Command("gcloud", "kms", "keys", "get-iam-policy", name, "--keyring", container, "--location", orGlobal(h.Region), "--project", h.Account)}
	}
	return []string{shell.Command("gcloud", "secrets", "versions", "list", h.Name, "--project", h.Account),
		shell.Command("gcloud", "secrets", "get-iam-policy", h.Name, "--project", h.Account)}
}

func orGlobal(region string) string {
	if region == "" {
		return "global"
	}
	return region
}
