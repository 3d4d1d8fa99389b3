package entra

import "github.com/yagura-sec/yagura/event"

// Outcome turns an error code of a sign-in into one of the eight outcomes
// (learn.microsoft.com/entra/identity-platform/reference-error-codes; Microsoft says
// that codes may change).
//
// auth_failed is "we do not believe who you are", denied "we do, and you may not".
// error is all that only asks for more or is a fault, among it every code that asks
// for a second factor, a change of password or consent.
func Outcome(code string) event.Outcome {
	switch code {
	case "0":
		return event.Success
	case "50126", // wrong user name or password
		"50034", "50020", // no such user here
		"50053",          // locked, or from an address known to be bad
		"50056", "50064", // no password to compare with
		"50052", "50012", "50008", "50027", "50006", "50013", // a token or its signature is wrong
		"81004", "81005", "81006", "81008", // Kerberos
		"500121", "50088", "500133", // the second factor was refused or failed
		"7000215", "7000222", "700027", "700024", "700021", "700022", "7000217", "7000218", "7000229": // an application's secret, certificate or assertion
		return event.AuthFailed
	case "53000", "53001", "53002", "53003", "53004", "530002", "530003", "53011", "530031", "530032", "530034", "530035", // Conditional Access and risk
		"50105",          // not assigned to the application
		"50057",          // the account is disabled
		"50177", "50178", // not for guests, session control
		"90093", "90094", "90095", "90099", // needs an administrator
		"500011", "500213", "500212": // the tenant does not take this from outside
		return event.Denied
	case "700016", "90002", "500014":
		return event.NotFound
	case "90033", "90055", "7000012":
		return event.Throttled
	case "50011", "900144", "9002313", "70001", "70011", "70002", "900023", "90014", "90015", "1002016", "1002012":
		return event.Invalid
	}
	return event.Failed
}
