package denied

// What ordinary work is made from, a person and day at Records records.
const (
	shareAway      = 0.06 // of people on a day
	proxyLines     = 520.0
	processes      = 150.0
	signInsADay    = 6.0
	shareMistyped  = 0.03 // of sign-ins begin with a wrong password
	cloudReads     = 95.0 // at Google Cloud, of those who work there
	cloudChanges   = 9.0
	shareConsole   = 0.55 // of a person's calls come from the console, not from the command line
	pipelineCalls  = 60.0 // a project
	shareHandover  = 0.12 // of leases end at noon, and the address goes to another device
	sharedMachines = 3    // in the offices, that several people use
	busy           = 5    // people of other projects who are in the console all through a burst
	keysADay       = 2    // keys of service accounts that are made in everyday work
)
