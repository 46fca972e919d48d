// Package made keeps in a state what it was made by, so that rows that were made by something else are never mixed with new ones.
//
// By is what an engine is about to work with: identity and epoch of encoders and model, and Settings. Open compares it with
// what the state says. Another identity or epoch is refused (ErrIdentity), since nothing of such a state could be used. Other
// Settings are taken up, and what earlier ones made is due to be made again: Kept says what that is. Kept is a row of the state.
//
// The obvious design, to take the settings from the configuration alone, lost data's meaning twice: lists that were made
// ten long were filled up to thirty with whatever came, and `kilim check` without the daemon's flags found faults in a sound
// state. The package does not know how rows are made again.
package made
