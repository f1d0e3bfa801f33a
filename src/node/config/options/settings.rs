//! The settings that files, the environment and arguments give together; every error is kept, not
//! only the first.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crate::limits::{INCLUDE_DEPTH_MAX, INCLUDED_FILES_MAX};

use super::words::{self, split, trimmed};
use super::{Access, Directive, Meaning, find, nearest, shown};
use crate::node::config::Config;

/// A configuration file, as it was read.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its path, for people; the same file has always the same.
    pub name: String,
    /// All its bytes.
    pub text: Vec<u8>,
}

/// The source of the files of `include`.
pub trait Files {
    /// All files that a path or pattern names, in order; an error says why there is none.
    fn read(&mut self, pattern: &[u8]) -> Result<Vec<Source>, String>;
}

/// For those who have no files: an `include` is an error.
#[derive(Debug)]
pub struct NoFiles;

impl Files for NoFiles {
    fn read(&mut self, _: &[u8]) -> Result<Vec<Source>, String> {
        Err("no other file can be read from here".into())
    }
}

/// The value that each directive was given last.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    values: BTreeMap<&'static str, Vec<u8>>,
    /// The directives that a file has set.
    given_by_file: BTreeSet<&'static str>,
    errors: Vec<String>,
    /// Known from Redis and without effect here, in the order in which they came.
    needless: Vec<&'static str>,
    warnings: Vec<String>,
    /// Variables that an orchestrator has set for a service of this name.
    links: Vec<String>,
    /// Variables that name no option.
    unknown_variables: Vec<String>,
    /// The files that are being read, from the outermost.
    open: Vec<String>,
    files_read: usize,
}

/// The place where a setting stands.
#[derive(Clone, Copy, Debug)]
enum Place<'a> {
    File { name: &'a str, line: usize },
    Variable(&'a str),
    Argument,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { name, line } => write!(f, "{name}, line {line}"),
            Self::Variable(name) => write!(f, "variable {name}"),
            Self::Argument => f.write_str("argument"),
        }
    }
}

