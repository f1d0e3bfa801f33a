//! The rows of what the node answers and does about its group: CLUSTER and RAFT.

use super::flag::Flag;
use super::grammar::{integer, one_of, opt, string, word};
use super::group::Group;
use super::row::Row;
use super::tip;
use super::verb::{ClusterVerb, RaftVerb, ServerVerb};

pub(super) const ROWS: &[Row] = &[
    Row::container("raft", RAFT)
        .group(Group::Cluster)
        .since("7.2.0")
        .says("A container for commands about the group."),
    Row::container("cluster", CLUSTER)
        .group(Group::Cluster)
        .since("3.0.0")
        .says("A container for commands about the group, as cluster clients see it."),
];

const RAFT: &[Row] = &[
    Row::server("raft|add", 3, ServerVerb::Raft(RaftVerb::Add))
        .group(Group::Cluster)
        .since("7.2.0")
        .flags(&[
            Flag::Admin,
            Flag::NoScript,
            Flag::Loading,
            Flag::Stale,
            Flag::NoMulti,
        ])
        .says("Adds a member to the group as a learner, without a vote.")
        .args(&[integer("id")]),
    Row::server("raft|help", 2, ServerVerb::Help)
        .group(Group::Cluster)
        .since("7.2.0")
        .flags(&[Flag::Loading, Flag::Stale, Flag::NoMulti])
        .says("Lists the subcommands."),
    Row::server("raft|info", 2, ServerVerb::Raft(RaftVerb::Info))
        .group(Group::Cluster)
        .since("7.2.0")
        .flags(&[Flag::NoScript, Flag::Loading, Flag::Stale, Flag::NoMulti])
        .says("Returns the Raft state of this member."),
    Row::server("raft|nodes", 2, ServerVerb::Raft(RaftVerb::Nodes))
        .group(Group::Cluster)
        .since("7.2.0")
        .flags(&[Flag::NoScript, Flag::Loading, Flag::Stale, Flag::NoMulti])
        .says("Lists the members."),
    Row::server("raft|promote", 3, ServerVerb::Raft(RaftVerb::Promote))
        .group(Group::Cluster)
        .since("7.2.0")
        .flags(&[
            Flag::Admin,
            Flag::NoScript,
            Flag::Loading,
            Flag::Stale,
            Flag::NoMulti,
        ])
        .says("Promotes a learner that has caught up to a voter.")
        .args(&[integer("id")]),
    Row::server("raft|reads", -2, ServerVerb::Raft(RaftVerb::Reads))
        .group(Group::Cluster)
        .since("7.2.0")
        .flags(&[Flag::NoScript, Flag::Loading, Flag::Stale, Flag::NoMulti])
        .says("Sets or returns the consistency of this client's reads.")
        .args(&[opt(one_of(
            "level",
            &[
                word("DEFAULT"),
                word("LINEARIZABLE"),
                word("LEASE"),
                word("FOLLOWER"),
                integer("milliseconds").behind("BOUNDED"),
                word("LOCAL"),
            ],
        ))]),
    Row::server("raft|remove", 3, ServerVerb::Raft(RaftVerb::Remove))
        .group(Group::Cluster)
        .since("7.2.0")
        .flags(&[
            Flag::Admin,
            Flag::NoScript,
            Flag::Loading,
            Flag::Stale,
            Flag::NoMulti,
        ])
        .says("Removes a member from the group.")
        .args(&[integer("id")]),
    Row::server("raft|snapshot", 2, ServerVerb::Raft(RaftVerb::Snapshot))
        .group(Group::Cluster)
        .since("7.2.0")
        .flags(&[
            Flag::Admin,
            Flag::NoScript,
            Flag::Loading,
            Flag::Stale,
            Flag::NoMulti,
        ])
        .says("Starts a rewrite of the log."),
    Row::server("raft|transfer", -2, ServerVerb::Raft(RaftVerb::Transfer))
        .group(Group::Cluster)
        .since("7.2.0")
        .flags(&[
            Flag::Admin,
            Flag::NoScript,
            Flag::Loading,
            Flag::Stale,
            Flag::NoMulti,
        ])
        .says("Transfers leadership to another voter.")
        .args(&[opt(integer("id"))]),
];

const CLUSTER: &[Row] = &[
    Row::server(
        "cluster|countkeysinslot",
        3,
        ServerVerb::Cluster(ClusterVerb::CountKeysInSlot),
    )
    .group(Group::Cluster)
    .since("3.0.0")
    .flags(&[Flag::Loading, Flag::Stale])
    .says("Counts the keys of a hash slot.")
    .args(&[integer("slot")]),
    Row::server(
        "cluster|getkeysinslot",
        4,
        ServerVerb::Cluster(ClusterVerb::GetKeysInSlot),
    )
    .group(Group::Cluster)
    .since("3.0.0")
    .flags(&[Flag::Loading, Flag::Stale])
    .tips(tip::VARIES)
    .says("Lists keys of a hash slot.")
    .args(&[integer("slot"), integer("count")]),
    Row::server("cluster|help", 2, ServerVerb::Help)
        .group(Group::Cluster)
        .since("5.0.0")
        .flags(&[Flag::Loading, Flag::Stale])
        .says("Lists the subcommands."),
    Row::server("cluster|info", 2, ServerVerb::Cluster(ClusterVerb::Info))
        .group(Group::Cluster)
        .since("3.0.0")
        .flags(&[Flag::Loading, Flag::Stale])
        .tips(tip::VARIES)
        .says("Returns the state of the group."),
    Row::server(
        "cluster|keyslot",
        3,
        ServerVerb::Cluster(ClusterVerb::KeySlot),
    )
    .group(Group::Cluster)
    .since("3.0.0")
    .flags(&[Flag::Loading, Flag::Stale])
    .says("Returns the hash slot of a key.")
    .args(&[string("key")]),
    Row::server("cluster|myid", 2, ServerVerb::Cluster(ClusterVerb::MyId))
        .group(Group::Cluster)
        .since("3.0.0")
        .flags(&[Flag::Loading, Flag::Stale])
        .says("Returns the id of this member."),
    Row::server(
        "cluster|myshardid",
        2,
        ServerVerb::Cluster(ClusterVerb::MyShardId),
    )
    .group(Group::Cluster)
    .since("7.2.0")
    .flags(&[Flag::Loading, Flag::Stale])
    .tips(tip::VARIES)
    .says("Returns the id of the group."),
    Row::server("cluster|nodes", 2, ServerVerb::Cluster(ClusterVerb::Nodes))
        .group(Group::Cluster)
        .since("3.0.0")
        .flags(&[Flag::Loading, Flag::Stale])
        .tips(tip::VARIES)
        .says("Lists the members, one on each line."),
    Row::server(
        "cluster|shards",
        2,
        ServerVerb::Cluster(ClusterVerb::Shards),
    )
    .group(Group::Cluster)
    .since("7.0.0")
    .flags(&[Flag::Loading, Flag::Stale])
    .tips(tip::VARIES)
    .says("Lists the members and their states."),
    Row::server("cluster|slots", 2, ServerVerb::Cluster(ClusterVerb::Slots))
        .group(Group::Cluster)
        .since("3.0.0")
        .flags(&[Flag::Loading, Flag::Stale])
        .deprecated("7.0.0", "`CLUSTER SHARDS`")
        .tips(tip::VARIES)
        .says("Lists the addresses of the members for clients."),
];
