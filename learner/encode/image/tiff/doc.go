// Package tiff reads the first picture of TIFF and BigTIFF files (Adobe, TIFF 6.0, with its Technical Note 2, and
// the BigTIFF design of 2004).
//
// Open reads the header into a File, which tells the size of the picture and how much memory Decode will take: whoever
// bounds these asks before. What comes in is the whole file as bytes, and what goes out is a picture of the standard
// library's types. A FormatError says that a file is broken or cut off, an UnsupportedError that it is well formed and
// not read, with the name of what is in the way.
//
// golang.org/x/image/tiff, which was used before, takes planes beside one another, extra samples, CMYK and missing end
// codes for broken files, knows neither JPEG nor BigTIFF, and shows fax pages of which black is 0 as their negative.
// What it reads is read into the same pixels here.
//
// The package knows nothing of limits, of other formats, or of what pictures are read for.
package tiff
