//! Tips of COMMAND INFO: whom a client of a cluster asks, and how it makes one reply of several
//! (Redis's "Command tips").
//!
//! All keys of Seedis are in one shard. A client that follows the tips asks each member, or the one
//! shard, and is right in either case.

/// A word as Redis spells it.
pub type Tip = &'static str;

const VARYING: Tip = "nondeterministic_output";
const VARYING_ORDER: Tip = "nondeterministic_output_order";
const ALL_NODES: Tip = "request_policy:all_nodes";
const ALL_SHARDS: Tip = "request_policy:all_shards";
const MULTI_SHARD: Tip = "request_policy:multi_shard";
const SPECIAL_REQUEST: Tip = "request_policy:special";
const ALL_SUCCEEDED: Tip = "response_policy:all_succeeded";
const ONE_SUCCEEDED: Tip = "response_policy:one_succeeded";
const AND: Tip = "response_policy:agg_logical_and";
const LEAST: Tip = "response_policy:agg_min";
const SUM: Tip = "response_policy:agg_sum";
const SPECIAL_RESPONSE: Tip = "response_policy:special";

/// The same request may be answered otherwise, though nothing was written.
pub(super) const VARIES: &[Tip] = &[VARYING];
/// The elements of the reply come in any order.
pub(super) const ORDER_VARIES: &[Tip] = &[VARYING_ORDER];
/// Asked of every shard; no rule makes one reply of theirs.
pub(super) const VARIES_OF_ALL_SHARDS: &[Tip] = &[VARYING, ALL_SHARDS, SPECIAL_RESPONSE];
/// Asked of every node; no rule makes one reply of theirs.
pub(super) const VARIES_OF_ALL_NODES: &[Tip] = &[VARYING, ALL_NODES, SPECIAL_RESPONSE];
/// Asked of every shard, and any reply will do.
pub(super) const VARIES_BY_SHARD: &[Tip] = &[ALL_SHARDS, SPECIAL_RESPONSE, VARYING];
/// Asked of every node, each of which answers of itself.
pub(super) const VARIES_BY_NODE: &[Tip] = &[ALL_NODES, VARYING];
/// Asked of every shard, and done when all have done it.
pub(super) const SUCCEEDS_ON_ALL_SHARDS: &[Tip] = &[ALL_SHARDS, ALL_SUCCEEDED];
/// Asked of every node, and done when all have done it.
pub(super) const SUCCEEDS_ON_ALL_NODES: &[Tip] = &[ALL_NODES, ALL_SUCCEEDED];
/// Asked of every shard; true where all say so.
pub(super) const ALL_SAY_SO_ON_ALL_SHARDS: &[Tip] = &[ALL_SHARDS, AND];
/// Asked of every shard, and done when one has done it.
pub(super) const ONE_SUCCEEDS_OF_ALL_SHARDS: &[Tip] = &[ALL_SHARDS, ONE_SUCCEEDED];
/// Asked of every shard; the smallest reply counts.
pub(super) const LEAST_OF_ALL_SHARDS: &[Tip] = &[ALL_SHARDS, LEAST];
/// Asked of every shard; the replies are summed.
pub(super) const SUM_OF_ALL_SHARDS: &[Tip] = &[ALL_SHARDS, SUM];
/// Asked of every node; the replies are summed.
pub(super) const SUM_OF_ALL_NODES: &[Tip] = &[ALL_NODES, SUM];
/// The same, of a count that changes by itself.
pub(super) const VARYING_SUM_OF_ALL_NODES: &[Tip] = &[ALL_NODES, SUM, VARYING];
/// Each shard is asked about its own keys; the replies stand in the order of the keys.
pub(super) const SPLIT_BY_SHARD: &[Tip] = &[MULTI_SHARD];
/// Each shard is asked about its own keys, and all must succeed.
pub(super) const SPLIT_AND_ALL_SUCCEED: &[Tip] = &[MULTI_SHARD, ALL_SUCCEEDED];
/// Each shard is asked about its own keys; the replies are summed.
pub(super) const SPLIT_AND_SUMMED: &[Tip] = &[MULTI_SHARD, SUM];
/// Asked of every shard; the elements come in any order.
pub(super) const ORDER_VARIES_OF_ALL_SHARDS: &[Tip] = &[ALL_SHARDS, VARYING_ORDER];
/// One shard is asked after the other, with the cursor that it gave.
pub(super) const CURSOR: &[Tip] = &[VARYING, SPECIAL_REQUEST, SPECIAL_RESPONSE];
