//! CLIENT TRACKING and CLIENT CACHING: of which of its reads a client hears.
//!
//! CLIENT CACHING speaks for the next request that is no CLIENT, or for the transaction that this
//! begins; within a transaction it speaks for the rest of that.

use crate::model::Want;

/// The reads of which a client hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    All,
    OptIn,
    OptOut,
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

    /// Returns true if it hears of what it reads now.
    pub(in crate::judge) fn keeps_reads(&self) -> bool {
        let is_spoken_for = self.spoken == Spoken::Present;
        match self.scope {
            None => false,
            Some(Scope::All) => true,
            Some(Scope::OptIn) => is_spoken_for,
            Some(Scope::OptOut) => !is_spoken_for,
        }
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
        *self = Self {
            is_unsure: self.is_unsure,
            has_looped: self.has_looped,
            ..Self::default()
        };
    }

    /// The answer to CLIENT TRACKING or CLIENT CACHING, and what it changes; nothing for another
    /// request.
    pub(in crate::judge) fn request(
        &mut self,
        words: &[Vec<u8>],
        in_transaction: bool,
    ) -> Option<Want> {
        let lower: Vec<Vec<u8>> = words.iter().map(|word| word.to_ascii_lowercase()).collect();
        let lower: Vec<&[u8]> = lower.iter().map(|word| &word[..]).collect();
        let [
            b"client",
            own @ (b"tracking" | b"caching"),
            how,
            options @ ..,
        ] = &lower[..]
        else {
            return None;
        };
        let done = if *own == b"tracking" {
            self.track(how, options)
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
    fn track(&mut self, how: &[u8], options: &[&[u8]]) -> Option<()> {
        let has = |name: &[u8]| options.contains(&name);
        let is_known = |option: &&[u8]| matches!(*option, b"optin" | b"optout" | b"noloop");
        if !options.iter().all(is_known) {
            let others: [&[u8]; 3] = [b"redirect", b"bcast", b"prefix"];
            self.is_unsure |= others.into_iter().any(has);
            return None;
        }
        if how == b"off" {
            self.ends();
            return Some(());
        }
        let scope = match (has(b"optin"), has(b"optout")) {
            (true, true) => return None,
            (true, false) => Scope::OptIn,
            (false, true) => Scope::OptOut,
            (false, false) => Scope::All,
        };
        let is_switched = matches!(
            (self.scope, scope),
            (Some(Scope::OptIn), Scope::OptOut) | (Some(Scope::OptOut), Scope::OptIn)
        );
        if how != b"on" || is_switched {
            return None;
        }
        (self.scope, self.no_loop) = (Some(scope), has(b"noloop"));
        self.has_looped |= !self.no_loop;
        self.spoken = Spoken::Nothing;
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
