//! Machines as scripts and libraries find them: the table `redis`, and the globals.

use alloc::boxed::Box;

use crate::lua::{Machine, ScriptLimits, Value};

/// The functions of the table `redis`, in the order of their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Call,
    PCall,
    ErrorReply,
    StatusReply,
    Sha1Hex,
    Log,
    SetResp,
    Breakpoint,
    Debug,
    SetRepl,
    ReplicateCommands,
    AclCheckCmd,
    Register,
}

impl Function {
    const ALL: [(&'static str, Self); 13] = [
        ("call", Self::Call),
        ("pcall", Self::PCall),
        ("error_reply", Self::ErrorReply),
        ("status_reply", Self::StatusReply),
        ("sha1hex", Self::Sha1Hex),
        ("log", Self::Log),
        ("setresp", Self::SetResp),
        ("breakpoint", Self::Breakpoint),
        ("debug", Self::Debug),
        ("set_repl", Self::SetRepl),
        ("replicate_commands", Self::ReplicateCommands),
        ("acl_check_cmd", Self::AclCheckCmd),
        ("register_function", Self::Register),
    ];

    /// The function of a number.
    pub(super) fn of(number: u32) -> Option<Self> {
        let (_, function) = Self::ALL.get(number as usize)?;
        Some(*function)
    }

    /// Returns true if it is in the table `redis` for whom this is.
    fn is_for(self, whom: Whom) -> bool {
        match self {
            Self::Register => whom == Whom::Library,
            Self::Log => true,
            Self::Breakpoint | Self::Debug | Self::ReplicateCommands => whom == Whom::Script,
            Self::Call
            | Self::PCall
            | Self::ErrorReply
            | Self::StatusReply
            | Self::Sha1Hex
            | Self::SetResp
            | Self::SetRepl
            | Self::AclCheckCmd => whom != Whom::Library,
        }
    }
}

/// For whom a table `redis` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whom {
    /// A script.
    Script,
    /// A function of a library.
    Function,
    /// A library that is being loaded.
    Library,
}

/// Numbers of the table `redis`: levels of the log, and those of `set_repl`.
const LEVELS: [(&str, f64); 4] = [
    ("LOG_DEBUG", 0.0),
    ("LOG_VERBOSE", 1.0),
    ("LOG_NOTICE", 2.0),
    ("LOG_WARNING", 3.0),
];
const REPLICATION: [(&str, f64); 5] = [
    ("REPL_NONE", 0.0),
    ("REPL_AOF", 1.0),
    ("REPL_SLAVE", 2.0),
    ("REPL_REPLICA", 2.0),
    ("REPL_ALL", 3.0),
];

/// The version of Redis whose scripts these are.
const VERSION: (&str, f64) = ("7.2.0", 0x0007_0200 as f64);

/// The error of a global variable that is not there, in front of its name.
const UNKNOWN: &str = "Script attempted to access nonexistent global variable";

/// Globals that only scripts have: with them a function could leave its environment.
const SCRIPTS_OWN: [&str; 3] = ["getfenv", "setfenv", "newproxy"];

/// A machine with all that scripts find there.
pub(super) fn for_scripts() -> Machine {
    let mut machine = Machine::new(ScriptLimits::default(), 0);
    let globals = machine.globals();
    let redis = table_of(&mut machine, Whom::Script);
    machine.set_field(globals, "redis", redis);
    // They have their places from here on: those of what comes behind the seal say what ran before.
    for name in ["KEYS", "ARGV"] {
        let nothing = machine.table();
        machine.set_field(globals, name, nothing);
    }
    machine.refuse_unknown_globals(UNKNOWN);
    machine.pcall_unwraps("err");
    machine.seal();
    machine
}

/// A machine for one library, and the tables in it that its host has to know.
#[derive(Clone, Debug)]
pub(super) struct LibraryMachine {
    pub(super) machine: Box<Machine>,
    /// The globals of the library: an empty table, which stands for others.
    pub(super) environment: Value,
    /// The metatable that says for which.
    metatable: Value,
    /// The functions that it registers, in their order.
    pub(super) callbacks: Value,
}

impl LibraryMachine {
    /// A machine for a library that is to be loaded: it finds `redis` there, and nothing else.
    pub(super) fn new(memory_bytes: u64) -> Self {
        let mut machine = Box::new(Machine::new(ScriptLimits::default(), 0));
        let globals = machine.globals();
        for name in SCRIPTS_OWN {
            machine.set_field(globals, name, Value::Nil);
        }
        let redis = table_of(&mut machine, Whom::Function);
        machine.set_field(globals, "redis", redis);
        machine.refuse_unknown_globals(UNKNOWN);
        machine.pcall_unwraps("err");
        let redis = table_of(&mut machine, Whom::Library);
        machine.refuse_unknown(redis, UNKNOWN);
        let seen = machine.table();
        machine.set_field(seen, "redis", redis);
        machine.refuse_unknown(seen, UNKNOWN);
        let (environment, metatable) = (machine.table(), machine.table());
        machine.set_field(metatable, "__index", seen);
        machine.set_metatable(environment, metatable);
        let callbacks = machine.table();
        machine.seal();
        machine.reset(0);
        machine.set_memory_limit(memory_bytes);
        Self {
            machine,
            environment,
            metatable,
            callbacks,
        }
    }

    /// The library is loaded: its functions find all globals, and itself as it is now whenever one
    /// is called.
    pub(super) fn settle(&mut self) {
        let globals = self.machine.globals();
        self.machine.set_field(self.metatable, "__index", globals);
        self.machine.settle();
    }
}

/// The table `redis`.
fn table_of(machine: &mut Machine, whom: Whom) -> Value {
    let redis = machine.table();
    for (number, (name, function)) in (0..).zip(Function::ALL) {
        if function.is_for(whom) {
            let function = machine.host_function(number);
            machine.set_field(redis, name, function);
        }
    }
    for (name, number) in LEVELS {
        machine.set_field(redis, name, Value::Number(number));
    }
    if whom != Whom::Library {
        for (name, number) in REPLICATION {
            machine.set_field(redis, name, Value::Number(number));
        }
    }
    let (version, number) = VERSION;
    let version = machine.string(version.as_bytes());
    machine.set_field(redis, "REDIS_VERSION", version);
    machine.set_field(redis, "REDIS_VERSION_NUM", Value::Number(number));
    redis
}
