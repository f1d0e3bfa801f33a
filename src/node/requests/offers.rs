//! Keys that may hold something for clients that wait for them, until somebody has looked.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// The keys, each with its database.
#[derive(Clone, Debug, Default)]
pub(super) struct Offers {
    /// Those that were touched by what is being applied.
    pub(super) signalled: Vec<(u32, Box<[u8]>)>,
    /// Those that are looked at again when so many commands are applied: more clients waited than
    /// are served at once, or it was not known yet who comes first.
    pub(super) later: VecDeque<(u64, u32, Box<[u8]>)>,
    /// The number of the last batch of requests that were proposed together.
    pub(super) batch: u64,
}
