//! CLIENT TRACKING and CLIENT CACHING: of which of its reads a client hears.
//!
//! CLIENT CACHING speaks for the next request that is no CLIENT, or for the transaction that this
//! begins; within a transaction it speaks for the rest of that.

use std::mem;

use crate::model::Want;

/// The reads of which a client hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    All,
    OptIn,
    OptOut,
    /// It hears of all keys with its prefixes, whether it has read them or not.
    Broadcast,
}

/// A prefix of keys of which a client has heard, or may have.
#[derive(Clone, Debug)]
pub(in crate::judge) struct Prefix {
    pub(in crate::judge) bytes: Vec<u8>,
    /// How many steps its member had applied when it began to hear of them.
    pub(in crate::judge) since: usize,
    is_over: bool,
}

/// The request for which CLIENT CACHING has spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Spoken {
    #[default]
    Nothing,
    Next,
    Present,
}

/// The wish of a client to hear of what it has read.
#[derive(Clone, Debug, Default)]
pub(in crate::judge) struct Caching {
    scope: Option<Scope>,
    no_loop: bool,
    /// It has heard of what it writes itself, or may have.
    has_looped: bool,
    spoken: Spoken,
    /// The prefixes of its broadcasts, those that are over as well: words may be on their way.
    pub(in crate::judge) prefixes: Vec<Prefix>,
    /// It may track in a way that is not followed here.
    pub(in crate::judge) is_unsure: bool,
}

impl Caching {
    /// Returns true if its member knows that it tracks.
    pub(in crate::judge) fn tracks(&self) -> bool {
        self.scope.is_some()
    }

    /// Returns true if it does not hear of what it writes itself.
    pub(in crate::judge) fn is_without_loop(&self) -> bool {
        self.no_loop && self.tracks()
    }

    /// The same ever since it began.
    pub(in crate::judge) fn was_never_in_loop(&self) -> bool {
        self.is_without_loop() && !self.has_looped
    }

    /// Returns true if it hears of a key that it reads now.
    pub(in crate::judge) fn keeps(&self, key: &[u8]) -> bool {
        let is_spoken_for = self.spoken == Spoken::Present;
        match self.scope {
            None => false,
            Some(Scope::All) => true,
            Some(Scope::OptIn) => is_spoken_for,
            Some(Scope::OptOut) => !is_spoken_for,
            Some(Scope::Broadcast) => {
                let mut present = self.prefixes.iter().filter(|prefix| !prefix.is_over);
                present.any(|prefix| key.starts_with(&prefix.bytes))
            }
        }
    }

    /// Returns true if it hears of each change of keys, read or not.
    pub(in crate::judge) fn is_broadcast(&self) -> bool {
        self.scope == Some(Scope::Broadcast)
    }

    /// A request outside of a transaction is run, or one that begins a transaction.
    pub(in crate::judge) fn begins(&mut self, name: &[u8]) {
        if name != b"client" {
            self.spoken = match self.spoken {
                Spoken::Next => Spoken::Present,
                Spoken::Present | Spoken::Nothing => Spoken::Nothing,
            };
        }
    }

    /// It tracks no more, and nothing was said.
    pub(in crate::judge) fn ends(&mut self) {
        let mut prefixes = mem::take(&mut self.prefixes);
        for prefix in &mut prefixes {
            prefix.is_over = true;
        }
        *self = Self {
            prefixes,
            is_unsure: self.is_unsure,
            has_looped: self.has_looped,
            ..Self::default()
        };
    }

