package usage

import "strings"

// reading are the operations that give out a value or use a key. Names that differ
// in what follows are one: GenerateDataKey and GenerateDataKeyWithoutPlaintext.
var (
	reading = map[string]bool{
		"GetSecretValue": true, "BatchGetSecretValue": true,
		"GetParameter": true, "GetParameters": true, "GetParametersByPath": true, "GetParameterHistory": true,
		"Verify": true, "VerifyMac": true, "DeriveSharedSecret": true,
		"AccessSecretVersion": true, "RawEncrypt": true, "RawDecrypt": true, "MacVerify": true, "Decapsulate": true, // Google Cloud
		"SecretGet": true, "KeySign": true, "KeyUnwrap": true, "KeyDecrypt": true, // Azure
		"KeyVerify": true, "KeyEncrypt": true, "KeyWrap": true, "KeyRelease": true,
	}
	readingAs = []string{"Decrypt", "Encrypt", "ReEncrypt", "GenerateDataKey", "GenerateMac", "Sign", "AsymmetricSign", "AsymmetricDecrypt", "MacSign"}
)

// Reads tells whether the operation gives out the value of a secret or parameter,
// or uses a key. Asking about one, as consoles do with every page, does not. Of a
// method that Google Cloud names in full only its own name counts.
func Reads(operation string) bool {
	operation = operation[strings.LastIndexByte(operation, '.')+1:]
	if reading[operation] {
		return true
	}
	for _, head := range readingAs {
		if strings.HasPrefix(operation, head) {
			return true
		}
	}
	return false
}
