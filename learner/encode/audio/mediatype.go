package audio

// MediaType is the type of a recording by its bytes, "" where it is none that this package reads. What a record or server says of them
// does not count.
func MediaType(data []byte) string {
	body, _ := skipTags(data)
	f, ok := sniff(body)
	if !ok {
		return ""
	}
	return map[string]string{
		"WAV": "audio/wav", "AIFF": "audio/aiff", "FLAC": "audio/flac", "Ogg Opus": "audio/ogg", "Ogg Vorbis": "audio/ogg", "MP3": "audio/mpeg",
	}[f.name]
}
