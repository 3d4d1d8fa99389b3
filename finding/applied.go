package finding

// Wanted is the service that was refused for want of an application, or could
// have been; empty: the finding names none.
func (t *Trouble) Wanted() string {
	if t.RegisterGap != nil {
		return t.RegisterGap.Service
	}
	return t.ImpliedService
}
