//! A library as it is kept: its text, and the functions that it has registered.
//!
//! The functions follow from the text. They are kept beside it all the same, so that nobody has to
//! run a library to say what is in it.

use alloc::vec::Vec;

use super::ways::ScriptFlags;
use crate::{take, varint};

/// A function that a library has registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Registered {
    pub(super) name: Vec<u8>,
    pub(super) description: Option<Vec<u8>>,
    pub(super) flags: ScriptFlags,
}

impl Registered {
    /// The name by which it is found, in any case.
    pub(super) fn key(&self) -> Vec<u8> {
        self.name.to_ascii_lowercase()
    }
}

/// A library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Library {
    pub(super) name: Vec<u8>,
    /// Its functions, in the order of their names.
    pub(super) functions: Vec<Registered>,
    /// Its whole text.
    pub(super) text: Vec<u8>,
}

impl Library {
    /// The bytes as which it is kept under its name.
    pub(super) fn body(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(self.text.len() + 64);
        varint::put(&mut body, self.functions.len() as u64);
        for function in &self.functions {
            varint::put_bytes(&mut body, &function.name);
            let has_description = u8::from(function.description.is_some());
            body.push(function.flags.0 << 1 | has_description);
            if let Some(description) = &function.description {
                varint::put_bytes(&mut body, description);
            }
        }
        body.extend_from_slice(&self.text);
        body
    }

    /// The library of this name that is kept as these bytes.
    pub(super) fn of(name: &[u8], mut body: &[u8]) -> Option<Self> {
        let mut functions = Vec::new();
        for _ in 0..varint::take(&mut body)? {
            let name = varint::take_bytes(&mut body)?.to_vec();
            let flags = take::byte(&mut body)?;
            let description = if flags & 1 == 1 {
                Some(varint::take_bytes(&mut body)?.to_vec())
            } else {
                None
            };
            functions.push(Registered {
                name,
                description,
                flags: ScriptFlags(flags >> 1),
            });
        }
        Some(Self {
            name: name.to_vec(),
            functions,
            text: body.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_is_what_was_kept() {
        let function = |name: &[u8], description: Option<&[u8]>, flags| Registered {
            name: name.to_vec(),
            description: description.map(<[u8]>::to_vec),
            flags: ScriptFlags(flags),
        };
        let library = Library {
            name: b"lib".to_vec(),
            functions: [
                function(b"f", None, 0),
                function(b"G", Some(b"what it does"), 31),
                function(b"h", Some(b""), 1),
            ]
            .to_vec(),
            text: b"#!lua name=lib\n...".to_vec(),
        };
        let body = library.body();
        assert_eq!(Library::of(b"lib", &body), Some(library));
        assert_eq!(Library::of(b"lib", &body[..4]), None);
    }
}
