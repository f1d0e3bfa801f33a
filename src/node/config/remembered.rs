//! Values of directives that have no field of their own: they are remembered for those who ask.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// The values that were set, by the name of the directive.
#[derive(Clone, Debug, Default)]
pub struct Remembered(BTreeMap<&'static str, Vec<u8>>);

impl Remembered {
    /// Returns the value that a directive was set to; nothing where it has its default.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.get(name).map(Vec::as_slice)
    }

    /// Remembers a value.
    pub fn set(&mut self, name: &'static str, value: Vec<u8>) {
        self.0.insert(name, value);
    }
}
