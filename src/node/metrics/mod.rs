//! The figures that INFO and SLOWLOG show.

pub(super) mod figures;
pub(super) mod slowlog;
pub(super) mod stats;
