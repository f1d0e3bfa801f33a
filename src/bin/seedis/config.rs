//! Configuration: a file in the style of redis.conf, then the environment, then the command line;
//! the last word counts.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{ArgAction, CommandFactory, FromArgMatches, Parser, ValueEnum};
use seedis::node::config::{Config, Fsync};

use crate::peers::address;

/// A Redis-compatible cache server whose every behaviour can be replayed from a seed.
#[derive(Debug, Parser)]
#[command(
    name = "seedis",
    args_override_self = true,
    disable_version_flag = true,
    after_help = "seedis check DIR looks at a data directory that no server has open; seedis \
                  backup DIR FILE makes one file of it, seedis restore FILE --dir DIR a server of \
                  that; seedis demo runs a group in one process."
)]
pub(crate) struct Options {
    /// A configuration file of lines "option value", as redis.conf has them.
    #[arg(value_name = "CONF-FILE")]
    pub(crate) config_file: Option<PathBuf>,
    /// The TCP port; 0: none.
    #[arg(long, default_value_t = 6379, env = "SEEDIS_PORT")]
    pub(crate) port: u16,
    /// Addresses to listen on; one with "-" before it may be missing.
    #[arg(long, num_args = 1.., default_values = ["127.0.0.1", "-::1"], env = "SEEDIS_BIND",
        value_delimiter = ' ')]
    pub(crate) bind: Vec<String>,
    /// Listen on a Unix socket too.
    #[arg(long, env = "SEEDIS_UNIXSOCKET")]
    pub(crate) unixsocket: Option<PathBuf>,
    /// The permissions of the Unix socket, in octal.
    #[arg(long, value_parser = octal)]
    pub(crate) unixsocketperm: Option<u32>,
    /// The data directory.
    #[arg(long, default_value = "./data", env = "SEEDIS_DIR")]
    pub(crate) dir: PathBuf,
    /// Keep a log; "no" for a cache without a disk.
    #[arg(long, value_enum, default_value = "yes", env = "SEEDIS_APPENDONLY")]
    pub(crate) appendonly: Switch,
    /// When a write counts as persisted.
    #[arg(
        long,
        value_enum,
        default_value = "everysec",
        env = "SEEDIS_APPENDFSYNC"
    )]
    pub(crate) appendfsync: Policy,
    /// Rewrite the log when it has outgrown its base by this many percent; 0: never by itself.
    #[arg(long, default_value_t = 100)]
    pub(crate) auto_aof_rewrite_percentage: u32,
    /// Never rewrite a smaller log by itself.
    #[arg(long, default_value = "64mb", value_parser = memory)]
    pub(crate) auto_aof_rewrite_min_size: u64,
    /// The password that clients must give.
    #[arg(
        long,
        default_value = "",
        env = "SEEDIS_REQUIREPASS",
        hide_env_values = true
    )]
    pub(crate) requirepass: String,
    /// Refuse clients from elsewhere while there is no password.
    #[arg(long, value_enum, default_value = "yes", env = "SEEDIS_PROTECTED_MODE")]
    pub(crate) protected_mode: Switch,
    /// The most clients at a time.
    #[arg(long, default_value_t = 10_000, env = "SEEDIS_MAXCLIENTS")]
    pub(crate) maxclients: u32,
    /// Refuse writes that take memory when keys and values take this much; 0: never.
    #[arg(long, default_value = "0", value_parser = memory, env = "SEEDIS_MAXMEMORY")]
    pub(crate) maxmemory: u64,
    /// What is done at that limit; nothing is ever evicted.
    #[arg(long, default_value = "noeviction", value_parser = ["noeviction"])]
    pub(crate) maxmemory_policy: String,
    /// Close a client that is silent for so many seconds; 0: never.
    #[arg(long, default_value_t = 0)]
    pub(crate) timeout: u64,
    /// Seconds between probes of a silent TCP client; 0: none.
    #[arg(long, default_value_t = 300)]
    pub(crate) tcp_keepalive: u64,
    /// How many databases there are; only 16.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(16..=16))]
    pub(crate) databases: u32,
    /// Allow DEBUG.
    #[arg(long, value_enum, default_value = "no")]
    pub(crate) enable_debug_command: Switch,
    /// Where the log lines go; empty: standard output.
    #[arg(long, default_value = "", env = "SEEDIS_LOGFILE")]
    pub(crate) logfile: String,
    /// How much is logged.
    #[arg(long, value_enum, default_value = "notice", env = "SEEDIS_LOGLEVEL")]
    pub(crate) loglevel: LogLevel,
    /// Redis's snapshots; there are none, so that any value means the same.
    #[arg(long, num_args = 0.., hide = true)]
    pub(crate) save: Vec<String>,
    /// Only "no": a service manager is better at it.
    #[arg(long, value_enum, default_value = "no", hide = true)]
    pub(crate) daemonize: Switch,
    /// Let every sync take so many microseconds longer: for measurements on disks that are too
    /// good.
    #[arg(long, default_value_t = 0, hide = true)]
    pub(crate) debug_sync_delay_us: u64,
    /// This member's number in its group.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..),
        env = "SEEDIS_ID")]
    pub(crate) id: Option<u64>,
    /// Form a group with these members, itself included: 1=host:port,2=host:port,3=host:port with
    /// their cluster ports.
    #[arg(long, value_name = "MEMBERS", value_delimiter = ',', value_parser = member,
        env = "SEEDIS_PEERS", conflicts_with = "join")]
    pub(crate) peers: Vec<(u64, String)>,
    /// Come into the group of which this is a member: the host and cluster port.
    #[arg(long, value_name = "HOST:PORT", value_parser = door, env = "SEEDIS_JOIN")]
    pub(crate) join: Option<String>,
    /// The TCP port for the other members; where it must be had and is not named, 10000 above
    /// --port.
    #[arg(long, value_name = "PORT", env = "SEEDIS_CLUSTER_PORT")]
    pub(crate) cluster_port: Option<u16>,
    /// The addresses to listen on for other members, with spaces between them; only this
    /// machine's, where there is no secret, and otherwise all.
    #[arg(
        long,
        value_name = "ADDRESSES",
        allow_hyphen_values = true,
        env = "SEEDIS_CLUSTER_BIND"
    )]
    pub(crate) cluster_bind: Option<String>,
    /// What all members must know, and nobody else.
    #[arg(
        long,
        value_name = "WORDS",
        default_value = "",
        env = "SEEDIS_CLUSTER_SECRET",
        hide_env_values = true
    )]
    pub(crate) cluster_secret: String,
    /// The file in which that stands.
    #[arg(long, value_name = "FILE", env = "SEEDIS_CLUSTER_SECRET_FILE")]
    pub(crate) cluster_secret_file: Option<PathBuf>,
    /// Where clients reach this member, if it is not where other members see it.
    #[arg(long, value_name = "HOST:PORT", env = "SEEDIS_ADVERTISE")]
    pub(crate) advertise: Option<String>,
    /// Let a leader answer reads without asking the others while its lease lasts: safe only where
    /// no clock runs off by more than a thousandth.
    #[arg(long, value_enum, default_value = "no", env = "SEEDIS_LEASE_READS")]
    pub(crate) lease_reads: Switch,
    /// Carry the requests of clients to the leader where this member does not lead, instead of
    /// sending the clients there.
    #[arg(long, value_enum, default_value = "no", env = "SEEDIS_FOLLOWER_PROXY")]
    pub(crate) follower_proxy: Switch,
    /// How old the state may be, in milliseconds, from which a follower answers clients that have
    /// said READONLY; 0: as old as it is.
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 0)]
    pub(crate) readonly_max_staleness: u64,
    /// Print the version.
    #[arg(short = 'v', long, action = ArgAction::SetTrue)]
    pub(crate) version: bool,
}

