//! A source file and other versions of it that differ in the bodies of functions: one file with all
//! of them, in which a switch chooses the version.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;

use proc_macro2::TokenStream;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

/// The bodies that a version has in the place of others, by the numbers of their functions.
pub type Bodies = BTreeMap<usize, String>;

/// The bodies in which a version differs; nothing if it differs in anything else.
pub fn changed(source: &str, version: &str) -> Result<Option<Bodies>, syn::Error> {
    let (old, new) = (bodies(source)?, bodies(version)?);
    if old.len() != new.len() || tokens(&without(source, &old))? != tokens(&without(version, &new))?
    {
        return Ok(None);
    }
    let mut changed = Bodies::new();
    for (number, (old, new)) in old.into_iter().zip(new).enumerate() {
        let new = &version[new];
        if tokens(&source[old])? != tokens(new)? {
            changed.insert(number, new.to_owned());
        }
    }
    Ok(Some(changed))
}

/// The source with the bodies of all versions, each with the number of its switch.
pub fn merged(source: &str, versions: &[(usize, &Bodies)]) -> Result<String, syn::Error> {
    let (mut text, mut at) = (String::with_capacity(source.len() * 2), 0);
    for (function, body) in bodies(source)?.into_iter().enumerate() {
        text += &source[at..body.start];
        let mut choice = String::new();
        for (number, others) in versions {
            if let Some(other) = others.get(&function) {
                _ = write!(choice, "if crate::mutant::is({number}) {other} else ");
            }
        }
        let own = &source[body.clone()];
        if choice.is_empty() {
            text += own;
        } else {
            _ = write!(text, "{{ {choice}{own} }}");
        }
        at = body.end;
    }
    Ok(text + &source[at..])
}

/// The bodies of a file by their places, with their braces, but those within others.
fn bodies(source: &str) -> Result<Vec<Range<usize>>, syn::Error> {
    let mut finder = Finder { found: Vec::new() };
    finder.visit_file(&syn::parse_file(source)?);
    Ok(finder.found)
}

/// The source without these bodies.
fn without(source: &str, bodies: &[Range<usize>]) -> String {
    let (mut text, mut at) = (String::with_capacity(source.len()), 0);
    for body in bodies {
        text += &source[at..body.start];
        text += "{}";
        at = body.end;
    }
    text + &source[at..]
}

/// The code without comments and spaces, so that two texts of the same code are equal.
fn tokens(source: &str) -> Result<String, syn::Error> {
    Ok(source.parse::<TokenStream>()?.to_string())
}

/// Finds the outermost bodies.
struct Finder {
    found: Vec<Range<usize>>,
}

impl Finder {
    /// A body whose function is evaluated at compile time cannot ask for a switch.
    fn add(&mut self, signature: &syn::Signature, block: &syn::Block) {
        if signature.constness.is_none() {
            self.found.push(block.span().byte_range());
        }
    }
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.add(&item.sig, &item.block);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.add(&item.sig, &item.block);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.add(&item.sig, block);
        } else {
            visit::visit_trait_item_fn(self, item);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "
        /// It is one.
        fn one(a: u8) -> u8 { a + 1 }
        impl Two { fn two(&self) -> u8 { fn inner() -> u8 { 7 } self.0 } }
        const fn three() -> u8 { 3 }
    ";

    fn changed_by(from: &str, to: &str) -> Option<Bodies> {
        assert!(SOURCE.contains(from), "{from}");
        changed(SOURCE, &SOURCE.replace(from, to)).expect("code")
    }

    #[test]
    fn bodies_differ_by_their_tokens() {
        let bodies = changed_by("a + 1", "a + 2 /* why not */").expect("a body alone");
        assert_eq!(bodies.keys().collect::<Vec<_>>(), [&0]);
        assert_eq!(
            changed_by("a + 1", "a\n  + 1 /* why */").expect("nothing"),
            Bodies::new()
        );
        let inner = changed_by("7", "8").expect("a body alone");
        assert!(inner[&1].contains("fn inner() -> u8 { 8 }"), "{inner:?}");
    }

    #[test]
    fn whatever_else_differs_needs_a_build_of_its_own() {
        assert_eq!(changed_by("a: u8", "a: u16"), None);
        assert_eq!(changed_by("{ 3 }", "{ 4 }"), None);
        assert_eq!(changed_by("const fn", "fn new() {} const fn"), None);
        assert_eq!(changed_by("It is one", "It is two"), None);
    }

    #[test]
    fn a_switch_chooses_the_body() {
        let first = changed_by("a + 1", "a + 2").expect("a body alone");
        let second = changed_by("{ a + 1 }", "{ let a = a; a - 1 }").expect("a body alone");
        let third = changed_by("self.0", "self.1").expect("a body alone");
        let merged = merged(SOURCE, &[(4, &first), (7, &second), (9, &third)]).expect("code");
        syn::parse_file(&merged).expect("code");
        let one = "fn one(a: u8) -> u8 { if crate::mutant::is(4) { a + 2 } else \
            if crate::mutant::is(7) { let a = a; a - 1 } else { a + 1 } }";
        assert!(merged.contains(one), "{merged}");
        let two = "if crate::mutant::is(9) { fn inner() -> u8 { 7 } self.1 } else \
            { fn inner() -> u8 { 7 } self.0 }";
        assert!(merged.contains(two), "{merged}");
        assert_eq!(merged.matches("is(").count(), 3);
    }
}
