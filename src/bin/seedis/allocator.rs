//! The allocator, and that it gives back to the system what nobody uses.
//!
//! mimalloc purges what was freed some milliseconds ago when somebody allocates or frees; while
//! nobody does, it keeps all. So it is told to look for that again and again.
//!
//! And it asks for huge pages, of which the system hands out two MiB where four KiB are needed. In
//! a large process they save time and cost nothing; in a small one they are most of its memory, so
//! that it gets none.

use std::time::Duration;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How often it looks. One look costs as much as was freed meanwhile: about 15 ms for a GiB, and
/// microseconds if nothing was.
const EVERY: Duration = Duration::from_millis(100);

/// Gives back, for ever, what the thread that runs this has freed.
pub(crate) async fn give_back() {
    loop {
        tokio::time::sleep(EVERY).await;
        collect();
    }
}

/// From this size on a process gets huge pages, and below half of it none.
#[cfg(target_os = "linux")]
const HUGE_FROM_BYTES: u64 = 512 << 20;

/// Takes huge pages, or leaves them, as it befits a process of this size. If the system does not
/// listen, nothing is lost but memory.
#[cfg(target_os = "linux")]
pub(crate) fn fit(resident_bytes: u64) {
    use rustix::thread::{disable_transparent_huge_pages, transparent_huge_pages_are_disabled};
    let without = transparent_huge_pages_are_disabled().unwrap_or(false);
    let least = HUGE_FROM_BYTES / if without { 1 } else { 2 };
    if without != (resident_bytes < least) {
        _ = disable_transparent_huge_pages(!without);
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn fit(_resident_bytes: u64) {}

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
