//! The house rules as a test: who may name whom, and what every source file looks like.
//!
//! The compiler, the resolver and clippy keep three of the four locks (see `tests/locks.sh`); this
//! is the fourth.

mod circles;
mod names;
mod options;
mod parts;
mod sentences;
mod source;
mod words;

use std::fs;
use std::path::{Path, PathBuf};

/// The most lines of one file.
const LINES_MAX: usize = 600;
/// The most characters of one line.
const COLUMNS_MAX: usize = 100;

/// The ground, which every floor above may name.
const GROUND: [&str; 10] = [
    "checksum", "copying", "disk", "ids", "limits", "quoting", "rng", "take", "time", "varint",
];

/// Below `src/`: a module, and what it may name besides itself. A floor that is not the ground may
/// also name the ground.
const FLOORS: [(&str, &[&str]); 20] = [
    ("checksum", &["ids"]),
    ("copying", &[]),
    ("disk", &["ids"]),
    ("ids", &[]),
    ("limits", &["ids"]),
    ("quoting", &[]),
    ("rng", &["ids"]),
    ("take", &[]),
    ("time", &["ids"]),
    ("varint", &[]),
    ("aof", &[]),
    ("lua", &[]),
    ("raft", &[]),
    ("rdb", &[]),
    ("resp", &[]),
    ("store", &[]),
    ("command", &["lua", "rdb", "resp::reply", "store"]),
    ("session", &["command", "resp"]),
    (
        "node",
        &["aof", "command", "raft", "resp", "session", "store"],
    ),
    // The floor plan names modules and holds no code.
    ("lib", &[]),
];

/// Outside the core: a folder, and what it may name of the library besides the ground.
const DRIVERS: [(&str, &[&str]); 5] = [
    ("src/bin/seedis", &["node"]),
    // The judge reads the store, speaks RESP and reads the frames and the state of Raft; none of it
    // changes what a member does. See docs/decisions/0007-the-judge-reads-raft.md. What clients ask
    // follows from the rows of commands; what they are answered does not.
    (
        "sim",
        &[
            "command::flag",
            "command::grammar",
            "command::group",
            "command::row",
            "command::table",
            "node",
            "raft",
            "resp",
            "store",
        ],
    ),
    (
        "fuzz",
        &[
            "aof", "command", "lua", "node", "raft", "rdb", "resp", "store",
        ],
    ),
    // It knows the server as a program, like the peers beside it.
    ("tests/bench", &[]),
    (
        "tests",
        &[
            "aof", "command", "lua", "node", "raft", "rdb", "resp", "store",
        ],
    ),
];

#[test]
fn the_house_rules_hold() {
    // Cargo says where the package is; `tests/locks.sh` says where its copy with a violation is.
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap());
    let (files, complaints) = inspect(&root);
    assert!(
        files > 40,
        "only {files} source files were found below {}",
        root.display()
    );
    assert!(
        complaints.is_empty(),
        "{} complaints:\n{}",
        complaints.len(),
        complaints.join("\n")
    );
}

/// Circles that stand, by the one module by which each is known here, and how many files each has.
/// A number may become smaller; where a circle is gone its line goes too.
const CIRCLES: [(&str, &[(&str, usize)]); 3] = [
    ("src", &[("store", 7), ("store::dict", 2)]),
    (
        "sim/src",
        &[
            ("cli", 5),
            ("decisions::read", 3),
            ("draws", 2),
            ("judge", 11),
            ("linear", 4),
            ("model", 20),
            ("mutants", 6),
            ("replay::ask", 2),
            ("run", 2),
            ("shrink", 2),
            ("timeline", 2),
            ("workload", 2),
            ("world", 14),
        ],
    ),
    ("tests/bench/src", &[]),
];

#[test]
fn files_that_name_each_other_do_not_become_more() {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap());
    for (folder, known) in CIRCLES {
        let found = circles_below(&root.join(folder));
        let mut complaints = Vec::new();
        for circle in &found {
            let line = known
                .iter()
                .find(|(one, _)| circle.iter().any(|m| m == one));
            match line {
                None => complaints.push(format!("a new circle: {}", circle.join(", "))),
                Some((one, most)) if circle.len() > *most => complaints.push(format!(
                    "the circle of {one} has grown from {most} to {}: {}",
                    circle.len(),
                    circle.join(", ")
                )),
                Some((one, most)) if circle.len() < *most => complaints.push(format!(
                    "the circle of {one} has {} files now: let CIRCLES say so, not {most}",
                    circle.len()
                )),
                Some(_) => {}
            }
        }
        for (one, _) in known {
            if !found.iter().any(|circle| circle.iter().any(|m| m == one)) {
                complaints.push(format!("the circle of {one} is gone: its line may go too"));
            }
        }
        assert!(
            complaints.is_empty(),
            "{folder}:\n{}",
            complaints.join("\n")
        );
    }
}

