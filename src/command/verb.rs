//! The commands that a session and the node run themselves: a verb for each command and subcommand.

/// A thing that clients subscribe to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// A channel.
    Channel,
    /// All channels whose names match a pattern.
    Pattern,
    /// A channel of the shard that owns the slot of its name.
    Shard,
}

impl Topic {
    /// How many there are.
    pub const COUNT: usize = 3;
    /// All of them.
    pub const ALL: [Self; Self::COUNT] = [Self::Channel, Self::Pattern, Self::Shard];
}

/// A command that a session runs itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionVerb {
    /// AUTH.
    Auth,
    /// DISCARD.
    Discard,
    /// EXEC.
    Exec,
    /// HELLO.
    Hello,
    /// MONITOR.
    Monitor,
    /// MULTI.
    Multi,
    /// PING.
    Ping,
    /// QUIT.
    Quit,
    /// READONLY.
    ReadOnly,
    /// READWRITE.
    ReadWrite,
    /// RESET.
    Reset,
    /// SELECT.
    Select,
    /// SUBSCRIBE, PSUBSCRIBE, SSUBSCRIBE.
    Subscribe(Topic),
    /// UNSUBSCRIBE, PUNSUBSCRIBE, SUNSUBSCRIBE.
    Unsubscribe(Topic),
    /// UNWATCH.
    Unwatch,
    /// WATCH.
    Watch,
}

impl SessionVerb {
    /// Returns true if a client of RESP2 may ask for it while it listens to channels.
    pub fn is_for_listeners(self) -> bool {
        match self {
            Self::Subscribe(_) | Self::Unsubscribe(_) | Self::Ping | Self::Quit | Self::Reset => {
                true
            }
            Self::Auth
            | Self::Discard
            | Self::Exec
            | Self::Hello
            | Self::Monitor
            | Self::Multi
            | Self::ReadOnly
            | Self::ReadWrite
            | Self::Select
            | Self::Unwatch
            | Self::Watch => false,
        }
    }

    /// Returns true if it is run at once inside of MULTI, too, and not queued.
    pub fn is_never_queued(self) -> bool {
        match self {
            Self::Multi | Self::Exec | Self::Discard | Self::Watch | Self::Quit | Self::Reset => {
                true
            }
            Self::Auth
            | Self::Hello
            | Self::Monitor
            | Self::Ping
            | Self::ReadOnly
            | Self::ReadWrite
            | Self::Select
            | Self::Subscribe(_)
            | Self::Unsubscribe(_)
            | Self::Unwatch => false,
        }
    }
}

/// The way in which a request says what is to be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Called {
    /// The text of a script.
    Text,
    /// The name of a script that is kept.
    Name,
    /// The name of a function.
    Function,
}

/// A command that runs a script or a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScriptVerb {
    /// The thing that is to be run.
    pub called: Called,
    /// It may change nothing.
    pub only_reads: bool,
}

/// A command that the node runs itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerVerb {
    /// ACL's.
    Acl(AclVerb),
    /// BGREWRITEAOF.
    BgRewriteAof,
    /// BGSAVE: a rewrite.
    BgSave,
    /// CLIENT's.
    Client(ClientVerb),
    /// CLUSTER's.
    Cluster(ClusterVerb),
    /// COMMAND and its subcommands.
    Command(CommandVerb),
    /// CONFIG's.
    Config(ConfigVerb),
    /// DEBUG.
    Debug,
    /// FUNCTION KILL.
    FunctionKill,
    /// FUNCTION STATS.
    FunctionStats,
    /// HELP of any of these.
    Help,
    /// INFO.
    Info,
    /// LASTSAVE.
    LastSave,
    /// LATENCY's.
    Latency(LatencyVerb),
    /// LOLWUT.
    Lolwut,
    /// MEMORY's, but for those about one key or the allocator.
    Memory(MemoryVerb),
    /// PUBLISH, SPUBLISH.
    Publish(Topic),
    /// PUBSUB's.
    PubSub(PubSubVerb),
    /// RAFT's.
    Raft(RaftVerb),
    /// ROLE.
    Role,
    /// SAVE.
    Save,
    /// SCRIPT KILL.
    ScriptKill,
    /// SHUTDOWN.
    Shutdown,
    /// SLOWLOG's.
    Slowlog(SlowlogVerb),
    /// TIME.
    Time,
    /// WAIT.
    Wait,
}

