package media

import (
	"kilim/consumer/profile"
	"kilim/learner/encode/audio"
	"kilim/learner/encode/image"
)

// Kind tells by the bytes whether they are a picture (profile.Image) or a recording (profile.Audio) of a format that is read here, "" of what
// is neither.
func Kind(data []byte) string {
	switch {
	case image.MediaType(data) != "":
		return profile.Image
	case audio.MediaType(data) != "":
		return profile.Audio
	}
	return ""
}