#[test]
fn words_that_went_do_not_come_back() {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap());
    let retired = words::retired(&root);
    assert!(retired.len() > 5, "the glossary lists {retired:?}");
    let mut files = Vec::new();
    for folder in [
        "src",
        "sim",
        "fuzz/src",
        "fuzz/fuzz_targets",
        "tests",
        "examples",
    ] {
        collect(&root.join(folder), &mut files);
    }
    for folder in ["", "docs"] {
        let entries = fs::read_dir(root.join(folder)).unwrap();
        let pages = entries.map(|entry| entry.unwrap().path());
        files.extend(pages.filter(|page| {
            page.extension().is_some_and(|ext| ext == "md")
                && !page.ends_with("GLOSSARY.md")
                && !page.ends_with("CHANGELOG.md")
        }));
    }
    let mut complaints = Vec::new();
    for file in files {
        // The test itself plants one.
        if file.ends_with("tests/it/layers.rs") {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        for (line, word) in words::found(&text, &retired) {
            complaints.push(format!("{}:{line}: {word}", file.display()));
        }
    }
    assert!(
        complaints.is_empty(),
        "docs/GLOSSARY.md says what to say instead:\n{}",
        complaints.join("\n")
    );
    let planted = "fn keeps() { self.in_office; Custody }";
    let found = words::found(planted, &retired);
    assert_eq!(found, [(1, "office".into()), (1, "custody".into())]);
}

/// The circles of files below a folder, tests and the shell left out.
fn circles_below(folder: &Path) -> Vec<Vec<String>> {
    let mut files = Vec::new();
    collect(folder, &mut files);
    files.sort();
    let mut named = Vec::new();
    for file in &files {
        let below = file.strip_prefix(folder).unwrap().to_str().unwrap();
        let below = below.replace('\\', "/");
        let is_test = below.split(['/', '.']).any(|step| step == "tests");
        if is_test || below.starts_with("bin/") {
            continue;
        }
        let module = circles::module_of(&below);
        let code = source::code_only(&fs::read_to_string(file).unwrap());
        named.push((module.clone(), source::paths(&code, &module)));
    }
    circles::Names::of(&named).circles()
}

/// Looks at every source file below `root`; says how many there are and what is wrong.
fn inspect(root: &Path) -> (usize, Vec<String>) {
    let mut files = Vec::new();
    for folder in ["src", "sim", "fuzz", "tests"] {
        collect(&root.join(folder), &mut files);
    }
    files.sort();
    let mut complaints = Vec::new();
    for file in &files {
        let path = file
            .strip_prefix(root)
            .unwrap()
            .to_str()
            .unwrap()
            .replace('\\', "/");
        complaints.extend(complaints_of(&path, &fs::read_to_string(file).unwrap()));
    }
    (files.len(), complaints)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Everything that is wrong with one file.
fn complaints_of(path: &str, source: &str) -> Vec<String> {
    let mut complaints = looks(path, source);
    let code = source::code_only(source);
    complaints.extend(words(path, &code));
    complaints.extend(floors(path, &code));
    complaints
}

/// Captions, lengths and marks of unfinished work.
fn looks(path: &str, source: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    let caption = source.lines().next().unwrap_or_default();
    match caption.strip_prefix("//! ") {
        None => complaints.push(format!("{path}:1: the first line is no `//!` caption")),
        Some(words) if words.split_whitespace().count() < 3 => {
            complaints.push(format!("{path}:1: the caption says nothing: {words}"));
        }
        Some(_) => {}
    }
    let count = source.lines().count();
    if count > LINES_MAX {
        complaints.push(format!("{path}: {count} lines, {LINES_MAX} are allowed"));
    }
    // Spelt apart, so that this file does not accuse itself.
    let unfinished = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X"),
    ];
    for (number, line) in (1..).zip(source.lines()) {
        let columns = line.chars().count();
        if columns > COLUMNS_MAX {
            complaints.push(format!(
                "{path}:{number}: {columns} columns, {COLUMNS_MAX} are allowed"
            ));
        }
        if unfinished.iter().any(|mark| {
            line.split(|c: char| !c.is_alphanumeric())
                .any(|word| word == *mark)
        }) {
            complaints.push(format!("{path}:{number}: a mark of unfinished work"));
        }
    }
    complaints
}

