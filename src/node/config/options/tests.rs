//! The table holds together, words come back, and a file that is written again says what it should.

use alloc::string::ToString;
use alloc::vec;

use proptest::prelude::*;

use super::rewrite::{Setting, rewritten};
use super::settings::{Files, NoFiles, Settings, Source};
use super::words::{Unreadable, quoted, split};
use super::*;

/// The lines that redis-server 7.0 shows for `CONFIG GET *` and that are in the table under the
/// same name.
const OF_REDIS: &str = include_str!("redis_7_0.txt");

fn source(text: &[u8]) -> Source {
    Source {
        name: "test.conf".into(),
        text: text.to_vec(),
    }
}

fn read(text: &[u8]) -> Settings {
    let mut settings = Settings::default();
    settings.file(&source(text), &mut NoFiles);
    settings.finish();
    settings
}

#[test]
fn every_row_has_one_name_and_a_default_of_its_form() {
    let mut names = Vec::new();
    for directive in all() {
        names.extend(
            [directive.name, directive.alias]
                .into_iter()
                .filter(|name| !name.is_empty()),
        );
        let default = directive.default.as_bytes();
        let made = directive.form.of_value(default, default);
        let unset = directive.access == Access::Hidden || default.is_empty();
        assert!(
            unset || made == Ok(default.to_vec()),
            "{}: {made:?}",
            directive.name
        );
        assert!(directive.is_in_force(default), "{}", directive.name);
        let acts = directive.meaning == Meaning::Acts;
        assert_eq!(acts, !directive.help.is_empty(), "{}", directive.name);
    }
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "a name stands twice");
}

#[test]
fn every_name_that_redis_shows_is_shown() {
    for name in OF_REDIS.lines() {
        let found = find(name.as_bytes());
        assert!(
            found.is_some_and(|found| found.access != Access::Hidden),
            "{name}"
        );
    }
}

/// Both names of directives that Redis shows under two.
const TWO_NAMES: [[&str; 2]; 19] = [
    ["busy-reply-threshold", "lua-time-limit"],
    ["cluster-replica-no-failover", "cluster-slave-no-failover"],
    [
        "cluster-replica-validity-factor",
        "cluster-slave-validity-factor",
    ],
    ["hash-max-listpack-entries", "hash-max-ziplist-entries"],
    ["hash-max-listpack-value", "hash-max-ziplist-value"],
    ["list-max-listpack-size", "list-max-ziplist-size"],
    ["min-replicas-max-lag", "min-slaves-max-lag"],
    ["min-replicas-to-write", "min-slaves-to-write"],
    ["repl-ping-replica-period", "repl-ping-slave-period"],
    ["replica-announce-ip", "slave-announce-ip"],
    ["replica-announce-port", "slave-announce-port"],
    ["replica-ignore-maxmemory", "slave-ignore-maxmemory"],
    ["replica-lazy-flush", "slave-lazy-flush"],
    ["replica-priority", "slave-priority"],
    ["replica-read-only", "slave-read-only"],
    ["replica-serve-stale-data", "slave-serve-stale-data"],
    ["replicaof", "slaveof"],
    ["zset-max-listpack-entries", "zset-max-ziplist-entries"],
    ["zset-max-listpack-value", "zset-max-ziplist-value"],
];

#[test]
fn what_redis_shows_under_two_names_is_one_directive() {
    for [name, alias] in TWO_NAMES {
        let found = [name, alias].map(|name| find(name.as_bytes()).map(|found| found.name));
        assert_eq!(found, [Some(name); 2], "{alias}");
    }
}

#[test]
fn a_file_that_says_the_older_name_is_written_again_with_the_value_in_force() {
    for [name, alias] in TWO_NAMES {
        let directive = find(name.as_bytes()).unwrap();
        if directive.access != Access::Open || matches!(directive.meaning, Meaning::Refused(_)) {
            continue;
        }
        let text = format!("{alias} {}\n", quoted_default(directive));
        let value = match directive.form {
            Form::Switch if directive.default == "yes" => b"no".to_vec(),
            Form::Switch => b"yes".to_vec(),
            _ => b"7".to_vec(),
        };
        let settings: [Setting; 1] = [(directive, value.clone())];
        let again = rewritten(&source(text.as_bytes()), &settings, &mut NoFiles).unwrap();
        assert_eq!(read(&again).value(directive), value, "{alias}");
        assert_eq!(again.split(|byte| *byte == b'\n').count(), 2, "{alias}");
    }
}

fn quoted_default(directive: &Directive) -> String {
    String::from_utf8(quoted(directive.default.as_bytes())).unwrap()
}

