// Package checkpoint keeps a model's weights in a safetensors file, with where
// they come from and, if wanted, all that training needs to go on from there.
//
// A file is written beside its place and moved there when it is whole and on
// disk, so that after a crash there is the old one or the new one. It carries a
// checksum of all its bytes. One that is damaged, is not ours, or doesn't fit the
// model is refused with the difference named.
package checkpoint
