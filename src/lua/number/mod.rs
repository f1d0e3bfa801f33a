//! Numbers as text and back, bit for bit alike on every platform.

pub(in crate::lua) mod arithmetic;
pub(in crate::lua) mod format;
pub(in crate::lua) mod parse;