/// The subcommands of MEMORY about the whole server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryVerb {
    /// MEMORY DOCTOR.
    Doctor,
    /// MEMORY STATS.
    Stats,
}

/// The subcommands of ACL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AclVerb {
    /// ACL LIST.
    List,
    /// ACL USERS.
    Users,
    /// ACL WHOAMI.
    WhoAmI,
}

/// The subcommands of CLIENT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientVerb {
    /// CLIENT CACHING.
    Caching,
    /// CLIENT GETNAME.
    GetName,
    /// CLIENT GETREDIR.
    GetRedirect,
    /// CLIENT ID.
    Id,
    /// CLIENT INFO.
    Info,
    /// CLIENT KILL.
    Kill,
    /// CLIENT LIST.
    List,
    /// CLIENT NO-EVICT.
    NoEvict,
    /// CLIENT NO-TOUCH.
    NoTouch,
    /// CLIENT PAUSE.
    Pause,
    /// CLIENT REPLY.
    Reply,
    /// CLIENT SETINFO.
    SetInfo,
    /// CLIENT SETNAME.
    SetName,
    /// CLIENT TRACKING.
    Tracking,
    /// CLIENT TRACKINGINFO.
    TrackingInfo,
    /// CLIENT UNBLOCK.
    Unblock,
    /// CLIENT UNPAUSE.
    Unpause,
}

/// The subcommands of CLUSTER.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClusterVerb {
    /// CLUSTER COUNTKEYSINSLOT.
    CountKeysInSlot,
    /// CLUSTER GETKEYSINSLOT.
    GetKeysInSlot,
    /// CLUSTER INFO.
    Info,
    /// CLUSTER KEYSLOT.
    KeySlot,
    /// CLUSTER MYID.
    MyId,
    /// CLUSTER MYSHARDID.
    MyShardId,
    /// CLUSTER NODES.
    Nodes,
    /// CLUSTER SHARDS.
    Shards,
    /// CLUSTER SLOTS.
    Slots,
}

/// COMMAND and its subcommands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandVerb {
    /// COMMAND alone.
    All,
    /// COMMAND COUNT.
    Count,
    /// COMMAND DOCS.
    Docs,
    /// COMMAND GETKEYS.
    GetKeys,
    /// COMMAND GETKEYSANDFLAGS.
    GetKeysAndFlags,
    /// COMMAND INFO.
    Info,
    /// COMMAND LIST.
    List,
}

/// The subcommands of CONFIG.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigVerb {
    /// CONFIG GET.
    Get,
    /// CONFIG RESETSTAT.
    ResetStat,
    /// CONFIG REWRITE.
    Rewrite,
    /// CONFIG SET.
    Set,
}

/// The subcommands of LATENCY.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LatencyVerb {
    /// LATENCY DOCTOR.
    Doctor,
    /// LATENCY GRAPH.
    Graph,
    /// LATENCY HISTOGRAM.
    Histogram,
    /// LATENCY HISTORY.
    History,
    /// LATENCY LATEST.
    Latest,
    /// LATENCY RESET.
    Reset,
}

/// The subcommands of PUBSUB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PubSubVerb {
    /// PUBSUB CHANNELS, SHARDCHANNELS.
    Channels(Topic),
    /// PUBSUB NUMPAT.
    NumPat,
    /// PUBSUB NUMSUB, SHARDNUMSUB.
    NumSub(Topic),
}

/// The subcommands of RAFT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RaftVerb {
    /// RAFT ADD.
    Add,
    /// RAFT INFO.
    Info,
    /// RAFT NODES.
    Nodes,
    /// RAFT PROMOTE.
    Promote,
    /// RAFT READS.
    Reads,
    /// RAFT REMOVE.
    Remove,
    /// RAFT SNAPSHOT.
    Snapshot,
    /// RAFT TRANSFER.
    Transfer,
}

/// The subcommands of SLOWLOG.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlowlogVerb {
    /// SLOWLOG GET.
    Get,
    /// SLOWLOG LEN.
    Len,
    /// SLOWLOG RESET.
    Reset,
}
