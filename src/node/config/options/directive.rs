//! The parts of a directive: its name, form and default, who may change it, and its meaning here.

use alloc::vec::Vec;

use super::form::Form;
use crate::node::config::Config;

/// One directive.
#[derive(Clone, Copy, Debug)]
pub struct Directive {
    /// Its name in files and in CONFIG; behind `--` an argument's.
    pub name: &'static str,
    /// An older name of the same; empty: there is none.
    pub alias: &'static str,
    /// Its value where nobody says anything, as CONFIG GET shows it.
    pub default: &'static str,
    /// The values that it may have.
    pub form: Form,
    /// The access that CONFIG SET has to it.
    pub access: Access,
    /// Its meaning here.
    pub meaning: Meaning,
    /// Its effect, in one sentence, for those who ask for help.
    pub help: &'static str,
    /// The place where the node keeps its value, if it has one of its own.
    pub(super) field: Option<Field>,
}

/// The access that CONFIG SET has to a directive: when it may be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// At any time.
    Open,
    /// Only at the start.
    Immutable,
    /// Only at the start, since it would let a client write where it likes.
    Protected,
    /// Only at the start, and CONFIG GET does not show it.
    Hidden,
}

/// The meaning of a directive here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// It acts.
    Acts,
    /// Redis has it. Nobody is harmed by its doing nothing here, whatever its value; it is
    /// remembered, and said once.
    Needless,
    /// Redis has it. A value that is not in force here is taken at the start with these words, and
    /// CONFIG GET goes on to show the one that is.
    Fixed(&'static str),
    /// Redis has it. A value that is not in force here would be a promise that harms who relies on
    /// it: it is refused with these words.
    Refused(&'static str),
}

/// How a directive reaches its field.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub(super) get: fn(&Config) -> Vec<u8>,
    pub(super) set: fn(&mut Config, &[u8]),
}

/// Directives whose values are nobody's business.
const SECRETS: [&str; 5] = [
    "requirepass",
    "masterauth",
    "cluster-secret",
    "tls-key-file-pass",
    "tls-client-key-file-pass",
];

impl Directive {
    /// Returns true if its value must not be shown to people.
    pub fn is_secret(&self) -> bool {
        SECRETS.contains(&self.name) || self.name == "user"
    }
}
