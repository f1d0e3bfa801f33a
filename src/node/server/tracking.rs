//! CLIENT TRACKING and its kin.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::command::args::Args;
use crate::command::error::{Error, Outcome};
use crate::ids::ConnId;
use crate::limits;
use crate::node::clients::Clients;
use crate::resp::reply::Reply;
use crate::session::tracking::{CacheTracking, Scope};

/// CLIENT TRACKING.
pub(super) fn track(clients: &mut Clients, slot: u32, args: Args<'_>) -> Outcome {
    let mut wanted = Wanted::default();
    let mut at = 3;
    while at < args.len() {
        let has_more = at + 1 < args.len();
        if args.is(at, "redirect") && has_more {
            at += 1;
            if wanted.redirect.is_some() {
                return Err(Error::REDIRECT_TWICE);
            }
            let id = args.integer(at)?;
            let id = ConnId(u64::try_from(id).unwrap_or(u64::MAX));
            if clients.slot(id).is_none() {
                return Err(Error::REDIRECT_NOBODY);
            }
            wanted.redirect = Some(id);
        } else if args.is(at, "bcast") {
            wanted.broadcast = true;
        } else if args.is(at, "optin") {
            wanted.opt_in = true;
        } else if args.is(at, "optout") {
            wanted.opt_out = true;
        } else if args.is(at, "noloop") {
            wanted.no_loop = true;
        } else if args.is(at, "prefix") && has_more {
            at += 1;
            wanted.prefixes.push(args.at(at).into());
        } else {
            return Err(Error::SYNTAX);
        }
        at += 1;
    }
    if args.is(2, "off") {
        clients.track_no_more(slot);
        return Ok(());
    }
    if !args.is(2, "on") {
        return Err(Error::SYNTAX);
    }
    let session = clients.get(slot);
    let before = session.and_then(|session| session.tracking.as_deref());
    let tracking = wanted.tracking(before)?;
    clients.track(slot, Box::new(tracking));
    Ok(())
}

/// CLIENT CACHING, outside of a transaction or in one.
pub(super) fn speak_of_caching(
    clients: &mut Clients,
    slot: u32,
    args: Args<'_>,
    in_transaction: bool,
) -> Outcome {
    let session = clients.get_mut(slot);
    let tracking = session.and_then(|session| session.tracking.as_mut());
    let Some(tracking) = tracking else {
        return Err(Error::CACHING_UNTRACKED);
    };
    if args.is(2, "yes") {
        if tracking.scope != Scope::OptIn {
            return Err(Error::CACHING_YES);
        }
    } else if args.is(2, "no") {
        if tracking.scope != Scope::OptOut {
            return Err(Error::CACHING_NO);
        }
    } else {
        return Err(Error::SYNTAX);
    }
    tracking.says(in_transaction);
    Ok(())
}

/// CLIENT GETREDIR.
pub(super) fn tell_redirection(clients: &Clients, slot: u32, reply: &mut Reply<'_>) {
    reply.integer(tracking_of(clients, slot).map_or(-1, CacheTracking::shown_redirect));
}

/// CLIENT TRACKINGINFO.
pub(super) fn tell_tracking(clients: &Clients, slot: u32, reply: &mut Reply<'_>) {
    let tracking = tracking_of(clients, slot);
    let flags = tracking.map_or([(true, "off"); 7], |tracking| {
        let scope = tracking.scope;
        let said = tracking.has_said();
        [
            (true, "on"),
            (scope == Scope::Broadcast, "bcast"),
            (scope == Scope::OptIn, "optin"),
            (scope == Scope::OptIn && said, "caching-yes"),
            (scope == Scope::OptOut, "optout"),
            (scope == Scope::OptOut && said, "caching-no"),
            (tracking.no_loop, "noloop"),
        ]
    });
    let is_broken = tracking.is_some_and(|tracking| tracking.is_redirect_broken);
    let shown = if tracking.is_some() { 7 } else { 1 };
    let flags = flags.into_iter().take(shown);
    let flags = flags.chain([(is_broken, "broken_redirect")]);
    let flags: Vec<&str> = flags.filter(|(on, _)| *on).map(|(_, flag)| flag).collect();
    reply.map(3);
    reply.bulk(b"flags");
    reply.set(flags.len());
    for flag in flags {
        reply.bulk(flag.as_bytes());
    }
    reply.bulk(b"redirect");
    reply.integer(tracking.map_or(-1, CacheTracking::shown_redirect));
    reply.bulk(b"prefixes");
    let prefixes = tracking.map_or(0, |tracking| tracking.prefixes.len());
    reply.array(prefixes);
    for prefix in tracking.into_iter().flat_map(|tracking| &tracking.prefixes) {
        reply.bulk(prefix);
    }
}

fn tracking_of(clients: &Clients, slot: u32) -> Option<&CacheTracking> {
    clients.get(slot)?.tracking.as_deref()
}

/// The arguments of CLIENT TRACKING.
#[derive(Debug, Default)]
struct Wanted {
    redirect: Option<ConnId>,
    broadcast: bool,
    opt_in: bool,
    opt_out: bool,
    no_loop: bool,
    prefixes: Vec<Box<[u8]>>,
}

