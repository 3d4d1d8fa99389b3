package event

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"
)

// digestJSON is a digest file as CloudTrail writes it
// (docs.aws.amazon.com/awscloudtrail, "CloudTrail digest file structure").
type digestJSON struct {
	AWSAccountID      string `json:"awsAccountId"`
	Start             string `json:"digestStartTime"`
	End               string `json:"digestEndTime"`
	Bucket            string `json:"digestS3Bucket"`
	Object            string `json:"digestS3Object"`
	Fingerprint       string `json:"digestPublicKeyFingerprint"`
	PreviousBucket    string `json:"previousDigestS3Bucket"`
	PreviousObject    string `json:"previousDigestS3Object"`
	PreviousHash      string `json:"previousDigestHashValue"`
	PreviousSignature string `json:"previousDigestSignature"`
	LogFiles          []struct {
		Bucket string `json:"s3Bucket"`
		Object string `json:"s3Object"`
		Hash   string `json:"hashValue"`
		Oldest string `json:"oldestEventTime"`
		Newest string `json:"newestEventTime"`
	} `json:"logFiles"`
}

// ParseDigest reads a CloudTrail digest file that was found as object. SHA256
// and Signature are not in the file: the caller fills them in. The error says
// what the file lacks.
func ParseDigest(object string, content []byte) (Digest, error) {
	var j digestJSON
	if err := json.Unmarshal(content, &j); err != nil {
		return Digest{}, fmt.Errorf("digest file: %w", err)
	}
	d := Digest{
		Object: object, Account: j.AWSAccountID, Region: digestRegion(j.Object),
		Bucket: j.Bucket, Key: j.Object, Fingerprint: j.Fingerprint,
		PreviousBucket: j.PreviousBucket, PreviousKey: j.PreviousObject,
		PreviousSHA256:    strings.ToLower(j.PreviousHash),
		PreviousSignature: j.PreviousSignature, // as it is: the next digest's signature covers its text
	}
	if d.Account == "" || d.Key == "" {
		return Digest{}, errors.New("digest file: awsAccountId or digestS3Object is missing")
	}
	var err error
	if d.Start, err = digestTime("digestStartTime", j.Start); err != nil {
		return Digest{}, err
	}
	if d.End, err = digestTime("digestEndTime", j.End); err != nil {
		return Digest{}, err
	}
	for i, f := range j.LogFiles {
		if f.Object == "" || f.Hash == "" {
			return Digest{}, fmt.Errorf("digest file: logFiles[%d] lacks s3Object or hashValue", i)
		}
		file := DigestFile{Bucket: f.Bucket, Key: f.Object, SHA256: strings.ToLower(f.Hash)}
		// The two times are a help to people; a file is vouched for without them.
		file.Oldest, _ = time.Parse(time.RFC3339, f.Oldest)
		file.Newest, _ = time.Parse(time.RFC3339, f.Newest)
		d.Files = append(d.Files, file)
	}
	return d, nil
}

func digestTime(field, s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("digest file: %s %q is not a time", field, s)
	}
	return t.UTC(), nil
}

// digestRegion is the region of the log files: …/CloudTrail-Digest/REGION/….
func digestRegion(key string) string {
	if _, after, ok := strings.Cut(key, "/CloudTrail-Digest/"); ok {
		region, _, _ := strings.Cut(after, "/")
		return region
	}
	if _, after, ok := strings.Cut(path.Base(key), "_CloudTrail-Digest_"); ok {
		region, _, _ := strings.Cut(after, "_")
		return region
	}
	return ""
}
