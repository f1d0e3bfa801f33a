//! docs/COMMANDS.md is what the table of commands says.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use seedis::command::row::{Kind, Row};
use seedis::command::table;

const BEGIN: &str = "<!-- from here on the page is made from the table of commands -->\n";

#[test]
fn the_page_of_commands_is_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/COMMANDS.md");
    let page = fs::read_to_string(&path).unwrap();
    let (written, listed) = page
        .split_once(BEGIN)
        .expect("the mark behind which the list begins is gone");
    let wanted = list();
    if listed == wanted {
        return;
    }
    let again = std::env::var_os("UPDATE_DOCS").is_some();
    if again {
        fs::write(&path, format!("{written}{BEGIN}{wanted}")).unwrap();
    }
    assert!(
        again,
        "docs/COMMANDS.md is not what the table says; make it anew: \
         UPDATE_DOCS=1 cargo test --test it commands"
    );
}

/// The list, group by group, in the order of the alphabet.
fn list() -> String {
    let mut groups: BTreeMap<&str, BTreeMap<&str, &Row>> = BTreeMap::new();
    for row in table::all() {
        groups
            .entry(row.group.name())
            .or_default()
            .insert(row.name, row);
    }
    let mut text = String::new();
    for (group, rows) in groups {
        let _ = write!(
            text,
            "\n## {group}\n\n| command | is | what it does | work |\n|---|---|---|---|\n"
        );
        for row in rows.values() {
            let name = row.name.to_ascii_uppercase().replace('|', " ");
            let summary = row.summary.replace('|', "\\|");
            let work = match row.kind {
                Kind::Container => String::new(),
                _ => row.complexity.trim_end_matches('.').replace('|', "\\|"),
            };
            let _ = writeln!(text, "| {name} | {} | {summary} | {work} |", kind(row));
        }
    }
    text
}

fn kind(row: &Row) -> &'static str {
    match row.kind {
        Kind::Read(_) => "a read",
        Kind::Write(_) => "a write",
        Kind::Script(verb) if verb.only_reads => "a script that reads",
        Kind::Script(_) => "a script",
        Kind::Session(_) => "about the connection",
        Kind::Server(_) => "about the server",
        Kind::Container => "a container",
    }
}
