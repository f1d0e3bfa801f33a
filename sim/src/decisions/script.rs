//! A run that is written down: what it is made of, each fault, and each thing that clients do.

use clap::ValueEnum as _;

use super::Decisions;
use super::decision::{Act, Deal, Decision};
use super::read;
use super::settings::{self, ALL};
use super::words::Parsed;
use crate::judge::invariant::Id;
use crate::scenario::{Profile, Scenario};
use crate::workload::{Kind, Shape};

/// One run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Script {
    /// Lines for people, in front of all.
    pub(crate) remarks: Vec<String>,
    /// The invariant that fails.
    pub(crate) fires: Id,
    /// Its origin. Draws that nothing decides come from the seed.
    pub(crate) profile: Profile,
    pub(crate) seed: u64,
    /// Everything that travels takes its mean time.
    pub(crate) steady: bool,
    /// The settings that differ from their defaults.
    pub(crate) settings: Vec<(&'static str, String)>,
    pub(crate) decisions: Vec<Decision>,
    pub(crate) acts: Vec<Act>,
}

/// A line of a file that says nothing, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable {
    pub(crate) line: usize,
    pub(crate) why: String,
}

impl Script {
    /// Reads a file.
    pub(crate) fn read(text: &str) -> Result<Self, Unreadable> {
        read::script(text)
    }

    /// A run of a seed with all that was decided in it.
    pub(crate) fn of_run(fires: Id, scenario: &Scenario, profile: Profile) -> Self {
        let settings = ALL.iter().map(|one| (one.key, (one.get)(scenario)));
        let mut script = Self {
            remarks: Vec::new(),
            fires,
            profile,
            seed: scenario.seed,
            steady: false,
            settings: settings.collect(),
            decisions: Vec::new(),
            acts: Vec::new(),
        };
        script.forget_calm();
        script
    }

    fn forget_calm(&mut self) {
        let differs = |(key, value): &(&str, String)| {
            settings::find(key).is_none_or(|setting| setting.calm != value)
        };
        self.settings.retain(differs);
    }

    /// The value of a setting.
    pub(crate) fn setting(&self, key: &str) -> &str {
        let own = self.settings.iter().find(|(own, _)| *own == key);
        own.map_or_else(
            || settings::find(key).map_or("", |setting| setting.calm),
            |(_, value)| value,
        )
    }

    /// Sets a setting; fails where there is none of that name, or it cannot be that.
    pub(crate) fn set(&mut self, key: &str, value: &str) -> Parsed<()> {
        let setting = settings::find(key).ok_or_else(|| format!("there is no setting `{key}`"))?;
        let mut scenario = Scenario::draw(self.seed, self.profile);
        (setting.set)(&mut scenario, value)?;
        self.settings.retain(|(own, _)| *own != setting.key);
        self.settings.push((setting.key, (setting.get)(&scenario)));
        let place = |key: &str| ALL.iter().position(|one| one.key == key);
        self.settings.sort_by_key(|(key, _)| place(key));
        self.forget_calm();
        Ok(())
    }

    /// The settings that may be calmer; how many members there are, and for how long the run goes
    /// on, is tried elsewhere.
    pub(crate) fn calmable(&self) -> Vec<&'static str> {
        let kept = ["members", "founders", "runs"];
        let keys = self.settings.iter().map(|(key, _)| *key);
        keys.filter(|key| !kept.contains(key)).collect()
    }

    /// Leaves a setting at what it is where nothing is said.
    pub(crate) fn calm(&mut self, key: &str) {
        self.settings.retain(|(own, _)| *own != key);
    }

    /// The scenario of the run.
    pub(crate) fn scenario(&self) -> Parsed<Scenario> {
        let mut scenario = Scenario::draw(self.seed, self.profile);
        for setting in ALL {
            (setting.set)(&mut scenario, self.setting(setting.key))?;
        }
        if scenario.founders > scenario.members || scenario.founders == 0 {
            return Err("a group has at least as many members as founders".to_owned());
        }
        let clients = self.acts.iter().map(|act| act.client + 1).max();
        // What clients do is written down: their workloads are not asked.
        let shape = Shape {
            keys: 1,
            value_bytes: 1,
            members: scenario.members as u64,
            garbage: false,
            kills: false,
        };
        scenario.clients = vec![(Kind::Register, shape); clients.unwrap_or_default()];
        self.check_members(scenario.members)?;
        Ok(scenario)
    }

    fn check_members(&self, members: usize) -> Parsed<()> {
        let of_decisions = self.decisions.iter().flat_map(|d| d.address.members());
        let of_acts = self.acts.iter().map(|act| match act.deal {
            Deal::Connect { member, .. } => Some(member),
            _ => None,
        });
        let most = of_decisions.chain(of_acts).flatten().max();
        match most {
            Some(most) if most >= members => {
                Err(format!("there is no n{}: members {members}", most + 1))
            }
            _ => Ok(()),
        }
    }

    /// The decisions, as a world asks them.
    pub(crate) fn play(&self) -> Decisions {
        Decisions::scripted(self.decisions.clone(), &self.acts, self.steady)
    }

    /// How many requests clients send.
    pub(crate) fn operations(&self) -> usize {
        let is_asked = |act: &&Act| matches!(act.deal, Deal::Ask(_));
        self.acts.iter().filter(is_asked).count()
    }
}

/// The invariant of that id.
pub(super) fn id(text: &str) -> Parsed<Id> {
    let found = Id::ALL.iter().find(|id| id.to_string() == text);
    found
        .copied()
        .ok_or_else(|| format!("there is no invariant {text}"))
}

/// The profile of that name.
pub(super) fn profile(text: &str) -> Parsed<Profile> {
    Profile::from_str(text, false).map_err(|_| format!("there is no profile {text}"))
}
