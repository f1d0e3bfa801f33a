//! The allocator, and that it gives back to the system what nobody uses.
//!
//! mimalloc purges what was freed some milliseconds ago when somebody allocates or frees; while
//! nobody does, it keeps all. So it is told to look for that again and again.

use std::time::Duration;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How often it looks. What was freed meanwhile is what one look costs: about 15 ms for a GiB, and
/// microseconds where nothing was.
const EVERY: Duration = Duration::from_millis(100);

/// Gives back, for ever, what the thread that runs this has freed.
pub(crate) async fn give_back() {
    loop {
        tokio::time::sleep(EVERY).await;
        collect();
    }
}

#[expect(
    unsafe_code,
    reason = "the one call of the allocator that its crate offers only as the C function it is"
)]
fn collect() {
    // SAFETY: `mi_collect` takes no pointer and asks for no state: it may be called at any time, by
    // any thread, and frees only what was given to `free` before. Unforced, it does no more than an
    // allocation may do by itself.
    unsafe { libmimalloc_sys::mi_collect(false) }
}
