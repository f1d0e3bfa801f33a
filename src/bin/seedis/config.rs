//! The options of the process: files in the style of redis.conf, then the environment, then the
//! arguments; the last word counts.

pub(crate) mod files;

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use seedis::node::config::Config;
use seedis::node::options::settings::Settings;
use seedis::node::options::{self, Form, Meaning, form};

use files::{Disk, read_file};

/// The request in the arguments.
#[derive(Debug)]
pub(crate) enum Asked {
    /// A server with these options.
    Serve(Box<Options>),
    /// The list of options.
    Help,
    /// The version.
    Version,
}

/// The settings of the shell itself; all others are the node's.
#[derive(Debug)]
pub(crate) struct Options {
    /// The configuration file, if it is one that can be written again.
    pub(crate) config_file: Option<PathBuf>,
    pub(crate) is_from_standard_input: bool,
    pub(crate) port: u16,
    pub(crate) bind: Vec<String>,
    pub(crate) unixsocket: Option<PathBuf>,
    pub(crate) unixsocketperm: Option<u32>,
    pub(crate) dir: PathBuf,
    pub(crate) appendonly: Switch,
    pub(crate) tcp_keepalive: u64,
    /// Empty: standard output.
    pub(crate) logfile: OsString,
    pub(crate) loglevel: LogLevel,
    pub(crate) supervised: Supervised,
    pub(crate) pidfile: Option<PathBuf>,
    pub(crate) daemonize: Switch,
    pub(crate) debug_sync_delay_us: u64,
    pub(crate) id: Option<u64>,
    pub(crate) peers: Vec<(u64, String)>,
    pub(crate) join: Option<String>,
    pub(crate) cluster_port: Option<u16>,
    pub(crate) cluster_bind: Option<String>,
    pub(crate) cluster_secret: Vec<u8>,
    pub(crate) cluster_secret_file: Option<PathBuf>,
    pub(crate) advertise: Option<String>,
    /// The lines for the operator, to be logged once there is a log.
    pub(crate) warnings: Vec<String>,
    settings: Settings,
}

/// yes or no, as redis.conf says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Switch {
    Yes,
    No,
}

impl Switch {
    pub(crate) fn is_on(self) -> bool {
        self == Self::Yes
    }
}

/// Which service manager is told that the server serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Supervised {
    /// The one that the environment names, if it does.
    Auto,
    No,
    Systemd,
    /// It waits until the process stops itself.
    Upstart,
}

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogLevel {
    Debug,
    Verbose,
    Notice,
    Warning,
    Nothing,
}

impl LogLevel {
    /// The one that a directive's value names.
    pub(crate) fn of(value: &[u8]) -> Self {
        match value {
            b"debug" => Self::Debug,
            b"verbose" => Self::Verbose,
            b"warning" => Self::Warning,
            b"nothing" => Self::Nothing,
            _ => Self::Notice,
        }
    }
}

impl Asked {
    /// Reads what this process was started with. An error holds everything that is wrong, a line
    /// each.
    pub(crate) fn read(
        arguments: impl IntoIterator<Item = OsString>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, String> {
        let arguments: Vec<Vec<u8>> = arguments.into_iter().map(OsString::into_vec).collect();
        let mut arguments = arguments.get(1..).unwrap_or_default();
        match arguments.first().map(Vec::as_slice) {
            Some(b"--help" | b"-h") => return Ok(Self::Help),
            Some(b"--version" | b"-v") => return Ok(Self::Version),
            _ => {}
        }
        let mut settings = Settings::default();
        let (mut config_file, mut is_from_standard_input) = (None, false);
        // Redis takes a file as its first argument only, and so do we: `--port 1 file` would be
        // ambiguous.
        if let Some((first, rest)) = arguments.split_first()
            && !first.starts_with(b"--")
        {
            arguments = rest;
            let path = Path::new(OsStr::from_bytes(first));
            match read_file(path) {
                Ok(source) => settings.file(&source, &mut Disk),
                Err(why) => settings.complain(why),
            }
            is_from_standard_input = first == b"-";
            config_file = (!is_from_standard_input).then(|| path.to_owned());
        }
        let mut variables: Vec<_> = environment.into_iter().collect();
        variables.sort();
        for (name, value) in variables {
            settings.variable(name.as_bytes(), value.as_bytes());
        }
        settings.arguments(arguments, &mut Disk);
        settings.finish();
        if settings.errors().is_empty() {
            let mut options = Options::new(settings, config_file);
            options.is_from_standard_input = is_from_standard_input;
            return Ok(Self::Serve(Box::new(options)));
        }
        Err(told(settings.errors()))
    }
}

/// All that is wrong, for people.
fn told(errors: &[String]) -> String {
    const SHOWN_MAX: usize = 50;
    let mut text = match errors {
        [one] => return format!("the configuration is wrong: {one}"),
        many => format!("the configuration is wrong in {} places:", many.len()),
    };
    for error in errors.iter().take(SHOWN_MAX) {
        let _ = write!(text, "\n  {error}");
    }
    if errors.len() > SHOWN_MAX {
        let _ = write!(text, "\n  and {} more", errors.len() - SHOWN_MAX);
    }
    text
}

impl Options {
    /// The options of a server that only these arguments describe.
    pub(crate) fn of(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        match Asked::read(arguments, [])? {
            Asked::Serve(options) => Ok(*options),
            Asked::Help | Asked::Version => Err("these arguments describe no server".into()),
        }
    }

