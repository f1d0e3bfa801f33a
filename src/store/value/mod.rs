//! The types of values: one folder for each, and the packed form that small ones share.

pub(super) mod hash;
pub(super) mod packed;
pub(super) mod string;
