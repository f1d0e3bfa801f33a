//! The subject of a replay: a seed as it was drawn, or a `.sim` file as it is written.

use std::fs;
use std::path::Path;

use crate::decisions::script::Script;
use crate::run::{EVENTS, Order};
use crate::scenario::{Profile, Scenario};
use crate::world::World;

/// A run that has a name.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) order: Order,
    pub(crate) script: Option<Script>,
    /// How a command line names it.
    name: String,
}

impl From<Order> for Subject {
    fn from(order: Order) -> Self {
        let Order { seed, profile, .. } = order;
        Self {
            order,
            script: None,
            name: format!("{seed} --profile {}", profile.name()),
        }
    }
}

impl Subject {
    /// The run of a seed, or of the file of that name.
    pub(crate) fn read(what: &str, profile: Profile) -> Result<Self, String> {
        match what.parse() {
            Ok(seed) => Ok(Order::quiet(seed, profile).into()),
            Err(_) => Self::read_file(Path::new(what)),
        }
    }

    /// The run of a file.
    pub(crate) fn read_file(path: &Path) -> Result<Self, String> {
        let name = path.display().to_string();
        let text = fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
        let wrong = |line: usize, why: &str| format!("{name}:{line}: {why}");
        let script = Script::read(&text).map_err(|error| wrong(error.line, &error.why))?;
        // What it is made of is looked at here, so that nobody has to ask twice.
        script.scenario().map_err(|why| format!("{name}: {why}"))?;
        Ok(Self::of(script, name))
    }

    /// The run of a script.
    pub(crate) fn of(script: Script, name: String) -> Self {
        Self {
            order: Order::quiet(script.seed, script.profile),
            script: Some(script),
            name,
        }
    }

    /// How a command line names it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Its world before the first event.
    pub(crate) fn world(&self) -> World {
        let drawn = || World::new(Scenario::draw(self.order.seed, self.order.profile));
        match self
            .script
            .as_ref()
            .map(|script| (script, script.scenario()))
        {
            Some((script, Ok(scenario))) => World::decided(scenario, script.play()),
            Some((_, Err(_))) | None => drawn(),
        }
    }
}

impl Order {
    /// A whole run of a seed of which nothing is printed.
    pub(crate) const fn quiet(seed: u64, profile: Profile) -> Self {
        Self {
            seed,
            profile,
            events: EVENTS,
            trace: false,
            columns: false,
            black_box: false,
        }
    }

    /// The same with so many events at most.
    #[cfg(test)]
    pub(crate) const fn upto(self, events: u64) -> Self {
        Self { events, ..self }
    }
}
