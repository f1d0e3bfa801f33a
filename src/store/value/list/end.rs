//! The two ends of a list.

use crate::store::value::run::{Items, take_first, take_last};
use crate::store::value::string::Text;

/// One end of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The head, which Redis calls left.
    Front,
    /// The tail, which Redis calls right.
    Back,
}

impl End {
    /// The other end.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Front => Self::Back,
            Self::Back => Self::Front,
        }
    }
}

impl<'a> Items<'a> {
    /// Takes the item off at one end.
    pub(super) fn take_at(&mut self, end: End) -> Option<Text<'a>> {
        match end {
            End::Front => take_first(&mut self.0),
            End::Back => take_last(&mut self.0),
        }
    }
}