    fn new(settings: Settings, config_file: Option<PathBuf>) -> Self {
        let value = |name: &str| {
            let directive = options::find(name.as_bytes()).expect("a name of the table");
            settings.value(directive)
        };
        let text = |name: &str| String::from_utf8_lossy(&value(name)).into_owned();
        let some = |name: &str| Some(text(name)).filter(|text| !text.is_empty());
        let path = |name: &str| PathBuf::from(OsString::from_vec(value(name)));
        let number = |name: &str| text(name).parse::<u64>().unwrap_or_default();
        let port = |name: &str| u16::try_from(number(name)).unwrap_or_default();
        let switch = |name: &str| match value(name).as_slice() {
            b"no" => Switch::No,
            _ => Switch::Yes,
        };
        Self {
            config_file,
            is_from_standard_input: false,
            port: port("port"),
            bind: text("bind").split_whitespace().map(str::to_owned).collect(),
            unixsocket: some("unixsocket").map(|_| path("unixsocket")),
            unixsocketperm: form::octal(&value("unixsocketperm")).filter(|mode| *mode != 0),
            dir: path("dir"),
            appendonly: switch("appendonly"),
            tcp_keepalive: number("tcp-keepalive"),
            logfile: path("logfile").into_os_string(),
            loglevel: LogLevel::of(&value("loglevel")),
            pidfile: some("pidfile").map(|_| path("pidfile")),
            daemonize: switch("daemonize"),
            supervised: match value("supervised").as_slice() {
                b"no" => Supervised::No,
                b"systemd" => Supervised::Systemd,
                b"upstart" => Supervised::Upstart,
                _ => Supervised::Auto,
            },
            debug_sync_delay_us: number("debug-sync-delay-us"),
            id: Some(number("id")).filter(|id| *id != 0),
            peers: form::members(&value("peers")).unwrap_or_default(),
            join: some("join"),
            cluster_port: Some(port("cluster-port")).filter(|port| *port != 0),
            cluster_bind: some("cluster-bind"),
            cluster_secret: value("cluster-secret"),
            cluster_secret_file: some("cluster-secret-file").map(|_| path("cluster-secret-file")),
            advertise: some("advertise"),
            warnings: settings.warnings(),
            settings,
        }
    }

    /// The node's part of the settings.
    pub(crate) fn node(&self) -> Config {
        let mut config = Config::default();
        self.settings.configure(&mut config);
        config
    }
}

/// A variable of the environment that is no option.
#[expect(
    clippy::disallowed_methods,
    reason = "what is told by those who start us, beside the options"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Every option with its default and its variable.
pub(crate) fn help() -> String {
    let mut text = String::from(
        "A Redis-compatible cache server whose every behaviour can be replayed from a seed.\n\n\
         Usage: seedis [FILE|-] [--OPTION VALUE…]…\n       \
         seedis check [--repair] DIR      look for damage in a directory not in use\n       \
         seedis backup DIR FILE           back a data directory up into one file\n       \
         seedis restore FILE --dir DIR    make a data directory from a backup\n       \
         seedis demo                      run a group of members in one process\n       \
         seedis --version | --help\n\n\
         FILE has lines of the form \"option value\", as redis.conf does; - is standard input. An \
         environment\nvariable SEEDIS_OPTION overrides the file, and an argument overrides \
         both.\n\n",
    );
    let acting = options::all().filter(|directive| directive.meaning == Meaning::Acts);
    for directive in acting {
        let (name, form) = (directive.name, directive.form.placeholder());
        let default = match (directive.default, directive.form) {
            ("", _) => String::new(),
            (default, Form::Memory | Form::MemoryFrom(_)) => match default.parse::<u64>() {
                Ok(bytes) if bytes > 0 && bytes % (1 << 20) == 0 => {
                    format!(" [{}mb]", bytes >> 20)
                }
                _ => format!(" [{default}]"),
            },
            (default, _) => format!(" [{default}]"),
        };
        let _ = writeln!(
            text,
            "  --{name} {form}{default}\n          {}",
            directive.help
        );
    }
    text
}

#[cfg(test)]
mod tests;
