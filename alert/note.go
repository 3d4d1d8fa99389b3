package alert

// Note is a thing that a product says besides.
type Note struct {
	Kind NoteKind `json:",omitempty"`
	What string
	Of   string `json:",omitempty"` // second, of kinds that are about two things
}

// NoteKind says what a note tells. Titles that a product does not give have kinds too.
type NoteKind string

// The kinds.
const (
	OwnWords    NoteKind = ""             // What, as the product says it
	Called      NoteKind = "call"         // What was called
	FoundData   NoteKind = "found"        // so many of What, sensitive data of the type Of
	Pod         NoteKind = "pod"          // What, with its namespace
	Acted       NoteKind = "acted"        // the product did What
	ActedNot    NoteKind = "acted_not"    // the product tried What and failed
	Looked      NoteKind = "looked"       // What objects were looked at, Of passed
	MendedIn    NoteKind = "mended"       // the package What is mended in the version Of
	Score       NoteKind = "score"        // What, the product's own
	CVSS        NoteKind = "cvss"         // What has the score Of
	Exploit     NoteKind = "exploit"      // What: whether one is known
	OpenPorts   NoteKind = "ports"        // What of the protocol Of
	Feature     NoteKind = "feature"      // What of the product made it
	Connected   NoteKind = "connected"    // to the address What
	AskedName   NoteKind = "name"         // What, of DNS
	Sequence    NoteKind = "sequence"     // of What signals
	ByHand      NoteKind = "by_hand"      // a person has to check
	Mend        NoteKind = "mend"         // What mends it
	NoteBy      NoteKind = "by"           // What somebody wrote, Of; empty: nobody is named
	Before      NoteKind = "before"       // it was What
	Command     NoteKind = "command"      // What
	StartedBy   NoteKind = "started"      // What
	FileOrLink  NoteKind = "file"         // What: a file or connection
	HostUser    NoteKind = "user"         // What
	Image       NoteKind = "image"        // What, of a container
	SystemCall  NoteKind = "system_call"  // What
	Allowed     NoteKind = "allowed"      // What actions
	Condition   NoteKind = "condition"    // What is Of
	Complies    NoteKind = "complies"     // title: What has the verdict Of
	CompliesNot NoteKind = "complies_not" // title: What with the rule Of
	CompliesMay NoteKind = "complies_may" // title: not known of What and the rule Of
	Nameless    NoteKind = "nameless"     // title: of the finding What
	UsedByAll   NoteKind = "used_by_all"  // title: What can be
	UsedBy      NoteKind = "used_by"      // title: What can be, by Of
	UsedOutside NoteKind = "used_outside" // title: What can be
	UsedMay     NoteKind = "used_may"     // title: not known of What, because of Of
	Unused      NoteKind = "unused"       // title: What has access that is
)

func (a *Alert) note(kind NoteKind, what, of string) { a.Notes = append(a.Notes, Note{kind, what, of}) }
