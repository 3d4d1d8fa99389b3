package azureactivity

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/yagura-sec/yagura/internal/jsontree"
	"github.com/yagura-sec/yagura/normalise/record"
)

// redacted stands in place of what is not kept.
const redacted = `"(not kept by Yagura)"`

// bodies are the members of properties that repeat requests and answers.
var bodies = []string{"requestbody", "requestBody", "responseBody", "responsebody"}

// secret are the names, in small letters, of members that hold secret values in
// requests and answers of Azure's services.
var secret = map[string]bool{
	"adminpassword": true, "administratorloginpassword": true, "password": true, "secret": true, "secrettext": true,
	"clientsecret": true, "protectedsettings": true, "customdata": true, "userdata": true, "connectionstring": true,
	"primaryconnectionstring": true, "secondaryconnectionstring": true, "primarykey": true, "secondarykey": true,
	"primarymasterkey": true, "secondarymasterkey": true, "key1": true, "key2": true, "storageaccountkey": true,
	"accountkey": true, "accesssas": true, "sastoken": true, "accountsastoken": true, "servicesastoken": true,
	"publishingpassword": true, "kubeconfig": true, "sharedkey": true, "privatekey": true, "token": true,
}

// redact replaces secret values in the bodies that the record repeats, in d.Root
// and d.Body.
func redact(d *record.Doc) {
	properties := d.Root.Get("properties")
	operation := strings.ToLower(text(d.Root, "operationName"))
	values := strings.Contains(operation, "/secrets/") || strings.Contains(operation, "listkeys") || strings.Contains(operation, "listsecrets")
	for _, name := range bodies {
		body := properties.Get(name)
		told := d.Within(body) // the body itself, or the JSON that it is as a text
		cleaned := clean(told, values)
		if cleaned == told.Raw() {
			continue
		}
		if body.Kind() == jsontree.String {
			cleaned = quoted(cleaned)
		}
		from := body.Offset()
		out := append(append(bytes.Clone(d.Body[:from]), cleaned...), d.Body[from+len(body.Raw()):]...)
		if d.Replace(out) != nil {
			return // what was put together of JSON is JSON
		}
		properties = d.Root.Get("properties")
	}
}

// quoted is a text as JSON.
func quoted(s string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a text always encodes
	return strings.TrimSpace(b.String())
}

// clean is the JSON text of v without the secret values; with values, members named
// value are such too, but for a list of them.
func clean(v jsontree.Value, values bool) string {
	raw, offset := v.Raw(), v.Offset()
	var b strings.Builder
	done := 0
	var walk func(jsontree.Value)
	walk = func(v jsontree.Value) {
		for m := v.First(); m.Exists(); m = m.Next() {
			key := strings.ToLower(m.Key())
			if secret[key] && m.Kind() != jsontree.Null || values && key == "value" && m.Kind() != jsontree.Array {
				b.WriteString(raw[done:m.Offset()-offset] + redacted)
				done = m.Offset() - offset + len(m.Raw())
			} else {
				walk(m)
			}
		}
	}
	walk(v)
	if done == 0 {
		return raw
	}
	return b.String() + raw[done:]
}
