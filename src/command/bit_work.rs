//! Bits of strings on their way from piece to piece of a long command.

use alloc::vec::Vec;

use crate::store::NewText;

/// Strings that are joined bit by bit into a new one.
#[derive(Clone, Debug, Default)]
pub(super) struct Joining {
    /// How many of the sources were looked at.
    pub(super) looked: usize,
    /// The length of the longest.
    pub(super) longest: usize,
    /// The string that is made of them, so far.
    pub(super) made: NewText,
    /// The next piece of it, as far as the sources before `next` make it.
    pub(super) piece: Vec<u8>,
    /// The source that is joined next.
    pub(super) next: usize,
}

/// The fate of a number that does not fit its field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Overflow {
    /// Its high bits are lost.
    #[default]
    Wrap,
    /// It becomes the nearest that fits.
    Saturate,
    /// It is not written.
    Fail,
}

/// How far a command with fields of bits has come.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    /// All words are read and found good.
    pub(super) is_read: bool,
    /// The place of the word that is next.
    pub(super) word: usize,
    /// The way to overflow that is in force there.
    pub(super) overflow: Overflow,
    /// How many fields there are.
    pub(super) count: usize,
    /// The length that the string has at least when all are written; 0: none is.
    pub(super) least_bytes: usize,
    /// The string while fields are written, if it is short enough to be copied.
    pub(super) text: Option<Vec<u8>>,
    /// A field holds another number, or may be one of a longer string.
    pub(super) has_changed: bool,
}
