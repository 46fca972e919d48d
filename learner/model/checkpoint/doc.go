// Package checkpoint keeps a model's weights in a safetensors file.
//
// A Checkpoint is the weights with their Meta (shape, epoch, parent, snapshot of the data, metrics) and, if wanted, the
// tensors and progress that a trainer resumes from. Encode and Decode convert it to bytes and back; Write and Read to a
// file and back. The package does not know how weights were trained, nor which model serves.
//
// Guarantee: Write replaces a file at once (package atomicfile), so that after a crash there is the old file or the new
// one. A file carries a checksum of all its bytes. Decode refuses one that is damaged, is of another format or doesn't
// fit its model, with an error that names the difference.
package checkpoint