/// yes or no, as redis.conf says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    Yes,
    No,
    /// Redis's word for "from this machine only", which here is the same as yes.
    #[value(hide = true)]
    Local,
}

impl Switch {
    pub(crate) fn is_on(self) -> bool {
        self != Self::No
    }
}

/// When a write counts as persisted.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Policy {
    /// When it is synced.
    Always,
    /// When it is written; synced every second.
    Everysec,
    /// When it is written; synced when the operating system likes.
    No,
}

/// How much is logged.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LogLevel {
    Debug,
    Verbose,
    Notice,
    Warning,
    Nothing,
}

fn octal(text: &str) -> Result<u32, String> {
    u32::from_str_radix(text, 8).map_err(|_| format!("'{text}' is no octal number such as 700"))
}

/// A member such as `1=10.0.0.1:16379`.
fn member(text: &str) -> Result<(u64, String), String> {
    let parsed = text.split_once('=').and_then(|(id, address)| {
        let id = id.trim().parse().ok().filter(|id| *id > 0)?;
        Some((id, address.trim().to_owned()))
    });
    let parsed = parsed.ok_or_else(|| format!("'{text}' is no member such as 1=10.0.0.1:16379"))?;
    address::check(&parsed.1)?;
    Ok(parsed)
}

/// Where a member is reached, such as `10.0.0.1:16379`.
fn door(text: &str) -> Result<String, String> {
    address::check(text).map(|()| text.to_owned())
}

