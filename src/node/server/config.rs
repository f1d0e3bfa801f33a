//! CONFIG: asking for directives and changing them, all or none.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::command::args::Args;
use crate::command::error::{Error, Outcome};
use crate::command::verb::ConfigVerb;
use crate::node::Node;
use crate::node::config::options::{self, Access, Directive, Meaning};
use crate::node::effect::Effect;
use crate::resp::reply::Reply;
use crate::session::Blocked;
use crate::store::glob;

use super::request::Request;

impl Node {
    pub(super) fn config_verb(&mut self, verb: ConfigVerb, request: Request<'_, '_>) -> Outcome {
        let Request {
            slot,
            args,
            mut reply,
            ..
        } = request;
        match verb {
            ConfigVerb::Get => {
                self.config_get(args, &mut reply);
                return Ok(());
            }
            // Answered when the file is written, or is not.
            ConfigVerb::Rewrite => return self.config_rewrite(slot),
            ConfigVerb::Set => self.config_set(args)?,
            ConfigVerb::ResetStat => self.metrics.reset(),
        }
        reply.ok();
        Ok(())
    }

    fn config_get(&self, args: Args<'_>, reply: &mut Reply<'_>) {
        let mut shown: Vec<(&str, Vec<u8>)> = Vec::new();
        let wanted = |name: &str| {
            let mut patterns = args.from(2).iter();
            !name.is_empty() && patterns.any(|p| glob::matches_nocase(p, name.as_bytes()))
        };
        for directive in options::all().filter(|directive| directive.access != Access::Hidden) {
            for name in [directive.name, directive.alias] {
                if wanted(name) {
                    shown.push((name, self.config.value_of(directive)));
                }
            }
        }
        reply.map(shown.len());
        for (name, value) in shown {
            reply.bulk(name.as_bytes());
            reply.bulk(&value);
        }
    }

    fn config_set(&mut self, args: Args<'_>) -> Outcome {
        if !args.len().is_multiple_of(2) {
            return Err(Error::SYNTAX);
        }
        let mut changes: Vec<(&'static Directive, Vec<u8>)> = Vec::new();
        for at in (2..args.len()).step_by(2) {
            let given = String::from_utf8_lossy(args.at(at)).into_owned();
            let failed = |why: &str| {
                Error::text(format!(
                    "ERR CONFIG SET failed (possibly related to argument '{given}') - {why}"
                ))
            };
            let directive = options::find(args.at(at));
            let Some(directive) = directive.filter(|found| found.access != Access::Hidden) else {
                return Err(Error::text(format!(
                    "ERR Unknown option or number of arguments for CONFIG SET - '{given}'"
                )));
            };
            match directive.access {
                Access::Protected => return Err(failed("can't set protected config")),
                Access::Open => {}
                Access::Immutable | Access::Hidden => {
                    return Err(failed("can't set immutable config"));
                }
            }
            if changes
                .iter()
                .any(|(other, _)| other.name == directive.name)
            {
                return Err(failed("duplicate parameter"));
            }
            let current = self.config.value_of(directive);
            let value = directive
                .form
                .of_value(args.at(at + 1), &current)
                .map_err(|why| failed(&why))?;
            if directive.name == "maxclients" {
                self.can_carry(&value).map_err(|why| failed(&why))?;
            }
            match directive.meaning {
                Meaning::Fixed(why) | Meaning::Refused(why) if !directive.is_in_force(&value) => {
                    return Err(failed(why));
                }
                // A value that means the same as the one in force is not remembered instead of it.
                Meaning::Fixed(_) | Meaning::Refused(_) => {}
                Meaning::Acts | Meaning::Needless => changes.push((directive, value)),
            }
        }
        for (directive, value) in changes {
            self.config.set_value(directive, value);
            match directive.name {
                "appendfsync" => self.replica.apply_policy(&self.config),
                "loglevel" => {
                    let level = self.config.value_of(directive);
                    self.effects.push(Effect::LogLevel(Box::new(level)));
                }
                _ => {}
            }
        }
        self.store.set_borders(self.config.borders);
        self.store.set_tracking(self.config.tracking());
        Ok(())
    }

    /// Errors if the driver cannot carry so many clients.
    fn can_carry(&self, clients: &[u8]) -> Result<(), String> {
        let most = self.config.clients_limit;
        let wanted = core::str::from_utf8(clients).ok();
        let wanted = wanted.and_then(|text| text.parse::<u32>().ok());
        if wanted.is_some_and(|wanted| wanted <= most) {
            return Ok(());
        }
        Err(format!(
            "The operating system is not able to handle the specified number of clients, try with \
             {most}"
        ))
    }

    fn config_rewrite(&mut self, slot: u32) -> Outcome {
        if self.config.process.config_file.is_empty() {
            let why = "ERR The server is running without a config file";
            return Err(Error::text(why.into()));
        }
        let number = self.configurations + 1;
        if !self.block(slot, Blocked::Configuration { number }) {
            let why = "ERR CONFIG REWRITE waits for the disk and cannot run in a transaction";
            return Err(Error::text(why.into()));
        }
        self.configurations = number;
        let open = options::all().filter(|directive| directive.access == Access::Open);
        let settings = open.map(|directive| (directive, self.config.value_of(directive)));
        let settings = Box::new(settings.collect());
        let wish = Effect::Configuration { number, settings };
        self.effects.push(wish);
        Ok(())
    }

    /// The driver says how it went with the configuration file.
    pub(in crate::node) fn configuration_written(
        &mut self,
        number: u64,
        outcome: Result<(), &str>,
    ) {
        let failed = outcome.err().map(|why| {
            Error::text(format!(
                "ERR Rewriting config file: {why}. The file is as it was"
            ))
        });
        self.end_waits_with(Blocked::Configuration { number }, failed.as_ref());
    }
}
