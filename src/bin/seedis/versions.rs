//! The versions of entries that this process knows.

use seedis::node::versions::ENTRY_VERSIONS;

/// A variable by which tests let a debug build stand for the binary of another version: the newest
/// version of entries that it shall know. A release build does not look at it.
const NEWEST: &str = "ENTRY_VERSION_FOR_TESTS";

/// The oldest and the newest version.
pub(crate) fn known() -> (u8, u8) {
    let (oldest, newest) = ENTRY_VERSIONS;
    let told = cfg!(debug_assertions).then(|| crate::config::variable(NEWEST));
    let told = told.flatten().and_then(|text| text.parse().ok());
    (oldest, told.unwrap_or(newest))
}
