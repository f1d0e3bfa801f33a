//! An element of a value, and the lack of one.

use alloc::borrow::Cow;
use alloc::string::ToString;

/// The bytes are no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadPayload;

/// An element that stands among others.
#[derive(Clone, Copy, Debug)]
pub(super) enum Element<'a> {
    Bytes(&'a [u8]),
    Integer(i64),
}

impl<'a> Element<'a> {
    /// Its bytes.
    pub(super) fn into_bytes(self) -> Cow<'a, [u8]> {
        match self {
            Self::Bytes(bytes) => Cow::Borrowed(bytes),
            Self::Integer(number) => Cow::Owned(number.to_string().into_bytes()),
        }
    }
}
