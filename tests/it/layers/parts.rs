//! A node is cut into parts, and does not grow together again.

use std::fs;
use std::path::PathBuf;

/// The files of `src/node` that have methods of the whole node and may reach all of its parts, and
/// the fields of a node. Both numbers may become smaller, not larger: a method belongs to the part
/// whose fields it needs (`docs/decisions/0019-node-in-parts.md`).
const WHOLE_NODE_FILES: usize = 27;
const NODE_FIELDS: usize = 16;

#[test]
fn a_node_stays_cut_into_parts() {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap());
    let mut files = Vec::new();
    super::collect(&root.join("src/node"), &mut files);
    let sources = files.iter().map(|file| fs::read_to_string(file).unwrap());
    let whole = sources.filter(|source| has_methods_of_node(source)).count();
    assert_eq!(whole, WHOLE_NODE_FILES, "files with `impl Node`");
    let source = fs::read_to_string(root.join("src/node/mod.rs")).unwrap();
    assert_eq!(fields_of_node(&source), NODE_FIELDS, "fields of `Node`");

    assert!(has_methods_of_node("use x;\nimpl Node {\n}\n"));
    assert!(!has_methods_of_node(
        "impl Clients {\n    // impl Node {\n}\n"
    ));
    let planted = "pub struct Node {
    /// One.
    a: u8,
    b: Vec<u8>,
}
fn f() {}
";
    assert_eq!(fields_of_node(planted), 2);
}

fn has_methods_of_node(source: &str) -> bool {
    source.lines().any(|line| line == "impl Node {")
}

fn fields_of_node(source: &str) -> usize {
    let lines = source
        .lines()
        .skip_while(|line| *line != "pub struct Node {");
    let body = lines.skip(1).take_while(|line| *line != "}");
    body.filter(|line| !line.trim_start().starts_with("//"))
        .count()
}
