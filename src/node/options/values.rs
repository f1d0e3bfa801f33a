//! The values in force: a field of the configuration each, or remembered beside it.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::{Config, Directive};

/// Values that were set, of directives that have no field of their own.
#[derive(Clone, Debug, Default)]
pub struct Values(BTreeMap<&'static str, Vec<u8>>);

impl Values {
    /// What a directive is set to, or its default.
    pub fn of(&self, directive: &Directive) -> Vec<u8> {
        let set = self.0.get(directive.name);
        set.map_or_else(|| directive.default.as_bytes().to_vec(), Vec::clone)
    }

    /// Remembers a value.
    pub fn set(&mut self, directive: &'static Directive, value: Vec<u8>) {
        self.0.insert(directive.name, value);
    }
}

impl Config {
    /// What a directive is set to, as CONFIG GET shows it.
    pub fn value_of(&self, directive: &Directive) -> Vec<u8> {
        match directive.field {
            Some(field) => (field.get)(self),
            None => self.values.of(directive),
        }
    }

    /// Sets a directive to a value that its form has made.
    pub fn set_value(&mut self, directive: &'static Directive, value: Vec<u8>) {
        match directive.field {
            Some(field) => (field.set)(self, &value),
            None => self.values.set(directive, value),
        }
    }
}
