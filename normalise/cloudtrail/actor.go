package cloudtrail

import (
	"strings"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/column"
	"github.com/yagura-sec/yagura/internal/jsontree"
)

// identity is what userIdentity says, in texts.
type identity struct {
	typ, principalID, arn, accountID, accessKey, userName, invokedBy string

	issuerType, issuerARN, issuerName, issuerAccount string
	provider                                         string // of a web identity or SAML session
	ec2Delivery, signInSession, sourceIdentity       string
	scopeType, scopeIssuedTo                         string
	onBehalfOf, identityStore                        string
	mfa, assumedRoot                                 bool
}

func readIdentity(v jsontree.Value) identity {
	var id identity
	for m := v.First(); m.Exists(); m = m.Next() {
		switch m.Key() {
		case "type":
			id.typ = column.Str(m)
		case "principalId":
			id.principalID = column.Str(m)
		case "arn":
			id.arn = column.Str(m)
		case "accountId":
			id.accountID = accountID(m)
		case "accessKeyId":
			id.accessKey = column.Str(m)
		case "credentialId":
			if id.accessKey == "" {
				id.accessKey = column.Str(m) // a bearer token has this in place of a key
			}
		case "userName":
			id.userName = column.Str(m)
		case "invokedBy":
			id.invokedBy = column.Str(m)
		case "identityProvider":
			id.provider = column.Str(m)
		case "inScopeOf":
			id.scopeType = column.Str(m.Get("issuerType"))
			id.scopeIssuedTo = column.Str(m.Get("credentialsIssuedTo"))
		case "onBehalfOf":
			id.onBehalfOf = column.Str(m.Get("userId"))
			id.identityStore = column.Str(m.Get("identityStoreArn"))
		case "sessionContext":
			id.readSession(m)
		}
	}
	return id
}

func (id *identity) readSession(v jsontree.Value) {
	for m := v.First(); m.Exists(); m = m.Next() {
		switch m.Key() {
		case "sessionIssuer":
			id.issuerType = column.Str(m.Get("type"))
			id.issuerARN = column.Str(m.Get("arn"))
			id.issuerName = column.Str(m.Get("userName"))
			id.issuerAccount = accountID(m.Get("accountId"))
		case "webIdFederationData":
			if p := column.Str(m.Get("federatedProvider")); p != "" {
				id.provider = p
			}
		case "attributes":
			id.mfa = id.mfa || isTrue(m.Get("mfaAuthenticated"))
			if id.ec2Delivery == "" {
				id.ec2Delivery = deliveryVersion(m.Get("ec2RoleDelivery"))
			}
			if s := column.Str(m.Get("signInSessionArn")); s != "" {
				id.signInSession = s
			}
		case "ec2RoleDelivery":
			id.ec2Delivery = deliveryVersion(m)
		case "signInSessionArn":
			id.signInSession = column.Str(m)
		case "sourceIdentity":
			id.sourceIdentity = column.Str(m)
		case "assumedRoot":
			id.assumedRoot = isTrue(m)
		}
	}
}

// accountID reads an account, which spreadsheets and the like turn into a number
// without its leading zeros.
func accountID(v jsontree.Value) string {
	if v.Kind() != jsontree.Number {
		return column.Str(v)
	}
	s := v.Text()
	if len(s) > 12 || strings.ContainsAny(s, "-.eE") {
		return ""
	}
	return "000000000000"[len(s):] + s
}

// deliveryVersion reads ec2RoleDelivery, "1.0" or "2.0", also as a number.
func deliveryVersion(v jsontree.Value) string {
	if v.Kind() == jsontree.Number {
		return column.Text(v.Text())
	}
	return column.Str(v)
}

// actor is who acted, by a name that stays the same from call to call.
type actor struct {
	typ     event.ActorType
	uid     string
	name    string
	account string
	session string
	role    string // the role's name, if it is one
	note    string // what was derived rather than given
}

// actorOf finds the stable principal behind an identity.
func actorOf(id *identity, partition string) actor {
	a := actor{account: id.accountID}
	if a.account == "" {
		a.account = accountOfARN(id.arn)
	}
	if a.account == anonymousAccount {
		a.account = ""
	}
	switch id.typ {
	case "AssumedRole", "Role":
		roleActor(&a, id, partition)
	case "IAMUser":
		userActor(&a, id, partition)
	case "Root":
		a.typ, a.name = event.ActorRoot, "root"
		a.uid = id.arn
		if a.account != "" {
			a.uid = "arn:" + partition + ":iam::" + a.account + ":root"
		}
		if id.assumedRoot {
			a.note = "root session assumed with sts:AssumeRoot"
		}
	case "AWSService":
		a.typ, a.uid, a.name = event.ActorService, id.invokedBy, id.invokedBy
		if a.uid == "" {
			a.uid, a.name = id.principalID, id.principalID
		}
	case "FederatedUser":
		a.typ, a.uid = event.ActorFederated, id.arn
		a.name = afterLast(id.arn, '/')
		if a.uid == "" {
			a.uid, a.name = id.principalID, afterLast(id.principalID, ':')
		}
		if id.issuerARN != "" {
			a.note = "federated by " + id.issuerARN
		}
	case "WebIdentityUser", "SAMLUser":
		a.typ, a.uid, a.name = event.ActorFederated, id.principalID, id.userName
		if a.uid == "" && id.userName != "" {
			a.uid = id.provider + ":" + id.userName
		}
	case "IdentityCenterUser":
		a.typ, a.name = event.ActorFederated, id.userName
		a.uid = identityCenterUser(id)
	case "AWSAccount":
		accountActor(&a, id)
	default:
		otherActor(&a, id, partition)
	}
	if a.uid == "" && a.typ != event.ActorAnonymous {
		a.typ = event.ActorMasked
	}
	if id.onBehalfOf != "" && a.typ == event.ActorRole {
		a.note = column.Join(a.note, "on behalf of Identity Center user "+id.onBehalfOf)
	}
	if id.sourceIdentity != "" {
		a.note = column.Join(a.note, "sourceIdentity "+id.sourceIdentity)
	}
	return a
}

