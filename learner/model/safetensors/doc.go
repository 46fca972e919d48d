// Package safetensors reads and writes the safetensors format
// (https://huggingface.co/docs/safetensors): 8 bytes with the length of a header,
// little endian; the header, JSON, which has for each tensor its type, shape and
// place, and "__metadata__", strings; then the data, without gaps.
//
// Of the types, float32 and int32 are known. A file of another kind is refused,
// and so is one whose places overlap, leave gaps or pass its end.
package safetensors
