// Package image describes pictures by what sees craft and motif: colour, form,
// texture and symmetry. It needs no model files.
//
// The way of a picture:
//
//   - its format is told by its bytes (JPEG, PNG, WebP, GIF, TIFF, BMP; of an
//     animation the first frame), its size by its header, and a picture beyond the
//     Limits is refused before it is decoded; what is not read is refused by its name;
//   - what viewers don't mind is mended first: a missing end marker, damage beside the
//     pixels, a length that was not known, bytes behind the picture. One that is cut
//     off inside of its pixels is refused;
//   - it is decoded once, scaled once to a longer side of 128 pixels, composed on
//     white, turned upright by its EXIF orientation, and converted to CIELAB;
//   - colour: CIELAB histograms over a two-level pyramid, in which a photographer's
//     even backdrop counts little (see foreground);
//   - hog: histograms of oriented gradients on 8 x 8 cells: the silhouette and the
//     layout;
//   - texture: patterns of "differs from its neighbour" at three scales, which a
//     motif keeps when its colours change;
//   - symmetry: correlation with its own reflections and half turn, as a whole and by
//     quarters, and with its own translations: friezes and wallpapers.
//
// Each block is centred and scaled to its share of the length, so that no block
// drowns another; the vector has length 1. Nothing is random: the same bytes
// give the same vector. (The last bits may differ between processor architectures,
// since some fuse multiplication and addition.)
//
// Its types are Encoder, Limits (what a picture may take) and Block (a named part of the vector). In come the bytes of a
// picture, by Encoder.Encode; out goes a vector of Dim numbers, or a feature.Refusal. Package image must not know whose
// picture it is, or where the bytes came from.
package image
