// Package safetensors reads and writes the safetensors format (https://huggingface.co/docs/safetensors): 8 bytes with
// the length of a header, little endian; the header, a JSON object with the type, shape and place of each tensor and
// "__metadata__", strings; then the data, without gaps.
//
// A File is metadata and Tensors; Encode makes bytes of it, Decode the reverse. Of the types, float32 and int32 are
// supported. Decode refuses other types, and data that overlaps, has gaps or passes the end. The package does not know
// what the tensors mean.
package safetensors