// anonymousAccount stands in accountId for a caller that sent no signature.
const anonymousAccount = "ANONYMOUS_PRINCIPAL"

// hidden is what sign-in records hold for a user name that does not exist, as
// it may be a password typed into the wrong field.
const hidden = "HIDDEN_DUE_TO_SECURITY_REASONS"

func roleActor(a *actor, id *identity, partition string) {
	a.typ = event.ActorRole
	sessionRole, session := splitSession(id.arn)
	a.session = session
	if a.session == "" {
		_, a.session, _ = strings.Cut(id.principalID, ":")
	}
	switch {
	case isARN(id.issuerARN):
		a.uid, a.name = id.issuerARN, id.issuerName
		if a.name == "" {
			a.name = afterLast(id.issuerARN, '/')
		}
	case sessionRole != "" && a.account != "":
		a.uid = "arn:" + partition + ":iam::" + a.account + ":role/" + sessionRole
		a.name = sessionRole
		a.note = "role ARN derived from the session's, its path unknown"
	case strings.Contains(id.arn, ":role/"):
		a.uid, a.name = id.arn, afterLast(id.arn, '/')
	default:
		a.uid, _, _ = strings.Cut(id.principalID, ":") // the role's unique id
	}
	a.role = a.name
}

// splitSession takes arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION apart.
func splitSession(arn string) (role, session string) {
	const mark = ":assumed-role/"
	i := strings.Index(arn, mark)
	if i < 0 {
		return "", ""
	}
	role, session, _ = strings.Cut(arn[i+len(mark):], "/")
	return role, session
}

func userActor(a *actor, id *identity, partition string) {
	a.typ, a.name = event.ActorUser, id.userName
	if id.userName == hidden {
		a.name = ""
		return
	}
	switch {
	case isARN(id.arn):
		a.uid = id.arn
		if a.name == "" {
			a.name = afterLast(id.arn, '/')
		}
	case id.userName != "" && a.account != "":
		a.uid = "arn:" + partition + ":iam::" + a.account + ":user/" + id.userName
		a.note = "user ARN derived from the name, its path unknown"
	default:
		a.uid, a.session, _ = strings.Cut(id.principalID, ":")
	}
}

// accountActor is another account's principal: all that is known is its unique
// id, or only the account.
func accountActor(a *actor, id *identity) {
	if id.accountID == anonymousAccount || strings.EqualFold(id.principalID, "anonymous") ||
		id.principalID == anonymousAccount {
		a.typ, a.account = event.ActorAnonymous, ""
		return
	}
	a.typ = event.ActorAccount
	if isARN(id.arn) {
		a.uid = id.arn
		return
	}
	a.uid, a.session, _ = strings.Cut(id.principalID, ":")
	if a.uid == "" {
		a.uid = a.account
	}
}

func identityCenterUser(id *identity) string {
	if id.onBehalfOf == "" {
		return id.principalID
	}
	return "arn:" + partitionOf(id.identityStore, "") + ":identitystore:::user/" + id.onBehalfOf
}

// otherActor reads identities without a type, of type Unknown or Directory, and
// types that came after this was written.
func otherActor(a *actor, id *identity, partition string) {
	switch {
	case strings.Contains(id.arn, ":assumed-role/"):
		roleActor(a, id, partition)
	case strings.Contains(id.arn, ":user/"):
		userActor(a, id, partition)
	case strings.HasSuffix(id.arn, ":root"):
		a.typ, a.uid, a.name = event.ActorRoot, id.arn, "root"
	case id.onBehalfOf != "":
		a.typ, a.name = event.ActorFederated, id.userName
		a.uid = identityCenterUser(id)
	case id.accountID == anonymousAccount:
		a.typ = event.ActorAnonymous
	case id.arn != "" || id.principalID != "":
		a.typ, a.uid, a.name = event.ActorUnknown, id.arn, id.userName
		if a.uid == "" && id.principalID == id.accountID && id.userName != hidden {
			a.uid = id.userName // sign-in records have the account in principalId
		}
		if a.uid == "" && id.principalID != id.accountID {
			a.uid, a.session, _ = strings.Cut(id.principalID, ":")
		}
	case id.userName != "" && id.userName != hidden:
		a.typ, a.uid, a.name = event.ActorUnknown, id.userName, id.userName
	case id.invokedBy != "":
		a.typ, a.uid, a.name = event.ActorService, id.invokedBy, id.invokedBy
	default:
		a.typ = event.ActorMasked
	}
}

func isARN(s string) bool { return strings.HasPrefix(s, "arn:") && strings.Count(s, ":") >= 5 }

// accountOfARN is the account field of an ARN, empty if it has none.
func accountOfARN(arn string) string {
	if !strings.HasPrefix(arn, "arn:") {
		return ""
	}
	rest := arn
	for range 4 {
		_, after, ok := strings.Cut(rest, ":")
		if !ok {
			return ""
		}
		rest = after
	}
	account, _, ok := strings.Cut(rest, ":")
	if !ok || len(account) != 12 {
		return ""
	}
	return account
}

func afterLast(s string, c byte) string {
	return s[strings.LastIndexByte(s, c)+1:]
}
