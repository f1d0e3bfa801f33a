//! The steering of draws from outside: bytes that turn decisions into others, for a search that is
//! guided by coverage.
//!
//! Each decision has a place among the bytes by its name, never by when it is drawn: a byte that
//! changes turns a few decisions and leaves all others as they were. If the bytes are zeros, or
//! there are none, every draw is the seed's.

use std::cell::RefCell;

use crate::draws::mixed;

thread_local! {
    static BYTES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Steers this thread's draws while something is done.
pub(crate) fn steered<T>(bytes: &[u8], act: impl FnOnce() -> T) -> T {
    /// The draws are the seed's again even where the act has panicked.
    struct Released;
    impl Drop for Released {
        fn drop(&mut self) {
            BYTES.with_borrow_mut(Vec::clear);
        }
    }
    BYTES.with_borrow_mut(|own| *own = bytes.to_vec());
    let _released = Released;
    act()
}

/// The mask for the draws of one decision: a byte for each of the first eight, the lowest first.
pub(crate) fn mask(stream: u64, a: u64, b: u64) -> u64 {
    BYTES.with_borrow(|bytes| {
        if bytes.is_empty() {
            return 0;
        }
        let place = mixed(stream ^ mixed(a ^ mixed(b)));
        let place = (place % bytes.len() as u64) as usize;
        let byte = |at: usize| u64::from(bytes[(place + at) % bytes.len()]);
        (0..8).fold(0, |mask, at| mask | byte(at) << (8 * at))
    })
}
