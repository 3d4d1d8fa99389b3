package novelty

import (
	"fmt"
	"strings"

	"github.com/yagura-sec/yagura/detect/anomaly/watch"
)

// Next are commands that show what a secret, parameter or key is and who may have
// it, and change it where that can be done at once.
func Next(s *watch.Secret) []string {
	name := s.UID
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
