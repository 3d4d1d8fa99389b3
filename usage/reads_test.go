package usage

import "testing"

func TestReads(t *testing.T) {
	f := func(operation string, want bool) {
		t.Helper()
		if got := Reads(operation); got != want {
			t.Errorf("Reads(%q) = %v, want %v", operation, got, want)
		}
	}
	f("GetSecretValue", true)
	f("BatchGetSecretValue", true)
	f("GetParameterHistory", true)
	f("GenerateDataKeyWithoutPlaintext", true)
	f("ReEncryptFrom", true)
	f("SignWithKey", true)
	f("VerifyMac", true)
	f("AccessSecretVersion", true)
	f("DescribeSecret", false)
	f("ListSecrets", false)
	f("DescribeKey", false)
	f("PutSecretValue", false)
	f("GenerateRandom", false)
	f("", false)
}