/// Words that no code may hold.
fn words(path: &str, code: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    for (number, line) in (1..).zip(code.lines()) {
        let squeezed = line.split_whitespace().collect::<Vec<_>>().join(" ");
        if squeezed.contains("extern crate std") {
            complaints.push(format!(
                "{path}:{number}: `extern crate std` would open the no_std lock"
            ));
        }
        if squeezed.contains("todo!") || squeezed.contains("unimplemented!") {
            complaints.push(format!("{path}:{number}: unfinished code"));
        }
        if ["mod util", "mod common", "mod helper", "mod misc"]
            .iter()
            .any(|name| squeezed.contains(name))
        {
            complaints.push(format!(
                "{path}:{number}: a module's name says what it is about"
            ));
        }
    }
    complaints
}

/// Names that reach a floor which they may not.
fn floors(path: &str, code: &str) -> Vec<String> {
    let driver = DRIVERS.iter().find(|(folder, _)| {
        path.strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/'))
    });
    let (floor, allowed, named) = if let Some((folder, allowed)) = driver {
        (*folder, *allowed, source::names(code, "seedis", 0))
    } else {
        let Some(below) = path.strip_prefix("src/") else {
            return vec![format!("{path}: stands on no floor")];
        };
        let floor = below.split(['/', '.']).next().unwrap_or_default();
        let Some((_, allowed)) = FLOORS.iter().find(|(name, _)| *name == floor) else {
            return vec![format!(
                "{path}: `{floor}` is missing in the table of floors"
            )];
        };
        (floor, *allowed, source::names(code, "crate", depth(below)))
    };
    let is_ground = GROUND.contains(&floor);
    let mut complaints = Vec::new();
    for (line, name) in named {
        let head = name.split("::").next().unwrap_or_default();
        let known = FLOORS.iter().any(|(module, _)| *module == head);
        let permitted = head == floor
            || (!is_ground && GROUND.contains(&head))
            || allowed
                .iter()
                .any(|prefix| name == *prefix || name.starts_with(&format!("{prefix}::")));
        if known && !permitted {
            complaints.push(format!("{path}:{line}: `{floor}` may not name `{name}`"));
        }
        if head == "*" {
            complaints.push(format!("{path}:{line}: names every floor at once"));
        }
    }
    complaints
}

/// How many `super` lead from a file below `src/` to the root of the crate.
fn depth(below: &str) -> usize {
    let steps = below.split('/').count();
    if below == "lib.rs" || below.ends_with("/mod.rs") {
        steps - 1
    } else {
        steps
    }
}

#[cfg(test)]
mod planted {
    use super::*;

    #[track_caller]
    fn rejected(path: &str, source: &str, because: &str) {
        let complaints = complaints_of(path, source);
        assert!(
            complaints.iter().any(|text| text.contains(because)),
            "{path}: {complaints:?}"
        );
    }

    #[track_caller]
    fn accepted(path: &str, source: &str) {
        assert_eq!(complaints_of(path, source), Vec::<String>::new(), "{path}");
    }

    #[test]
    fn a_name_from_above_is_rejected() {
        let upward = [
            ("src/store/dict.rs", "use crate::command::Outcome;"),
            ("src/store/dict.rs", "use crate::{ids::Ticket, node::Node};"),
            (
                "src/store/dict.rs",
                "use crate::{\n    ids,\n    node as other,\n};",
            ),
            ("src/store/dict.rs", "fn f(n: &crate::node::Node) {}"),
            ("src/store/dict.rs", "use super::super::node;"),
            ("src/store/mod.rs", "use super::{ids, node};"),
            (
                "src/store/dict/tests.rs",
                "use super::super::super::resp::reply;",
            ),
            ("src/resp/parse.rs", "use crate::store::Store;"),
            ("src/aof/log.rs", "use crate::raft::wire;"),
            ("src/raft/log.rs", "use crate::aof::Log;"),
            ("src/command/keys.rs", "use crate::session::Session;"),
            ("src/command/keys.rs", "use crate::resp::parse::Parser;"),
            ("src/session/mod.rs", "use crate::store::Store;"),
            ("src/time.rs", "use crate::disk::DiskOp;"),
            ("src/ids.rs", "use super::time::Now;"),
            ("src/bin/seedis/main.rs", "use seedis::aof::Log;"),
            ("sim/src/world.rs", "use seedis::session::Session;"),
            ("tests/bench/src/server.rs", "use seedis::node::Node;"),
            ("src/node/mod.rs", "use crate::*;"),
        ];
        for (path, line) in upward {
            let because = if line.ends_with("::*;") {
                "every floor"
            } else {
                "may not name"
            };
            rejected(
                path,
                &format!("//! A planted violation.\n{line}\n"),
                because,
            );
        }
    }

