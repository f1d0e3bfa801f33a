//! What the pages point to is there: links, and files that they name.

use std::fs;
use std::path::{Path, PathBuf};

use seedis::node::options::{self, Meaning};

/// How a path begins that is meant from the root of the tree.
const ROOTS: [&str; 7] = ["src/", "sim/", "tests/", "docs/", "conf/", "fuzz/", ".ci/"];

#[test]
fn links_and_paths_lead_somewhere() {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap());
    let mut pages = Vec::new();
    for folder in ["", "docs", "docs/decisions", "fuzz", "sim", "tests/outside"] {
        let Ok(entries) = fs::read_dir(root.join(folder)) else {
            continue;
        };
        let paths = entries.map(|entry| entry.unwrap().path());
        pages.extend(paths.filter(|path| path.extension().is_some_and(|ext| ext == "md")));
    }
    pages.sort();
    assert!(pages.len() > 5, "only {} pages were found", pages.len());
    let mut lost = Vec::new();
    for page in &pages {
        let text = fs::read_to_string(page).unwrap();
        let folder = page.parent().unwrap();
        lost.extend(lost_in(&text, folder, &root, &page.display().to_string()));
    }
    assert!(lost.is_empty(), "these lead nowhere:\n{}", lost.join("\n"));
}

#[test]
fn every_option_that_acts_is_on_the_page_for_operators() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/OPERATING.md")).unwrap();
    let acting = options::all().filter(|option| option.meaning == Meaning::Acts);
    for option in acting.filter(|option| !option.name.starts_with("debug-")) {
        let name = format!("`{}", option.name);
        assert!(page.contains(&name), "{name} is missing");
    }
}

/// Every link and path of a page that leads nowhere, with its line.
fn lost_in(text: &str, folder: &Path, root: &Path, page: &str) -> Vec<String> {
    let mut lost = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        for link in links(line) {
            let file = link.split('#').next().unwrap_or_default();
            let elsewhere = link.contains("://") || file.is_empty();
            if !elsewhere && !folder.join(file).exists() {
                lost.push(format!("{page}:{number}: the link {link}"));
            }
        }
        for path in paths(line) {
            if !root.join(path).exists() {
                lost.push(format!("{page}:{number}: the path {path}"));
            }
        }
    }
    lost
}

/// The targets of `[text](target)`.
fn links(line: &str) -> impl Iterator<Item = &str> {
    let ends = line.split("](").skip(1);
    ends.filter_map(|rest| rest.split(')').next())
}

/// What stands in backticks and is one path from the root, without wildcards or placeholders.
fn paths(line: &str) -> impl Iterator<Item = &str> {
    let quoted = line.split('`').skip(1).step_by(2);
    let words = quoted.filter_map(|quoted| quoted.split_whitespace().next());
    words.filter(|word| {
        let is_from_root = ROOTS.iter().any(|prefix| word.starts_with(prefix));
        is_from_root && !word.contains(|letter: char| "*{}<>…:".contains(letter))
    })
}

#[test]
fn a_planted_page_is_seen_through() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let lost = |text: &str| lost_in(text, &root.join("docs"), root, "page").len();
    assert_eq!(
        lost("[a](../README.md) [b](https://example.org/x) [c](#here) `src/lib.rs`"),
        0
    );
    assert_eq!(lost("`src/{a,b}/*.rs`, `sim run SEED`, `cargo test`"), 0);
    assert_eq!(
        lost("[a](README.md), and `src/gone.rs` and `tests/gone.sh -x`"),
        3
    );
}