/// A size such as `64mb`, in bytes.
pub(crate) fn memory(text: &str) -> Result<u64, String> {
    let lower = text.to_ascii_lowercase();
    let units = [
        ("gb", 1 << 30),
        ("mb", 1 << 20),
        ("kb", 1 << 10),
        ("g", 1_000_000_000),
        ("m", 1_000_000),
        ("k", 1000),
        ("b", 1),
        ("", 1_u64),
    ];
    let parsed = units.iter().find_map(|(unit, factor)| {
        lower
            .strip_suffix(unit)?
            .parse::<u64>()
            .ok()?
            .checked_mul(*factor)
    });
    parsed.ok_or_else(|| format!("'{text}' is no size such as 64mb"))
}

impl Options {
    /// Reads all three sources. An error names the option, and the nearest one that is known.
    pub(crate) fn read(args: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let mut args: Vec<OsString> = args.into_iter().collect();
        let mut command = Self::command();
        // Redis takes a file as its first argument only, and so do we: `--port 1 file` would be
        // ambiguous.
        let first = args
            .get(1)
            .and_then(|arg| arg.to_str())
            .filter(|arg| !arg.starts_with('-'));
        if let Some(file) = first.map(PathBuf::from) {
            let lines = std::fs::read_to_string(&file).map_err(|error| {
                let text = format!(
                    "cannot read the configuration file {}: {error}",
                    file.display()
                );
                command.error(clap::error::ErrorKind::Io, text)
            })?;
            let from_file = file_options(&lines).map_err(|text| {
                let text = format!("{}: {text}", file.display());
                command.error(clap::error::ErrorKind::InvalidValue, text)
            })?;
            check_alone(&command, &from_file, &file)?;
            args.splice(2..2, from_file);
        }
        let matches = command.try_get_matches_from(with_addresses_joined(args))?;
        Self::from_arg_matches(&matches)
    }

    /// What the node is told.
    pub(crate) fn node(&self) -> Config {
        Config {
            append_only: self.appendonly.is_on(),
            fsync: match self.appendfsync {
                Policy::Always => Fsync::Always,
                Policy::Everysec => Fsync::EverySecond,
                Policy::No => Fsync::No,
            },
            rewrite_percentage: self.auto_aof_rewrite_percentage,
            rewrite_min_bytes: self.auto_aof_rewrite_min_size,
            requirepass: self.requirepass.clone().into_bytes(),
            memory_max: self.maxmemory,
            clients_max: self.maxclients,
            timeout_s: self.timeout,
            protected_mode: self.protected_mode.is_on(),
            lease_reads: self.lease_reads.is_on(),
            staleness_ms_max: self.readonly_max_staleness,
            follower_proxy: self.follower_proxy.is_on(),
            debug_command: self.enable_debug_command.is_on(),
            ..Config::default()
        }
    }
}

/// Lets an error in a file's options name the file, and the option as it stands there.
fn check_alone(
    command: &clap::Command,
    from_file: &[OsString],
    file: &Path,
) -> Result<(), clap::Error> {
    let name = OsString::from("seedis");
    let alone: Vec<OsString> = [name]
        .into_iter()
        .chain(from_file.iter().cloned())
        .collect();
    let mut command = command.clone();
    let Err(error) = command.try_get_matches_from_mut(with_addresses_joined(alone)) else {
        return Ok(());
    };
    let text = error.to_string().replace("'--", "'");
    let ends = ["\n\nUsage", "\n\nFor more"]
        .iter()
        .filter_map(|end| text.find(end));
    let said = text[..ends.min().unwrap_or(text.len())].trim_start_matches("error: ");
    Err(command.error(error.kind(), format!("{}: {said}", file.display())))
}

/// Makes one value of the addresses behind `--bind`: one that begins with "-" is no option, but
/// what begins with "--" is.
fn with_addresses_joined(args: Vec<OsString>) -> Vec<OsString> {
    let mut joined: Vec<OsString> = Vec::with_capacity(args.len());
    let mut in_bind = false;
    for arg in args {
        let is_option = arg.to_str().is_some_and(|arg| arg.starts_with("--"));
        match joined.last_mut() {
            Some(addresses) if in_bind && !is_option => {
                addresses.push(if addresses == "--bind" { "=" } else { " " });
                addresses.push(arg);
            }
            _ => {
                in_bind = arg == "--bind";
                if in_bind {
                    // The last word counts: the command line's addresses and not the file's as
                    // well.
                    joined
                        .retain(|arg| !arg.to_str().is_some_and(|arg| arg.starts_with("--bind=")));
                }
                joined.push(arg);
            }
        }
    }
    joined
}

