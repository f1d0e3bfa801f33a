//! A mark for tables that do not follow from the changes to keys alone.

/// True once something has changed the tables that is no change of keys or values.
#[derive(Debug, Default)]
pub(super) struct Upkeep(bool);

/// A clone has less room to grow than its original.
impl Clone for Upkeep {
    fn clone(&self) -> Self {
        Self(true)
    }
}

impl Upkeep {
    /// A base was loaded, keys were freed for being dead, or a value was copied for a base.
    pub(super) fn happened(&mut self) {
        self.0 = true;
    }

    /// Returns true if nothing of that has.
    pub(super) fn is_none(&self) -> bool {
        !self.0
    }
}
