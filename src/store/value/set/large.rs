//! The large form of a set: a table of members alone.

use crate::store::value::table;

/// The entries of a set.
#[derive(Clone, Debug)]
pub(in crate::store) struct Members;

impl table::Of for Members {
    const TYPE: &'static str = "set";
    const HAS_VALUES: bool = false;
}

/// A large set.
pub(in crate::store) type Table = table::Table<Members>;
