package office365

import (
	"strings"

	"github.com/yagura-sec/yagura/event"
)

// data are the operations that read or change what people keep, rather than how it
// is managed.
var data = map[string]bool{
	"MailItemsAccessed": true, "FileAccessed": true, "FileAccessedExtended": true, "FileDownloaded": true, "FilePreviewed": true,
	"FileModified": true, "FileUploaded": true, "FileDeleted": true, "FileSyncDownloadedFull": true, "FileSyncUploadedFull": true,
	"PageViewed": true, "MessageSent": true, "MessageRead": true, "Send": true, "SendAs": true, "SendOnBehalf": true, "Create": true,
	"Update": true, "Move": true, "MoveToDeletedItems": true, "SoftDelete": true, "HardDelete": true, "FolderBind": true, "MessageBind": true,
	"FileRenamed": true, "FileMoved": true, "FileCopied": true, "FileCheckedOut": true, "FileCheckedIn": true, "FileRecycled": true,
}

// classOf is OCSF's class and activity of an operation, and whether it only reads.
// OCSF 1.6.0: of API Activity create 1, read 2, update 3, delete 4; of
// Authentication logon 1, logoff 2.
func classOf(operation string) (class, activity int32, readOnly bool) {
	switch operation {
	case "UserLoggedIn", "UserLoginFailed", "MailboxLogin", "TeamsSessionStarted":
		return event.ClassAuthentication, 1, false
	case "UserLoggedOff":
		return event.ClassAuthentication, 2, false
	}
	word, _, isCmdlet := strings.Cut(operation, "-")
	if !isCmdlet {
		word = operation
	}
	for _, w := range [...]struct {
		begins   string
		activity int32
	}{
		{"Get", 2}, {"Search", 2}, {"Test", 2}, {"Export", 2}, {"View", 2}, {"Preview", 2},
		{"New", 1}, {"Add", 1}, {"Create", 1}, {"Remove", 4}, {"Delete", 4}, {"Disable", 3}, {"Enable", 3}, {"Set", 3}, {"Update", 3},
	} {
		if strings.HasPrefix(word, w.begins) {
			return event.ClassAPIActivity, w.activity, w.activity == 2
		}
	}
	switch {
	case strings.HasSuffix(operation, "Accessed"), strings.HasSuffix(operation, "Downloaded"), strings.HasSuffix(operation, "Viewed"),
		strings.HasSuffix(operation, "Previewed"), strings.HasSuffix(operation, "Bind"), strings.HasSuffix(operation, "DownloadedFull"):
		return event.ClassAPIActivity, 2, true
	case strings.Contains(operation, "Deleted"), strings.HasSuffix(operation, "Delete"), strings.HasSuffix(operation, "Removed"):
		return event.ClassAPIActivity, 4, false
	}
	return event.ClassAPIActivity, 99, false
}