    #[test]
    fn a_name_from_below_is_accepted() {
        let downward = [
            (
                "src/store/dict.rs",
                "use crate::{ids::Ticket, time, store::glob};",
            ),
            (
                "src/store/dict/tests.rs",
                "use super::super::Store;\nuse super::*;",
            ),
            ("src/time.rs", "mod tests {\n    use super::*;\n}"),
            ("src/command/keys.rs", "use crate::resp::reply::Reply;"),
            (
                "src/node/mod.rs",
                "use crate::{aof, command, raft, resp, session, store};",
            ),
            (
                "src/store/dict.rs",
                "/* crate::node */ // use crate::node;\nconst A: &str = \"crate::node\";",
            ),
            (
                "src/store/dict.rs",
                "const A: &str = r#\"\"crate::node\"#;\nconst B: char = '\"';",
            ),
            (
                "src/store/dict.rs",
                "fn f<'a>(a: &'a str) -> &'a str { a }\nconst Q: u8 = b'\\'';",
            ),
        ];
        for (path, line) in downward {
            accepted(path, &format!("//! Nothing is wrong here.\n{line}\n"));
        }
    }

    #[test]
    fn names_behind_literals_are_seen() {
        for literal in [
            "'\"'",
            "b'\\''",
            "\"\\\"\"",
            "r#\"\"\"#",
            "br\"\\\"",
            "/* /* */ */ 1",
            "&'static ()",
        ] {
            let source = format!("//! A planted violation.\nx!({literal}, crate::node::Node);\n");
            rejected(
                "src/store/dict.rs",
                &source,
                "src/store/dict.rs:2: `store` may not name `node::Node`",
            );
        }
    }

    #[test]
    fn a_file_without_a_caption_is_rejected() {
        for source in [
            "",
            "use core::mem;\n",
            "\n//! A caption on the second line.\n",
            "//!\n",
            "// Copyright\n",
            "//! Hashes.\n",
        ] {
            rejected("src/store/dict.rs", source, "caption");
        }
    }

    #[test]
    fn long_files_and_long_lines_are_rejected() {
        let lines = |count: usize| format!("//! One line of many.\n{}", "\n".repeat(count - 1));
        accepted("src/store/dict.rs", &lines(LINES_MAX));
        rejected("src/store/dict.rs", &lines(LINES_MAX + 1), "601 lines");
        let columns = |count: usize| format!("//! So long: {}\n", "é".repeat(count - 13));
        accepted("src/store/dict.rs", &columns(COLUMNS_MAX));
        rejected(
            "src/store/dict.rs",
            &columns(COLUMNS_MAX + 1),
            "101 columns",
        );
    }

    #[test]
    fn unfinished_work_and_open_locks_are_rejected() {
        let planted = [
            ("extern  crate std;", "no_std lock"),
            (concat!("fn f() { to", "do!() }"), "unfinished code"),
            (
                concat!("fn f() { unimple", "mented!() }"),
                "unfinished code",
            ),
            (concat!("// TO", "DO: later"), "unfinished work"),
            ("mod utils;", "what it is about"),
        ];
        for (line, because) in planted {
            rejected(
                "src/store/dict.rs",
                &format!("//! A planted violation.\n{line}\n"),
                because,
            );
        }
    }

    #[test]
    fn a_module_without_a_floor_is_rejected() {
        rejected(
            "src/extra/mod.rs",
            "//! A planted module.\n",
            "missing in the table",
        );
        rejected(
            "src/extra.rs",
            "//! A planted module.\n",
            "missing in the table",
        );
    }

    #[test]
    fn the_walk_finds_a_planted_file() {
        let root = std::env::temp_dir().join(format!("seedis-layers-{}", std::process::id()));
        fs::create_dir_all(root.join("src/store/deep")).unwrap();
        fs::write(
            root.join("src/store/deep/x.rs"),
            "//! A planted one.\nuse crate::node;\n",
        )
        .unwrap();
        let (files, complaints) = inspect(&root);
        fs::remove_dir_all(&root).unwrap();
        assert_eq!((files, complaints.len()), (1, 1), "{complaints:?}");
    }
}
