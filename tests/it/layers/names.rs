//! One name for one thing: a public type of the library shares its name with no other.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use super::sentences::files_below;

/// Names that several modules have for their own: there, the module says which is meant. A name
/// that is gone leaves the list; none comes to it.
const SHARED: [&str; 8] = [
    "Access",
    "Form",
    "Found",
    "Group",
    "Log",
    "Settings",
    "Unreadable",
    "Value",
];

#[test]
fn public_types_have_names_of_their_own() {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap());
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in files_below(&root.join("src"), "rs") {
        let name = path.strip_prefix(&root).unwrap().display().to_string();
        if name.starts_with("src/bin") {
            continue;
        }
        for found in types(&fs::read_to_string(&path).unwrap()) {
            places
                .entry(found.to_owned())
                .or_default()
                .push(name.clone());
        }
    }
    assert!(places.len() > 100, "only {} types were found", places.len());
    places.retain(|_, places| places.len() > 1);
    let (known, new): (Vec<_>, Vec<_>) = places
        .iter()
        .partition(|(name, _)| SHARED.contains(&name.as_str()));
    assert!(new.is_empty(), "two types of one name: {new:?}");
    assert_eq!(
        known.len(),
        SHARED.len(),
        "SHARED has a name that stands once"
    );
}

/// The public types that a file defines outside of modules and functions.
fn types(source: &str) -> impl Iterator<Item = &str> {
    const WORDS: [&str; 4] = ["pub enum ", "pub struct ", "pub trait ", "pub type "];
    source.lines().filter_map(|line| {
        let rest = WORDS.iter().find_map(|word| line.strip_prefix(word))?;
        rest.split(|letter: char| !letter.is_alphanumeric()).next()
    })
}

#[test]
fn a_planted_type_is_seen() {
    let source =
        "pub struct Place<'a> {\n    pub enum Inner\npub(crate) struct Own;\npub type A = u8;\n";
    assert_eq!(types(source).collect::<Vec<_>>(), ["Place", "A"]);
}
