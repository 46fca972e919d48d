package rerank

import _ "embed"

//go:embed asyncapi.yaml
var asyncAPI []byte

// AsyncAPI returns the description of the topics, an AsyncAPI 3 document in YAML.
func AsyncAPI() []byte { return append([]byte(nil), asyncAPI...) }
