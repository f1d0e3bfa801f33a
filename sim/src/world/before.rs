//! The past of a member, as far as rare states are told by it.

/// The things that were true of a member behind its last turn, or have been in this life of its
/// process.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Before {
    /// A base is being written.
    pub(super) writes_base: bool,
    /// How often it has taken the state of another.
    pub(super) installed: u64,
    /// The last entry of its log, and the last that it knew to be committed.
    pub(super) last: u64,
    /// It led, and in which term.
    pub(super) led_in: Option<u64>,
    /// It campaigned, in which term.
    pub(super) campaigned_in: Option<u64>,
    pub(super) gave_up: bool,
    pub(super) had_lease: bool,
    pub(super) changing: bool,
    pub(super) was_removed: bool,
    pub(super) had_no_room: bool,
    pub(super) supplies: usize,
    pub(super) voters: usize,
}
