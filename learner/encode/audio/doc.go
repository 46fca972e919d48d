// Package audio describes recordings by what sees music: timbre, scale, melody and
// rhythm. It needs no model files.
//
// The way of a recording:
//
//   - its format is told by its bytes (WAV, AIFF, FLAC, MP3, Vorbis and Opus in Ogg),
//     behind tags and padding; what the decoders would not survive is refused before
//     they see it, and what is not read by its name;
//   - what players don't mind is no reason to refuse: tags, zeros, lengths that were not
//     known. What is cut off is refused, but for MP3, which does not say how long it is;
//   - it is decoded as a stream, mixed to one channel and resampled to 22,050 Hz at
//     once; what lies beyond Limits.Seconds is never decoded. Channels that cancel each
//     other, as they do out of phase, are not mixed: the loudest is heard;
//   - logmel, mfcc: means and spreads of 40 mel bands in dB and of 19 MFCCs, and
//     spreads of their slopes, over the frames that are no pause: voice, instrument
//     and the room;
//   - pitch: a histogram of 53 commas to the octave above the tonic, from the melody's
//     fundamental frequency: the scale, fine enough for makam and maqam. The tonic
//     is the pitch class that sounds much and last;
//   - interval: the same histogram correlated with itself: the scale, wherever the
//     tonic is;
//   - melody: the steps and leaps from one note to the next, in commas;
//   - onset, tempogram: how many onsets a second has, and at which lags they return.
//
// Each block is centred and scaled to its share of the length, so that no block
// drowns another; the vector has length 1. Loudness and key are left out on
// purpose: they are the recordist's and the singer's. Nothing is random: the same
// bytes give the same vector. (The last bits may differ between processor
// architectures, since some fuse multiplication and addition.)
//
// Its types are Encoder, Limits (what a recording may take) and Block (a named part of the vector). In come the bytes
// of a recording, by Encoder.Encode; out goes a vector of Dim numbers, or a feature.Refusal. Package audio must not
// know whose recording it is, or where the bytes came from.
package audio
