package image

import (
	"bytes"

	"kilim/learner/encode/feature"
)

// foreign refuses what no decoder is for, by its name if that is known.
func foreign(b []byte) *feature.Refusal {
	for _, k := range known() {
		if len(b) >= k.at && bytes.HasPrefix(b[k.at:], []byte(k.magic)) {
			return feature.Refuse(feature.ReasonUnsupported, "%s is not read; JPEG, PNG, GIF, WebP, TIFF and BMP are", k.name)
		}
	}
	if name := markup(b); name != "" {
		return feature.Refuse(feature.ReasonUnsupported, "%s is not read; JPEG, PNG, GIF, WebP, TIFF and BMP are", name)
	}
	return feature.Refuse(feature.ReasonUnknownFormat, "begins with %q, which is no JPEG, PNG, GIF, WebP, TIFF or BMP", b[:min(len(b), 8)])
}

// markup tells drawings that are written as text.
func markup(b []byte) string {
	head := bytes.TrimLeft(bytes.TrimPrefix(b[:min(len(b), 1024)], []byte("\xef\xbb\xbf")), " \t\r\n")
	if bytes.HasPrefix(head, []byte("<svg")) || bytes.HasPrefix(head, []byte("<?xml")) && bytes.Contains(head, []byte("<svg")) {
		return "SVG"
	}
	if len(head) > 2 && head[0] == 'P' && head[1] >= '1' && head[1] <= '7' && bytes.IndexByte([]byte(" \t\r\n"), head[2]) >= 0 {
		return "PNM"
	}
	return ""
}

// other is a format that is not read, by what stands at a place of its files.
type other struct {
	at          int
	magic, name string
}

func known() []other {
	return []other{
		{0, "\x00\x00\x00\x0cjP  \r\n\x87\n", "JPEG 2000"},
		{0, "\xff\x4f\xff\x51", "JPEG 2000"},
		{0, "\x00\x00\x00\x0cJXL \r\n\x87\n", "JPEG XL"},
		{0, "\xff\x0a", "JPEG XL"},
		{0, "II\xbc\x01", "JPEG XR"},
		{4, "ftypavif", "AVIF"}, {4, "ftypavis", "AVIF"},
		{4, "ftyphe", "HEIC"}, {4, "ftypmif1", "HEIF"}, {4, "ftypmif2", "HEIF"}, {4, "ftypmsf1", "HEIF"},
		{4, "ftypcrx ", "Canon CR3 (raw)"},
		{4, "ftyp", "a film (ISO media)"},
		{0, "8BPS", "Photoshop"},
		{0, "%PDF-", "PDF"},
		{0, "%!PS", "PostScript"}, {0, "\xc5\xd0\xd3\xc6", "PostScript"},
		{0, "AT&TFORM", "DjVu"},
		{0, "gimp xcf", "GIMP XCF"},
		{0, "\x00\x00\x01\x00", "ICO"},
		{0, "\x76\x2f\x31\x01", "OpenEXR"},
		{0, "#?RADIANCE", "Radiance HDR"},
		{0, "SIMPLE  =", "FITS"},
		{128, "DICM", "DICOM"},
		{0, "qoif", "QOI"},
		{0, "BPG\xfb", "BPG"},
		{0, "\x8aMNG", "MNG"}, {0, "\x8bJNG", "JNG"},
		{0, "\xd7\xcd\xc6\x9a", "WMF"},
		{40, " EMF", "EMF"},
		{0, "FUJIFILMCCD-RAW", "Fujifilm RAF (raw)"},
		{0, "IIRO", "Olympus ORF (raw)"}, {0, "IIRS", "Olympus ORF (raw)"},
		{0, "IIU\x00", "Panasonic RW2 (raw)"},
		{0, "\x1a\x45\xdf\xa3", "a film (Matroska)"},
		{0, "\x89PNG", "PNG whose line ends were changed on its way"},
	}
}