/// The lines of a configuration file as options of a command line.
fn file_options(lines: &str) -> Result<Vec<OsString>, String> {
    let mut options = Vec::new();
    for (number, line) in lines.lines().enumerate() {
        let words = words(line).map_err(|text| format!("line {}: {text}", number + 1))?;
        let Some((name, values)) = words.split_first() else {
            continue;
        };
        options.push(OsString::from(format!("--{}", name.to_ascii_lowercase())));
        options.extend(values.iter().map(OsString::from));
    }
    Ok(options)
}

/// The words of a line; quotes keep spaces, a line that starts with `#` says nothing.
fn words(line: &str) -> Result<Vec<String>, String> {
    let line = line.trim();
    let (mut words, mut word, mut quote, mut open) = (Vec::new(), String::new(), None, false);
    if line.starts_with('#') {
        return Ok(words);
    }
    for letter in line.chars() {
        match quote {
            Some(mark) if letter == mark => quote = None,
            None if letter == '"' || letter == '\'' => {
                quote = Some(letter);
                open = true;
            }
            None if letter.is_whitespace() => {
                if open {
                    words.push(std::mem::take(&mut word));
                }
                open = false;
            }
            Some(_) | None => {
                word.push(letter);
                open = true;
            }
        }
    }
    if quote.is_some() {
        return Err("a quote is not closed".into());
    }
    if open {
        words.push(word);
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(args: &[&str]) -> Result<Options, clap::Error> {
        Options::read(
            std::iter::once("seedis")
                .chain(args.iter().copied())
                .map(OsString::from),
        )
    }

    #[test]
    fn it_starts_as_redis_server_does() {
        let line = [
            "--port",
            "7000",
            "--bind",
            "127.0.0.1",
            "::1",
            "--save",
            "",
            "--appendonly",
            "no",
            "--appendfsync",
            "always",
            "--requirepass",
            "secret",
            "--enable-debug-command",
            "yes",
            "--protected-mode",
            "no",
            "--daemonize",
            "no",
            "--auto-aof-rewrite-min-size",
            "1mb",
        ];
        let options = read(&line).unwrap();
        assert_eq!(options.port, 7000);
        assert_eq!(options.bind, ["127.0.0.1", "::1"]);
        assert_eq!(options.auto_aof_rewrite_min_size, 1 << 20);
        let node = options.node();
        assert!(!node.append_only && node.debug_command && !node.protected_mode);
        assert_eq!(
            (node.fsync, &node.requirepass[..]),
            (Fsync::Always, &b"secret"[..])
        );
    }

    #[test]
    fn an_unknown_option_names_the_nearest_one() {
        let error = read(&["--appendfsink", "always"]).unwrap_err().to_string();
        assert!(error.contains("--appendfsync"), "{error}");
    }

    #[test]
    fn a_file_is_read_line_by_line() {
        let options = file_options("# a comment\n\nport 7001\nsave \"\"\nbind 127.0.0.1 -::1\n");
        let wanted = [
            "--port",
            "7001",
            "--save",
            "",
            "--bind",
            "127.0.0.1",
            "-::1",
        ];
        assert_eq!(options.unwrap(), wanted.map(OsString::from));
        assert!(file_options("port \"7001").unwrap_err().contains("line 1"));
    }

    #[test]
    fn addresses_end_where_the_next_option_begins() {
        let line = [
            "--bind",
            "127.0.0.1",
            "-::1",
            "--dir",
            "here",
            "--port",
            "7",
        ];
        let options = read(&line).unwrap();
        assert_eq!(options.bind, ["127.0.0.1", "-::1"]);
        assert_eq!((options.port, options.dir.to_str()), (7, Some("here")));
        assert_eq!(read(&["--bind", "::1"]).unwrap().bind, ["::1"]);
        assert_eq!(
            read(&["--bind", "::1", "--bind", "-::2"]).unwrap().bind,
            ["-::2"]
        );
        assert!(read(&["--bind", "--port", "7"]).is_err());
    }

    #[test]
    fn sizes_are_read_as_redis_reads_them() {
        let good = [
            ("1gb", 1 << 30),
            ("2mb", 2 << 20),
            ("3k", 3000),
            ("7", 7),
            ("7b", 7),
        ];
        for (text, bytes) in good {
            assert_eq!(memory(text), Ok(bytes));
        }
        assert!(memory("many").is_err());
    }
}