    /// The answer to CLIENT TRACKING or CLIENT CACHING of a client whose member has applied so many
    /// steps, and what it changes; nothing for another request.
    pub(in crate::judge) fn request(
        &mut self,
        words: &[Vec<u8>],
        steps: usize,
        in_transaction: bool,
    ) -> Option<Want> {
        let lower: Vec<Vec<u8>> = words.iter().map(|word| word.to_ascii_lowercase()).collect();
        let lower: Vec<&[u8]> = lower.iter().map(|word| &word[..]).collect();
        let [b"client", own @ (b"tracking" | b"caching"), how, ..] = &lower[..] else {
            return None;
        };
        let done = if *own == b"tracking" {
            self.track(how, &words[3..], steps)
        } else {
            self.speak(how, in_transaction)
        };
        let refused = Want::ErrorCode("ERR ");
        Some(match done {
            _ if self.is_unsure => Want::OneOf(vec![Want::OK, refused]),
            Some(()) => Want::OK,
            None => refused,
        })
    }

    /// Nothing where it is refused.
    fn track(&mut self, how: &[u8], options: &[Vec<u8>], steps: usize) -> Option<()> {
        let (mut names, mut prefixes) = (Vec::new(), Vec::new());
        let mut rest = options.iter();
        while let Some(option) = rest.next() {
            match &option.to_ascii_lowercase()[..] {
                b"prefix" => prefixes.push(rest.next()?.clone()),
                b"redirect" => {
                    self.is_unsure = true;
                    return None;
                }
                name => names.push(name.to_vec()),
            }
        }
        let has = |name: &[u8]| names.iter().any(|own| own == name);
        let known: [&[u8]; 4] = [b"optin", b"optout", b"noloop", b"bcast"];
        if names.iter().any(|name| !known.contains(&&name[..])) {
            return None;
        }
        if how == b"off" {
            self.ends();
            return Some(());
        }
        let scope = match (has(b"bcast"), has(b"optin"), has(b"optout")) {
            (true, false, false) => Scope::Broadcast,
            (false, true, false) => Scope::OptIn,
            (false, false, true) => Scope::OptOut,
            (false, false, false) => Scope::All,
            _ => return None,
        };
        let is_switched = self.scope.is_some_and(|before| match (before, scope) {
            (Scope::OptIn, Scope::OptOut) | (Scope::OptOut, Scope::OptIn) => true,
            _ => (before == Scope::Broadcast) != (scope == Scope::Broadcast),
        });
        if how != b"on" || is_switched || scope != Scope::Broadcast && !prefixes.is_empty() {
            return None;
        }
        if scope == Scope::Broadcast {
            self.broadcasts(prefixes, steps)?;
        }
        (self.scope, self.no_loop) = (Some(scope), has(b"noloop"));
        self.has_looped |= !self.no_loop;
        self.spoken = Spoken::Nothing;
        Some(())
    }

    /// It hears of keys with these prefixes as well; nothing where one of them begins with another,
    /// or with one of which it hears. Without any it hears of all keys, whatever it has heard of.
    fn broadcasts(&mut self, prefixes: Vec<Vec<u8>>, since: usize) -> Option<()> {
        let present = self.prefixes.iter().filter(|prefix| !prefix.is_over);
        let mut known: Vec<Vec<u8>> = present.map(|prefix| prefix.bytes.clone()).collect();
        let all = prefixes.is_empty().then(Vec::new);
        if all.as_ref().is_some_and(|all| known.contains(all)) {
            return Some(());
        }
        for prefix in &prefixes {
            let overlaps = |one: &Vec<u8>| one.starts_with(prefix) || prefix.starts_with(one);
            if known.iter().any(overlaps) {
                return None;
            }
            known.push(prefix.clone());
        }
        let new = prefixes.into_iter().chain(all);
        self.prefixes.extend(new.map(|bytes| Prefix {
            bytes,
            since,
            is_over: false,
        }));
        Some(())
    }

    fn speak(&mut self, how: &[u8], in_transaction: bool) -> Option<()> {
        let is_said = match (self.scope, how) {
            (Some(scope), b"yes") => scope == Scope::OptIn,
            (Some(scope), b"no") => scope == Scope::OptOut,
            _ => false,
        };
        self.spoken = match (is_said, in_transaction) {
            (false, _) => return None,
            (true, true) => Spoken::Present,
            (true, false) => Spoken::Next,
        };
        Some(())
    }
}
