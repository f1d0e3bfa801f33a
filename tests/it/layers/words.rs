//! Words that went do not come back: the glossary lists them, with what is said instead.

use std::fs;
use std::path::Path;

/// The words of the glossary's second table.
pub(super) fn retired(root: &Path) -> Vec<String> {
    let page = fs::read_to_string(root.join("docs/GLOSSARY.md")).unwrap();
    let (_, table) = page.split_once("## Words that went").unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| "));
    let cells = rows.filter_map(|row| row.split('|').next());
    let words = cells.flat_map(|cell| cell.split(','));
    let words = words.map(|word| word.trim().to_lowercase());
    words
        .filter(|word| word != "word" && !word.is_empty())
        .collect()
}

/// The places where a text has one of these words: alone, or as a part of a name. Gives line and
/// word.
pub(super) fn found(text: &str, retired: &[String]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        for name in line.split(|letter: char| !letter.is_alphabetic()) {
            let parts = parts(name);
            found.extend(
                parts
                    .into_iter()
                    .filter(|part| retired.contains(part))
                    .map(|part| (number, part)),
            );
        }
    }
    found
}

/// The words of a name: `LastEffect` has two.
fn parts(name: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut was_small = false;
    for letter in name.chars() {
        if parts.is_empty() || (letter.is_uppercase() && was_small) {
            parts.push(String::new());
        }
        was_small = letter.is_lowercase();
        if let Some(part) = parts.last_mut() {
            part.extend(letter.to_lowercase());
        }
    }
    parts
}