impl Settings {
    /// Reads a configuration file, and those that it includes.
    pub fn file(&mut self, source: &Source, files: &mut dyn Files) {
        self.files_read += 1;
        let Source { name, text } = source;
        if text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff") {
            self.errors.push(format!(
                "{name}: this is UTF-16; a configuration file is plain text"
            ));
            return;
        }
        self.open.push(name.clone());
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        for (line, bytes) in (1..).zip(text.split(|byte| *byte == b'\n')) {
            let place = Place::File { name, line };
            let Some(bytes) = trimmed(bytes) else {
                continue;
            };
            match split(bytes) {
                Ok(words) => self.line(place, &words, files),
                Err(why) => self.errors.push(format!("{place}: {}", why.text())),
            }
        }
        self.open.pop();
    }

    /// Takes a variable of the environment into account, if its name is one of ours.
    pub fn variable(&mut self, name: &[u8], value: &[u8]) {
        let Some(own) = name.strip_prefix(b"SEEDIS_") else {
            return;
        };
        if value.is_empty() {
            return;
        }
        let text = shown(name);
        if is_link(own, value) {
            self.links.push(text);
            return;
        }
        let option: Vec<u8> = own
            .iter()
            .map(|byte| {
                if *byte == b'_' {
                    b'-'
                } else {
                    byte.to_ascii_lowercase()
                }
            })
            .collect();
        let found = find(&option).filter(|directive| {
            directive.meaning == Meaning::Acts || directive.access != Access::Hidden
        });
        let Some(directive) = found else {
            self.unknown_variables.push(text);
            return;
        };
        let place = Place::Variable(&text);
        let made = directive.form.of_value(value, &self.value(directive));
        self.take(place, directive, &[value.to_vec()], made);
    }

    /// Takes the arguments behind the program's name and the file's into account: `--name` and the
    /// words behind it are a line.
    pub fn arguments(&mut self, arguments: &[Vec<u8>], files: &mut dyn Files) {
        let mut lines: Vec<Vec<Vec<u8>>> = Vec::new();
        // The first word behind an option is always its value, whatever it looks like.
        let mut wants_value = false;
        for (at, argument) in arguments.iter().enumerate() {
            let option = argument.strip_prefix(b"--").filter(|_| !wants_value);
            let Some(option) = option else {
                match lines.last_mut() {
                    Some(line) => line.push(argument.clone()),
                    None => self.errors.push(format!(
                        "argument '{}': an option begins with --, and a configuration file comes \
                         first",
                        shown(argument)
                    )),
                }
                wants_value = false;
                continue;
            };
            let line = option_words(option);
            let follows = arguments.get(at + 1);
            // `--save --port 1`: no value means the empty one, as in Redis.
            let is_bare_save = line.len() == 1
                && line[0].eq_ignore_ascii_case(b"save")
                && follows.is_none_or(|next| next.starts_with(b"--"));
            wants_value = line.len() == 1 && !is_bare_save;
            lines.push(line);
            if is_bare_save && let Some(line) = lines.last_mut() {
                line.push(Vec::new());
            }
        }
        for line in lines {
            self.line(Place::Argument, &line, files);
        }
    }

    /// Returns the value that a directive is set to, or its default.
    pub fn value(&self, directive: &Directive) -> Vec<u8> {
        let set = self.values.get(directive.name);
        set.map_or_else(|| directive.default.as_bytes().to_vec(), Vec::clone)
    }

    /// Returns the value that the directive of this name is set to; nothing where nobody has said
    /// anything.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.values.get(name).map(Vec::as_slice)
    }

    /// All errors so far.
    pub fn errors(&self) -> &[String] {
        &self.errors
    }

    /// Takes note of an error from elsewhere.
    pub fn complain(&mut self, error: String) {
        self.errors.push(error);
    }

    /// Checks what no line can see alone, once all have spoken.
    pub fn finish(&mut self) {
        if self.get("peers").is_some() && self.get("join").is_some() {
            self.errors.push(
                "peers and join exclude each other: a member forms a group or joins one".into(),
            );
        }
        let no_log = self.get("appendonly") == Some(b"no");
        match self.get("save") {
            Some([_, ..]) if no_log => {
                self.values.insert("appendonly", b"yes".to_vec());
                self.warnings.push(
                    "save asks for data that survive a restart: the log is kept although \
                     appendonly is no (to keep nothing on disk, set save \"\" too)"
                        .into(),
                );
            }
            None if no_log && self.given_by_file.contains("appendonly") => self.warnings.push(
                "appendonly no: nothing survives a restart; redis-server would write snapshots \
                 (set appendonly yes to keep the data, or save \"\" if this is intended)"
                    .into(),
            ),
            _ => {}
        }
    }

    /// Returns the warnings for the operator, a line each.
    pub fn warnings(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.needless.is_empty() {
            let all = self.needless.join(", ");
            lines.push(format!("options of Redis that have no effect here: {all}"));
        }
        lines.extend(self.warnings.iter().cloned());
        if !self.links.is_empty() {
            let all = self.links.join(", ");
            lines.push(format!(
                "ignored environment variables, which describe a service called seedis and are not \
                 options: {all}"
            ));
        }
        if !self.unknown_variables.is_empty() {
            let all = self.unknown_variables.join(", ");
            lines.push(format!("environment variables that are not options: {all}"));
        }
        lines
    }

    /// Gives the node what it has to know.
    pub fn configure(&self, config: &mut Config) {
        for (name, value) in &self.values {
            if let Some(directive) = find(name.as_bytes()) {
                config.set_value(directive, value.clone());
            }
        }
    }

    /// A line of a file, or an argument and its words.
    fn line(&mut self, place: Place<'_>, line: &[Vec<u8>], files: &mut dyn Files) {
        let Some((name, words)) = line.split_first() else {
            return;
        };
        let Some(directive) = find(name) else {
            let said = shown(name);
            let hint =
                nearest(name).map_or_else(String::new, |near| format!(", did you mean '{near}'?"));
            let error = format!("{place}: unknown directive '{said}'{hint}");
            self.errors.push(error);
            return;
        };
        if directive.name == "include" {
            self.include(place, words, files);
            return;
        }
        let current = self.value(directive);
        let made = match directive.name {
            "rename-command" => {
                taken_away(words).and_then(|name| directive.form.of_words(&[name], &current))
            }
            // Each line of these speaks for itself.
            _ if matches!(directive.meaning, Meaning::Refused(_)) => {
                directive.form.of_words(words, b"")
            }
            _ => directive.form.of_words(words, &current),
        };
        self.take(place, directive, words, made);
    }

    /// Takes a value, or says what is wrong with it.
    fn take(
        &mut self,
        place: Place<'_>,
        directive: &'static Directive,
        words: &[Vec<u8>],
        made: Result<Vec<u8>, String>,
    ) {
        let name = directive.name;
        let said = || {
            let quoted = words.iter().map(|word| words::quoted(word));
            let all = quoted.collect::<Vec<_>>().join(&b' ');
            let is_secret = directive.is_secret() && !words.is_empty();
            let value = if is_secret { "…".into() } else { shown(&all) };
            if value.is_empty() {
                name.to_string()
            } else {
                format!("{name} {value}")
            }
        };
        let value = match made {
            Ok(value) => value,
            Err(why) => {
                self.errors.push(format!("{place}: '{}': {why}", said()));
                return;
            }
        };
        let in_force = directive.is_in_force(&value);
        match directive.meaning {
            Meaning::Refused(why) if !in_force => {
                self.errors.push(format!("{place}: '{}': {why}", said()));
                return;
            }
            Meaning::Fixed(why) if !in_force => {
                self.warnings
                    .push(format!("{place}: '{}' is not in force: {why}", said()));
                return;
            }
            Meaning::Needless if !self.needless.contains(&name) => self.needless.push(name),
            _ => {}
        }
        if matches!(place, Place::File { .. }) {
            self.given_by_file.insert(name);
        }
        self.values.insert(name, value);
    }

    fn include(&mut self, place: Place<'_>, words: &[Vec<u8>], files: &mut dyn Files) {
        let [pattern] = words else {
            self.errors
                .push(format!("{place}: 'include': wrong number of arguments"));
            return;
        };
        let found = match files.read(pattern) {
            Ok(found) => found,
            Err(why) => {
                let path = shown(pattern);
                self.errors
                    .push(format!("{place}: 'include {path}': {why}"));
                return;
            }
        };
        for source in found {
            let name = &source.name;
            let why = if self.open.contains(name) {
                "it includes itself"
            } else if self.open.len() >= INCLUDE_DEPTH_MAX {
                "too many files include one another"
            } else if self.files_read >= INCLUDED_FILES_MAX {
                "too many files are included"
            } else {
                self.file(&source, files);
                continue;
            };
            self.errors
                .push(format!("{place}: 'include {name}': {why}"));
            return;
        }
    }
}