#[test]
fn what_redis_refuses_is_refused_and_what_it_takes_is_shown_as_it_shows_it() {
    let long = "a".repeat(256);
    let refused = [
        ("shutdown-on-sigterm", "abc"),
        ("shutdown-on-sigterm", ""),
        ("shutdown-on-sigterm", " now"),
        ("shutdown-on-sigint", "save nosave"),
        ("oom-score-adj-values", "abc"),
        ("oom-score-adj-values", ""),
        ("oom-score-adj-values", "1 2"),
        ("oom-score-adj-values", "1  2 3"),
        ("oom-score-adj-values", "-2001 0 0"),
        ("latency-tracking-info-percentiles", "abc"),
        ("latency-tracking-info-percentiles", "-1"),
        ("latency-tracking-info-percentiles", "100.1"),
        ("latency-tracking-info-percentiles", "50 nan"),
        ("latency-tracking-info-percentiles", "inf"),
        ("latency-tracking-info-percentiles", "1e400"),
        ("proc-title-template", ""),
        ("proc-title-template", "{title}"),
        ("proc-title-template", "{nosuch}"),
        ("proc-title-template", "a {port"),
        ("cluster-announce-hostname", "a_b"),
        ("cluster-announce-hostname", &long),
        ("active-defrag-ignore-bytes", "0"),
        ("repl-backlog-size", "0"),
        ("repl-timeout", "0"),
        ("repl-ping-slave-period", "0"),
        ("list-max-ziplist-size", "5000000000"),
        ("appenddirname", ""),
        ("appenddirname", "a/b"),
        ("appendfilename", "/a"),
        ("dbfilename", "../a"),
        ("syslog-facility", "abc"),
        ("socket-mark-id", "5000000000"),
    ];
    for (name, value) in refused {
        let form = find(name.as_bytes()).unwrap().form;
        assert!(
            form.of_value(value.as_bytes(), b"").is_err(),
            "{name} {value}"
        );
        let words: Vec<Vec<u8>> = value
            .split(' ')
            .map(|word| word.as_bytes().to_vec())
            .collect();
        assert!(form.of_words(&words, b"").is_err(), "{name} {value}");
    }
    let taken = [
        ("shutdown-on-sigterm", "NOW", "now"),
        ("shutdown-on-sigterm", "default force save", "save force"),
        ("shutdown-on-sigterm", "default", "default"),
        ("oom-score-adj-values", "3 2 1", "3 2 1"),
        (
            "latency-tracking-info-percentiles",
            "99.90 1e1 100",
            "99.9 10 100",
        ),
        (
            "latency-tracking-info-percentiles",
            "12.3456789",
            "12.345679",
        ),
        ("latency-tracking-info-percentiles", "", ""),
        (
            "proc-title-template",
            "{{title}} {port}",
            "{{title}} {port}",
        ),
        ("cluster-announce-hostname", "a-1.b", "a-1.b"),
        ("hash-max-ziplist-value", "10kb", "10240"),
        ("hll-sparse-max-bytes", "1k", "1000"),
        ("hz", "1000", "1000"),
        ("repl-backlog-ttl", "5000000000", "5000000000"),
        ("dbfilename", "", ""),
    ];
    for (name, value, shown) in taken {
        let form = find(name.as_bytes()).unwrap().form;
        let made = form.of_value(value.as_bytes(), b"");
        assert_eq!(made.as_deref(), Ok(shown.as_bytes()), "{name} {value}");
    }
}

#[test]
fn words_are_those_of_redis() {
    let good: [(&[u8], &[&[u8]]); 9] = [
        (b"port 7000", &[b"port", b"7000"]),
        (b"a \"pa\\\"ss\"", &[b"a", b"pa\"ss"]),
        (b"a \"back\\\\slash\"", &[b"a", b"back\\slash"]),
        (
            b"a \"\\x41\\xfF\\n\\r\\t\\b\\a\\z\\xg1\"",
            &[b"a", b"A\xff\n\r\t\x08\x07zxg1"],
        ),
        (b"a 'it\\'s \\n'", &[b"a", b"it's \\n"]),
        (b"a hash#tag \"\" ''", &[b"a", b"hash#tag", b"", b""]),
        (b"a b\"c d\"", &[b"a", b"bc d"]),
        (b" \t ", &[]),
        (b"a\x0bb\x0cc", &[b"a", b"b", b"c"]),
    ];
    for (line, words) in good {
        let words: Vec<Vec<u8>> = words.iter().map(|word| word.to_vec()).collect();
        assert_eq!(split(line), Ok(words), "{}", line.escape_ascii());
    }
    for line in [
        b"a \"b".as_slice(),
        b"a 'b",
        b"a \"b\"c",
        b"a 'b'c",
        b"a \"b\\",
    ] {
        assert_eq!(
            split(line),
            Err(Unreadable::Quotes),
            "{}",
            line.escape_ascii()
        );
    }
    assert_eq!(split(b"a\0b"), Err(Unreadable::Nul));
}

