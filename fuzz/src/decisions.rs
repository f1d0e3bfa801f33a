//! The decisions of a small simulated world: whatever they are, no invariant is broken.

/// Plays the run that the bytes decide.
pub fn run(data: &[u8]) {
    if let Err(why) = sim::steered::play(data) {
        panic!("{why}");
    }
}
