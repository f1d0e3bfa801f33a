//! An option that acts is read somewhere: by its name, or by the field of the configuration that it
//! sets.

use std::fs;
use std::path::PathBuf;

use super::source;

/// The fields that methods of the configuration itself read.
const READ_BY_METHODS: [&str; 4] = [
    "taken_away",
    "remembered",
    "lfu_log_factor",
    "lfu_decay_minutes",
];

#[test]
fn every_option_acts_and_every_field_of_the_configuration_is_read() {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap());
    let read = |below: &str| fs::read_to_string(root.join(below)).unwrap();
    let mut files = Vec::new();
    super::collect(&root.join("src"), &mut files);
    let is_reader = |path: &&PathBuf| {
        let below = path.strip_prefix(&root).unwrap();
        !below.starts_with("src/node/config")
            && !below.components().any(|c| c.as_os_str() == "tests")
    };
    let readers: Vec<String> = { files.iter() }
        .filter(is_reader)
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let config = read("src/node/config/mod.rs");
    let fields = fields_of(&config);
    assert!(fields.len() > 30, "{fields:?}");
    let mut unread = unread(&fields, &readers);
    unread.retain(|field| !READ_BY_METHODS.contains(field));
    assert!(unread.is_empty(), "no code reads these fields: {unread:?}");

    let table = read("src/node/config/options/table.rs");
    let options = options_without_field(&table);
    assert!(options.len() > 10, "{options:?}");
    let is_named = |name: &&str| {
        readers
            .iter()
            .any(|text| text.contains(&format!("\"{name}\"")))
    };
    let unnamed: Vec<&str> = options.into_iter().filter(|name| !is_named(name)).collect();
    assert!(
        unnamed.is_empty(),
        "no code asks for these options: {unnamed:?}"
    );
}

/// The fields that no code names.
fn unread<'a>(fields: &[&'a str], readers: &[String]) -> Vec<&'a str> {
    let codes: Vec<String> = readers.iter().map(|text| source::code_only(text)).collect();
    let names = |code: &String, field: &str| {
        let wanted = format!(".{field}");
        code.match_indices(&wanted).any(|(at, found)| {
            let behind = code[at + found.len()..].chars().next();
            !behind.is_some_and(|c| c.is_alphanumeric() || c == '_')
        })
    };
    let is_read = |field: &&&str| codes.iter().any(|code| names(code, field));
    fields
        .iter()
        .filter(|field| !is_read(field))
        .copied()
        .collect()
}

/// The public fields of `Config`.
fn fields_of(source: &str) -> Vec<&str> {
    let lines = { source.lines() }.skip_while(|line| *line != "pub struct Config {");
    let body = lines.skip(1).take_while(|line| *line != "}");
    body.filter_map(|line| line.trim_start().strip_prefix("pub ")?.split_once(':'))
        .map(|(name, _)| name)
        .collect()
}

/// The options of the table that set no field of the configuration.
fn options_without_field(table: &str) -> Vec<&str> {
    let rows = table.split("\n    acts(\"").skip(1);
    let plain = rows.filter(|row| ![".of(", ".open("].iter().any(|sets| row.contains(sets)));
    plain.filter_map(|row| row.split('"').next()).collect()
}

#[test]
fn a_field_that_nobody_reads_is_found() {
    let readers = ["let a = config.timeout_s; // config.witness".to_owned()];
    let fields = ["timeout_s", "timeout", "witness"];
    assert_eq!(unread(&fields, &readers), ["timeout", "witness"]);
    let table = "\n    acts(\"a\", 1)\n        .open(x),\n    acts(\"b\",\n 2),\n";
    assert_eq!(options_without_field(table), ["b"]);
    let config = "pub struct Config {\n    /// It.\n    pub id: u8,\n}\npub no: u8,";
    assert_eq!(fields_of(config), ["id"]);
}