impl Wanted {
    /// The tracking that a client has from now on, if it may be so behind what it has had.
    fn tracking(self, before: Option<&CacheTracking>) -> Result<CacheTracking, Error> {
        if !self.broadcast && !self.prefixes.is_empty() {
            return Err(Error::PREFIX_WITHOUT_BROADCAST);
        }
        let scope = before.map(|tracking| tracking.scope);
        if scope.is_some_and(|scope| (scope == Scope::Broadcast) != self.broadcast) {
            return Err(Error::BROADCAST_SWITCHED);
        }
        if self.broadcast && (self.opt_in || self.opt_out) {
            return Err(Error::OPT_BROADCAST);
        }
        if self.opt_in && self.opt_out {
            return Err(Error::OPT_BOTH);
        }
        if self.opt_in && scope == Some(Scope::OptOut)
            || self.opt_out && scope == Some(Scope::OptIn)
        {
            return Err(Error::OPT_SWITCHED);
        }
        let mut prefixes = before.map_or_else(BTreeSet::new, |before| before.prefixes.clone());
        if self.broadcast {
            let bytes: usize = self.prefixes.iter().map(|prefix| prefix.len()).sum();
            if self.prefixes.len() > limits::PREFIXES_MAX || bytes > limits::PREFIX_BYTES_MAX {
                return Err(Error::TOO_MANY_PREFIXES);
            }
            check_prefixes(&prefixes, &self.prefixes)?;
            if self.prefixes.is_empty() {
                prefixes.insert(Box::default());
            }
            prefixes.extend(self.prefixes);
            let bytes: usize = prefixes.iter().map(|prefix| prefix.len()).sum();
            if prefixes.len() > limits::PREFIXES_MAX || bytes > limits::PREFIX_BYTES_MAX {
                return Err(Error::TOO_MANY_PREFIXES);
            }
        }
        Ok(CacheTracking {
            scope: match (self.broadcast, self.opt_in, self.opt_out) {
                (true, ..) => Scope::Broadcast,
                (_, true, _) => Scope::OptIn,
                (_, _, true) => Scope::OptOut,
                _ => Scope::Reads,
            },
            no_loop: self.no_loop,
            redirect: self.redirect,
            prefixes,
            ..CacheTracking::default()
        })
    }
}

/// Refuses prefixes of which one begins with another: a client would hear twice of one key. None of
/// those that are `known` begins with another.
fn check_prefixes(known: &BTreeSet<Box<[u8]>>, new: &[Box<[u8]>]) -> Outcome {
    let overlap = |one: &[u8], other: &[u8]| one.starts_with(other) || other.starts_with(one);
    for (nth, prefix) in new.iter().enumerate() {
        let before = known.range(..=prefix.clone()).next_back();
        let behind = known.range(prefix.clone()..).next();
        let mut known = before.into_iter().chain(behind);
        let mut others = new[nth + 1..].iter();
        let (which, other) = if let Some(other) = known.find(|other| overlap(prefix, other)) {
            ("an existing", other)
        } else if let Some(other) = others.find(|other| overlap(prefix, other)) {
            ("another provided", other)
        } else {
            continue;
        };
        let [prefix, other] = [prefix, other].map(|prefix| String::from_utf8_lossy(prefix));
        return Err(Error::text(format!(
            "ERR Prefix '{prefix}' overlaps with {which} prefix '{other}'. Prefixes for a single \
             client must not overlap."
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(prefixes: impl Iterator<Item = String>) -> Wanted {
        Wanted {
            broadcast: true,
            prefixes: prefixes.map(|one| one.into_bytes().into()).collect(),
            ..Wanted::default()
        }
    }

    #[test]
    fn too_many_prefixes_are_refused_before_they_are_compared() {
        // Each with each would take minutes.
        let many = (0..400_000).map(|nth| format!("{nth:06}"));
        let refused = wanted(many).tracking(None).unwrap_err();
        assert_eq!(refused, Error::TOO_MANY_PREFIXES);
        let long = wanted((0..2).map(|nth| format!("{nth}{}", "x".repeat(40_000))));
        assert_eq!(long.tracking(None).unwrap_err(), Error::TOO_MANY_PREFIXES);
    }

    #[test]
    fn a_prefix_that_overlaps_with_a_known_one_is_found_on_either_side_of_it() {
        let of = |all: &[&str]| wanted(all.iter().map(|one| (*one).to_owned()));
        let known = of(&["b", "ca", "cb", "d"]).tracking(None).unwrap();
        let said = |all: &[&str]| match of(all).tracking(Some(&known)) {
            Ok(_) => String::new(),
            Err(Error::Reply(text)) => String::from_utf8_lossy(&text).into_owned(),
            Err(error) => panic!("{error:?}"),
        };
        assert_eq!(said(&["a", "cc", "e"]), "");
        for (prefix, other) in [
            ("bb", "b"),
            ("c", "ca"),
            ("", "b"),
            ("cbx", "cb"),
            ("d", "d"),
        ] {
            let told = format!("'{prefix}' overlaps with an existing prefix '{other}'");
            assert!(said(&[prefix]).contains(&told), "{}", said(&[prefix]));
        }
        assert!(said(&["x", "ya", "y"]).contains("'ya' overlaps with another provided prefix 'y'"));
    }
}
