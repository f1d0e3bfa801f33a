//! The values in force: a field of the configuration each, or remembered beside it.

use alloc::vec::Vec;

use super::Directive;
use crate::node::config::Config;

impl Config {
    /// Returns the value that a directive is set to, as CONFIG GET shows it.
    pub fn value_of(&self, directive: &Directive) -> Vec<u8> {
        if let Some(field) = directive.field {
            return (field.get)(self);
        }
        let set = self.remembered.get(directive.name);
        set.unwrap_or(directive.default.as_bytes()).to_vec()
    }

    /// Sets a directive to a value that its form has made.
    pub fn set_value(&mut self, directive: &'static Directive, value: Vec<u8>) {
        match directive.field {
            Some(field) => (field.set)(self, &value),
            None => self.remembered.set(directive.name, value),
        }
    }
}