/// The command that `rename-command` takes away.
fn taken_away(words: &[Vec<u8>]) -> Result<Vec<u8>, String> {
    match words {
        [name, new] if new.is_empty() && !name.is_empty() && !name.contains(&b' ') => {
            Ok(name.to_ascii_lowercase())
        }
        [_, _] => {
            Err("a command can be disabled (with \"\" as its new name), but not renamed".into())
        }
        _ => Err("wrong number of arguments".into()),
    }
}

/// `--port`, `--port=7000` and `--port 7000` in one argument.
fn option_words(option: &[u8]) -> Vec<Vec<u8>> {
    if let Some(at) = option.iter().position(|byte| *byte == b'=')
        && find(&option[..at]).is_some()
    {
        return [option[..at].to_vec(), option[at + 1..].to_vec()].into();
    }
    match split(option) {
        Ok(words) if words.len() > 1 && find(&words[0]).is_some() => words,
        _ => [option.to_vec()].into(),
    }
}

/// Returns true if a variable behind `SEEDIS_` is one of those that Kubernetes and Docker set to
/// tell where a service called `seedis`, or `seedis-something`, is.
fn is_link(own: &[u8], value: &[u8]) -> bool {
    let schemes: [&[u8]; 3] = [b"tcp://", b"udp://", b"sctp://"];
    if schemes.iter().any(|scheme| value.starts_with(scheme)) {
        return true;
    }
    let words: Vec<&[u8]> = own.split(|byte| *byte == b'_').collect();
    let is_service = words
        .windows(2)
        .any(|pair| pair[0] == b"SERVICE" && (pair[1] == b"HOST" || pair[1] == b"PORT"));
    let is_port = words.windows(3).any(|three| {
        let protocol = [&b"TCP"[..], b"UDP", b"SCTP"].contains(&three[2]);
        three[0] == b"PORT" && protocol && three[1].iter().all(u8::is_ascii_digit)
    });
    is_service || is_port || own.starts_with(b"ENV_") || own == b"NAME"
}
