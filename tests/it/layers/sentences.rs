//! Sentences begin with their subject: "The term of …", "Returns true if …", and not with a clause.

use std::fs;
use std::path::{Path, PathBuf};

/// A sentence that begins with one of these makes its reader look for the subject.
const CLAUSES: [&str; 9] = [
    "What", "Whatever", "Where", "Wherever", "Whether", "Who", "Whoever", "Whom", "Whose",
];

/// Below these folders so many sentences of doc comments begin so. The numbers may only fall; all
/// other folders have none.
const STANDING: [(&str, usize); 0] = [];

/// The folders of all doc comments.
const SOURCES: [&str; 5] = ["src", "sim", "fuzz", "tests", "examples"];

#[test]
fn doc_comments_begin_with_their_subject() {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap());
    let mut found: [Vec<String>; STANDING.len()] = Default::default();
    let mut complaints = Vec::new();
    for folder in SOURCES {
        for path in files_below(&root.join(folder), "rs") {
            let name = path.strip_prefix(&root).unwrap().display().to_string();
            let text = fs::read_to_string(&path).unwrap();
            let lines = clauses(&comments(&text)).map(|number| format!("{name}:{number}"));
            let known = STANDING.iter().position(|(part, _)| name.starts_with(part));
            match known {
                Some(known) => found[known].extend(lines),
                None => complaints.extend(lines),
            }
        }
    }
    for ((part, most), found) in STANDING.iter().zip(found) {
        if found.len() > *most {
            let (found, last) = (found.len(), found.last());
            complaints.push(format!(
                "{part} has {found}, {most} are allowed; the last is {last:?}"
            ));
        }
    }
    assert!(
        complaints.is_empty(),
        "these sentences begin with a clause:\n{}",
        complaints.join("\n")
    );
}

#[test]
fn pages_begin_their_sentences_with_the_subject() {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap());
    let mut pages = files_below(&root.join("docs"), "md");
    pages.extend(["README.md", "CONTRIBUTING.md", "SECURITY.md"].map(|page| root.join(page)));
    pages.push(root.join("fuzz/README.md"));
    let mut complaints = Vec::new();
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        let lines = clauses(&prose(&text)).map(|number| format!("{}:{number}", page.display()));
        complaints.extend(lines);
    }
    assert!(
        complaints.is_empty(),
        "these sentences begin with a clause:\n{}",
        complaints.join("\n")
    );
}

/// A line of text, with its number; an empty one ends a paragraph.
type Line = (usize, String);

/// The doc comments of a source file.
fn comments(source: &str) -> Vec<Line> {
    let lines = (1..).zip(source.lines().map(str::trim_start));
    let texts = lines.map(|(number, line)| {
        let text = line
            .strip_prefix("///")
            .or_else(|| line.strip_prefix("//!"));
        (number, text.unwrap_or_default().trim().to_owned())
    });
    texts.collect()
}

/// The prose of a page: no code, no tables, no headings.
fn prose(page: &str) -> Vec<Line> {
    let mut is_code = false;
    let texts = (1..).zip(page.lines()).map(|(number, line)| {
        let line = line.trim();
        let is_fence = line.starts_with("```");
        is_code ^= is_fence;
        let is_other = is_code || is_fence || line.starts_with(['|', '#', '<']);
        (number, if is_other { "" } else { line }.to_owned())
    });
    texts.collect()
}

/// The lines in which a sentence begins with a clause, once for each. Questions may.
fn clauses(lines: &[Line]) -> impl Iterator<Item = usize> + use<> {
    let mut sentences: Vec<Line> = Vec::new();
    let mut is_open = false;
    for (number, line) in lines {
        let item = line.strip_prefix("* ").or_else(|| line.strip_prefix("- "));
        is_open &= !line.is_empty() && item.is_none();
        for word in item.unwrap_or(line).split_whitespace() {
            match sentences.last_mut() {
                Some((_, sentence)) if is_open => {
                    sentence.push(' ');
                    sentence.push_str(word);
                }
                _ => sentences.push((*number, word.to_owned())),
            }
            is_open = !word
                .trim_end_matches(['*', ')', '"'])
                .ends_with(['.', '!', '?']);
        }
    }
    let found = sentences.into_iter().filter(|(_, sentence)| {
        let first = sentence.split_whitespace().next().unwrap_or_default();
        let first = first.trim_matches(|letter: char| !letter.is_alphanumeric());
        CLAUSES.contains(&first) && !sentence.ends_with('?')
    });
    found.map(|(number, _)| number)
}

pub(super) fn files_below(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            files.extend(files_below(&path, ending));
        } else if path.extension().is_some_and(|found| found == ending) {
            files.push(path);
        }
    }
    files.sort();
    files
}

#[test]
fn a_planted_clause_is_seen() {
    let source =
        "//! What it is.\n/// The term. Whether it\n/// counts.\n/// It says\n/// what it is.\n";
    assert_eq!(clauses(&comments(source)).collect::<Vec<_>>(), [1, 2]);
    let page = "What comes next?\n\n# Where it is\n\n* **Who asks.** The client.\n| Who |\n";
    assert_eq!(clauses(&prose(page)).collect::<Vec<_>>(), [5]);
}