#[test]
fn lines_are_read_however_they_end_and_names_in_any_case() {
    let text = b"\xef\xbb\xbf# a comment\r\n\r\nPORT 7000\r\n  AppendOnly YES\r\nloglevel Warning";
    let settings = read(text);
    assert_eq!(settings.errors(), [""; 0]);
    for (name, value) in [
        ("port", "7000"),
        ("appendonly", "yes"),
        ("loglevel", "warning"),
    ] {
        assert_eq!(settings.get(name), Some(value.as_bytes()));
    }
    assert_eq!(read(b"\xff\xfep\0o\0").errors().len(), 1);
}

#[test]
fn what_redis_adds_up_adds_up_and_otherwise_the_last_word_counts() {
    let text = b"timeout 1\ntimeout 2\nsave 900 1\nsave 300 10 60 5\nbind a\nbind b c\n\
        rename-command FLUSHALL \"\"\nrename-command Config \"\"\n\
        client-output-buffer-limit replica 1mb 2kb 3\nclient-output-buffer-limit pubsub 4 5 6\n";
    let settings = read(text);
    assert_eq!(settings.errors(), [""; 0]);
    let wanted = [
        ("timeout", "2"),
        ("save", "900 1 300 10 60 5"),
        ("bind", "b c"),
        ("rename-command", "flushall config"),
        (
            "client-output-buffer-limit",
            "normal 0 0 0 slave 1048576 2048 3 pubsub 4 5 6",
        ),
    ];
    for (name, value) in wanted {
        assert_eq!(settings.get(name), Some(value.as_bytes()), "{name}");
    }
    assert_eq!(read(b"save 60 1\nsave \"\"\n").get("save"), Some(&b""[..]));
}

#[test]
fn what_would_promise_in_vain_is_refused_or_said_not_to_be_in_force() {
    let refused = [
        "replicaof 10.0.0.1 6379",
        "slaveof a 1",
        "cluster-enabled yes",
        "aclfile /etc/users",
        "user default on >secret ~* +@all",
        "user default on nopass ~* &* -@all",
        "loadmodule a.so",
        "tls-port 6380",
        "rename-command GET FETCH",
        "min-replicas-to-write 1",
        "sentinel monitor a b 1 2",
        "unixsocketperm 999",
        "save 60",
        "supervised perhaps",
    ];
    for line in refused {
        assert_eq!(read(line.as_bytes()).errors().len(), 1, "{line}");
    }
    let silent = [
        "replicaof no one",
        "cluster-enabled NO",
        "tls-port 0",
        "maxmemory-policy NoEviction",
        "user default on nopass sanitize-payload ~* &* +@all",
        "min-slaves-to-write 0",
        "databases 16",
        "save \"\"",
        "proto-max-bulk-len 512mb",
    ];
    for line in silent {
        assert_eq!(read(line.as_bytes()).errors(), [""; 0], "{line}");
    }
    let settings = read(b"tcp-backlog 1000\nhz 20\ndatabases 32\nlist-compress-depth 3");
    let warnings = settings.warnings();
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    assert!(warnings[0].ends_with("have no effect here: hz, list-compress-depth"));
    assert!(warnings[1].contains("line 1: 'tcp-backlog 1000' is not in force"));
    assert_eq!(settings.get("tcp-backlog"), None);
    assert_eq!(settings.get("hz"), Some(&b"20"[..]));
}

#[test]
fn save_keeps_the_data_even_where_the_log_is_off() {
    let settings = read(b"appendonly no\nsave 60 1\n");
    assert_eq!(settings.get("appendonly"), Some(&b"yes"[..]));
    assert_eq!(
        read(b"appendonly no\nsave \"\"\n").get("appendonly"),
        Some(&b"no"[..])
    );
    assert!(read(b"appendonly no\n").warnings()[0].contains("nothing survives a restart"));
}

#[test]
fn secrets_are_not_shown_in_errors() {
    let text = b"requirepass secret words\ncluster-secret secret words\nuser secret on >secret";
    let all = read(text).errors().join("\n");
    assert!(
        !all.replace("cluster-secret", "").contains("secret"),
        "{all}"
    );
}

