//! Libraries on their way into the state, from piece to piece of a long command.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::library::Library;
use super::loading::Loading;
use crate::command::dumping::Summed;

/// The libraries of FUNCTION LOAD, which is one, and of FUNCTION RESTORE.
#[derive(Clone, Debug, Default)]
pub(in crate::command) struct Installing {
    /// The checksum of the payload so far.
    pub(super) summed: Summed,
    /// How far the payload is read.
    pub(super) at: usize,
    /// The library that is being loaded, and its text.
    pub(super) loading: Option<(Box<Loading>, Vec<u8>)>,
    /// Those that are loaded.
    pub(super) libraries: Vec<Library>,
    /// The names of their functions, in small letters.
    pub(super) functions: BTreeSet<Vec<u8>>,
}
