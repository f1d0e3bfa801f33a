//! The pages are whole: links and paths lead somewhere, options are told, lines are short.

use std::fs;
use std::path::{Path, PathBuf};

use seedis::node::options::{self, Meaning};

/// How a path begins that is meant from the root of the tree.
const ROOTS: [&str; 7] = ["src/", "sim/", "tests/", "docs/", "conf/", "fuzz/", ".ci/"];

/// The folders whose pages are tested.
const FOLDERS: [&str; 6] = [
    "",
    "docs",
    "docs/decisions",
    "fuzz",
    "tests/transcripts",
    "tests/outside",
];

/// Lines of prose have at most so many characters; tables, code and headings may have more.
const COLUMNS_MAX: usize = 100;

#[test]
fn links_and_paths_lead_somewhere() {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap());
    let mut lost = Vec::new();
    for page in &pages(&root) {
        let text = fs::read_to_string(page).unwrap();
        let folder = page.parent().unwrap();
        lost.extend(lost_in(&text, folder, &root, &page.display().to_string()));
    }
    assert!(lost.is_empty(), "these lead nowhere:\n{}", lost.join("\n"));
}

#[test]
fn pages_wrap_like_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut long = Vec::new();
    for page in &pages(root) {
        // Its lines are one sentence each, and stay as they were written at their time.
        if page.ends_with("CHANGELOG.md") {
            continue;
        }
        let text = fs::read_to_string(page).unwrap();
        let lines = too_long(&text);
        long.extend(lines.map(|number| format!("{}:{number}", page.display())));
    }
    assert!(
        long.is_empty(),
        "lines of more than {COLUMNS_MAX} characters:\n{}",
        long.join("\n")
    );
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

/// Every page of the tree, in order.
fn pages(root: &Path) -> Vec<PathBuf> {
    let mut pages = Vec::new();
    for folder in FOLDERS {
        let Ok(entries) = fs::read_dir(root.join(folder)) else {
            continue;
        };
        let paths = entries.map(|entry| entry.unwrap().path());
        pages.extend(paths.filter(|path| path.extension().is_some_and(|ext| ext == "md")));
    }
    pages.sort();
    assert!(pages.len() > 5, "only {} pages were found", pages.len());
    pages
}

/// The numbers of the lines of prose that are too long. A line that is one word cannot be broken.
fn too_long(text: &str) -> impl Iterator<Item = usize> {
    let mut is_code = false;
    let lines = (1..).zip(text.lines());
    let long = lines.filter(move |(_, line)| {
        let start = line.trim_start();
        let is_fence = start.starts_with("```");
        is_code ^= is_fence;
        let is_prose = !is_code && !is_fence && !start.starts_with(['|', '#']);
        is_prose && line.chars().count() > COLUMNS_MAX && start.contains(' ')
    });
    long.map(|(number, _)| number)
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

/// The code spans that are one path from the root, without wildcards or placeholders.
fn paths(line: &str) -> impl Iterator<Item = &str> {
    let quoted = line.split('`').skip(1).step_by(2);
    let words = quoted.filter_map(|quoted| quoted.split_whitespace().next());
    words.filter(|word| {
        let is_from_root = ROOTS.iter().any(|prefix| word.starts_with(prefix));
        let is_pattern = word.contains(|letter: char| "*{}<>…:".contains(letter));
        is_from_root && !is_pattern && !word.contains("NAME")
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

#[test]
fn a_planted_long_line_is_seen() {
    let long = "word ".repeat(21);
    let page = format!("{long}\n| {long} |\n```\n{long}\n```\n# {long}\n* {long}\nshort\n");
    assert_eq!(too_long(&page).collect::<Vec<_>>(), [1, 7]);
    assert_eq!(too_long(&"x".repeat(120)).count(), 0);
}