/// Files that are named by one letter.
struct Letters(&'static [(&'static str, &'static str)]);

impl Files for Letters {
    fn read(&mut self, pattern: &[u8]) -> Result<Vec<Source>, String> {
        let named = |name: &str| pattern == b"*" || pattern == name.as_bytes();
        let found = self.0.iter().filter(|(name, _)| named(name));
        let found = found.map(|(name, text)| Source {
            name: name.to_string(),
            text: text.as_bytes().to_vec(),
        });
        Ok(found.collect())
    }
}

#[test]
fn files_include_others_but_never_themselves() {
    let mut settings = Settings::default();
    let mut files = Letters(&[
        ("a", "include b\ntimeout 3"),
        ("b", "port 1"),
        ("c", "include c"),
    ]);
    settings.file(&source(b"port 2\ninclude a\n"), &mut files);
    assert_eq!(settings.errors(), [""; 0]);
    assert_eq!(settings.get("port"), Some(&b"1"[..]));
    settings.file(&source(b"include c\n"), &mut files);
    assert_eq!(
        settings.errors(),
        ["c, line 1: 'include c': it includes itself"]
    );
}

fn setting(name: &str, value: &str) -> Setting {
    (find(name.as_bytes()).unwrap(), value.as_bytes().to_vec())
}

#[test]
fn a_directive_keeps_its_place_and_a_new_one_comes_last() {
    let text = b"# mine\nport 7000\nTimeout 5\nsave 900 1\n# between\nsave 300 10\n";
    let values = [
        setting("timeout", "9"),
        setting("save", ""),
        setting("hz", "11"),
    ];
    let text = rewritten(&source(text), &values, &mut NoFiles).unwrap();
    let wanted = "# mine\nport 7000\ntimeout 9\nsave \"\"\n# between\n# Generated by CONFIG \
                  REWRITE\nhz 11\n";
    assert_eq!(
        text.escape_ascii().to_string(),
        wanted.as_bytes().escape_ascii().to_string()
    );
}

#[test]
fn what_an_included_file_says_later_is_overruled_at_the_end() {
    let mut files = Letters(&[("a", "timeout 3\nsave 60 1\n")]);
    let text = source(b"timeout 5\ninclude a");
    let values = [setting("timeout", "9"), setting("save", "10 2")];
    let text = rewritten(&text, &values, &mut files).unwrap();
    let wanted = "include a\n# Generated by CONFIG REWRITE\nsave \"\"\nsave 10 2\ntimeout 9\n";
    let mut lines: Vec<&str> = core::str::from_utf8(&text).unwrap().lines().collect();
    lines[2..].sort_unstable();
    assert_eq!(lines, wanted.lines().collect::<Vec<_>>());
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let any = prop::collection::vec(any::<u8>(), 0..40);
    let nasty = prop::sample::select(vec![
        b"\"\nlogfile /tmp/x\nsave \"".to_vec(),
        b"\\".to_vec(),
        b"#".to_vec(),
        b" '\" ".to_vec(),
        b"\0".to_vec(),
    ]);
    prop_oneof![any, nasty]
}

proptest! {
    #[test]
    fn a_word_comes_back_whatever_it_is(words in prop::collection::vec(bytes(), 0..5)) {
        let line: Vec<Vec<u8>> = words.iter().map(|word| quoted(word)).collect();
        prop_assert_eq!(split(&line.join(&b' ')), Ok(words));
    }

    #[test]
    fn all_values_come_back_from_a_file_that_is_written_again(
        before in bytes(),
        texts in prop::collection::vec(bytes(), 8),
        numbers in prop::collection::vec(0_u32..500, 8),
        ending in prop::sample::select(vec!["\n", "\r\n"]),
    ) {
        let line = [b"requirepass ".as_slice(), &quoted(&before), ending.as_bytes()].concat();
        let text = [b"# first", ending.as_bytes(), b"hz 15", ending.as_bytes(), &line].concat();
        let open: Vec<_> = all().filter(|directive| directive.access == Access::Open).collect();
        let mut values = Vec::new();
        for (place, directive) in open.iter().enumerate() {
            let (bytes, number) = (&texts[place % 8], numbers[place % 8].to_string());
            let given = match directive.form {
                Form::Text => bytes.as_slice(),
                Form::Points => b"60 1 300 7",
                _ => number.as_bytes(),
            };
            let made = directive.form.of_value(given, directive.default.as_bytes());
            let made = made.ok().filter(|made| directive.is_in_force(made));
            let value = made.unwrap_or_else(|| directive.default.as_bytes().to_vec());
            values.push((*directive, value));
        }
        let text = rewritten(&source(&text), &values, &mut NoFiles).unwrap();
        let after = read(&text);
        prop_assert_eq!(after.errors(), [""; 0]);
        for (directive, value) in &values {
            prop_assert_eq!(&after.value(directive), value, "{}", directive.name);
        }
    }
}
