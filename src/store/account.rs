//! How much memory the store holds, and how much of that its changes alone decide.
//!
//! Members that apply the same entries hold nearly the same memory. Three things come at moments of
//! a member's own: a state that is loaded is packed more tightly than one that has grown; keys that
//! are dead are freed by upkeep, and what is written before or after that finds other gaps; and a
//! large value that changes beside a base is copied, without the room to grow that it had. Until
//! one of them happens a member's tables take as many bytes as any other's (`tables_memory`). The
//! keys that stand in pages take the same number on all members always (`paged_bytes`).

use super::big::Big;
use super::dict::Dict;
use super::entry::View;
use super::heat::Heat;
use super::{DbId, Store};
use crate::time::Stamp;

/// The bytes that the table itself takes for a key: a slot and its tag at a usual fill.
const SLOT_BYTES: usize = 8;

impl Store {
    /// About how many bytes of memory one present key takes with its value; `None` where it is
    /// absent.
    #[must_use]
    pub fn memory_usage(&self, db: DbId, key: &[u8]) -> Option<usize> {
        Some(SLOT_BYTES + self.view(db, key)?.bytes())
    }

    /// The bytes of memory that the store holds, what waits to be freed or to be written to a base
    /// included.
    #[must_use]
    pub fn memory(&self) -> usize {
        let base = self.base.as_ref().map_or(0, |base| base.memory());
        self.all_tables() + base + self.garbage.memory() + self.scratch.capacity()
    }

    fn all_tables(&self) -> usize {
        self.databases.iter().map(Dict::memory).sum()
    }

    /// The bytes of memory of all tables and what is in them, where the changes since the store was
    /// empty decide that: equal for two stores that were made alike and have had the same. `None`
    /// where a base was loaded, or keys were freed for being dead, or copied for a base.
    #[must_use]
    pub fn tables_memory(&self) -> Option<usize> {
        self.upkeep.is_none().then(|| self.all_tables())
    }

    /// The bytes of all live keys that stand in pages with their values, less what is noted of
    /// uses: equal for two stores that have had the same changes, whatever else has happened to
    /// them. Walks everything.
    #[must_use]
    pub fn paged_bytes(&self, at: Stamp) -> usize {
        let views = self.databases.iter().flat_map(Dict::iter);
        let counted = views.filter(|view| !view.is_boxed() && view.live(at));
        let cold = |view: View<'_, Big>| view.bytes() - view.heat.map_or(0, |_| Heat::BYTES);
        counted.map(cold).sum()
    }
}
