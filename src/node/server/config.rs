//! CONFIG: asking for directives and changing them, all or none.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::command::args::Args;
use crate::command::error::{Error, Outcome};
use crate::node::Node;
use crate::node::config::Fsync;
use crate::node::effect::Effect;
use crate::resp::reply::Reply;
use crate::store::glob;

use super::Request;
use super::directives::{self, Access, DIRECTIVES, Directive};

impl Node {
    pub(super) fn config_verb(&mut self, request: Request<'_, '_>) -> Outcome {
        let Request {
            args, mut reply, ..
        } = request;
        if args.is(1, "get") {
            self.config_get(args, &mut reply);
            return Ok(());
        }
        if args.is(1, "set") {
            self.config_set(args)?;
        } else if args.is(1, "resetstat") {
            self.stats = super::super::Stats::default();
        } else {
            self.config_rewrite()?;
        }
        reply.ok();
        Ok(())
    }

    fn config_get(&self, args: Args<'_>, reply: &mut Reply<'_>) {
        let mut shown: Vec<(&str, String)> = Vec::new();
        let wanted = |name: &str| {
            let mut patterns = args.from(2).iter();
            !name.is_empty() && patterns.any(|p| glob::matches_nocase(p, name.as_bytes()))
        };
        for directive in DIRECTIVES {
            for name in [directive.name, directive.alias] {
                if wanted(name) {
                    shown.push((name, self.value_of(directive)));
                }
            }
        }
        reply.map(shown.len());
        for (name, value) in shown {
            reply.bulk(name.as_bytes());
            reply.bulk(value.as_bytes());
        }
    }

    /// What a directive is set to, in the words of CONFIG GET.
    fn value_of(&self, directive: &Directive) -> String {
        let config = &self.config;
        let switch = |on: bool| if on { "yes" } else { "no" }.to_string();
        match directive.name {
            "appendfsync" => match config.fsync {
                Fsync::Always => "always".into(),
                Fsync::EverySecond => "everysec".into(),
                Fsync::No => "no".into(),
            },
            "appendonly" => switch(config.append_only),
            "auto-aof-rewrite-min-size" => config.rewrite_min_bytes.to_string(),
            "auto-aof-rewrite-percentage" => config.rewrite_percentage.to_string(),
            "bind" => config.process.bind.clone(),
            "dir" => config.process.dir.clone(),
            "enable-debug-command" => switch(config.debug_command),
            "maxclients" => config.clients_max.to_string(),
            "maxmemory" => config.memory_max.to_string(),
            "port" => config.process.port.to_string(),
            "protected-mode" => switch(config.protected_mode),
            "requirepass" => String::from_utf8_lossy(&config.requirepass).into_owned(),
            "timeout" => config.timeout_s.to_string(),
            name => {
                let set = self.directives.0.get(name);
                set.map_or_else(|| directive.default.into(), String::clone)
            }
        }
    }

    fn config_set(&mut self, args: Args<'_>) -> Outcome {
        if !args.len().is_multiple_of(2) {
            return Err(Error::arity("config|set"));
        }
        let mut changes: Vec<(&Directive, String)> = Vec::new();
        for at in (2..args.len()).step_by(2) {
            let given = String::from_utf8_lossy(args.at(at)).into_owned();
            let failed = |why: &str| {
                Error::text(format!(
                    "ERR CONFIG SET failed (possibly related to argument '{given}') - {why}"
                ))
            };
            let Some(directive) = directives::find(args.at(at)) else {
                return Err(Error::text(format!(
                    "ERR Unknown option or number of arguments for CONFIG SET - '{given}'"
                )));
            };
            match directive.access {
                Access::Immutable => return Err(failed("can't set immutable config")),
                Access::Protected => return Err(failed("can't set protected config")),
                Access::Open => {}
            }
            if changes
                .iter()
                .any(|(other, _)| other.name == directive.name)
            {
                return Err(failed("duplicate parameter"));
            }
            let text = String::from_utf8_lossy(args.at(at + 1));
            let value = directive
                .form
                .normalize(&text)
                .map_err(|why| failed(&why))?;
            changes.push((directive, value));
        }
        for (directive, value) in changes {
            self.set_directive(directive.name, value);
        }
        Ok(())
    }

    fn set_directive(&mut self, name: &'static str, value: String) {
        let config = &mut self.config;
        let number = || value.parse().unwrap_or(0);
        match name {
            "appendfsync" => {
                config.fsync = match value.as_str() {
                    "always" => Fsync::Always,
                    "no" => Fsync::No,
                    _ => Fsync::EverySecond,
                };
                self.apply_policy();
            }
            "auto-aof-rewrite-min-size" => config.rewrite_min_bytes = number(),
            "auto-aof-rewrite-percentage" => config.rewrite_percentage = number() as u32,
            "maxclients" => config.clients_max = number() as u32,
            "maxmemory" => config.memory_max = number(),
            "protected-mode" => config.protected_mode = value == "yes",
            "requirepass" => config.requirepass = value.into_bytes(),
            "timeout" => config.timeout_s = number(),
            _ => {
                self.directives.0.insert(name, value);
            }
        }
    }

    fn config_rewrite(&mut self) -> Outcome {
        if self.config.process.config_file.is_empty() {
            let why = "ERR The server is running without a config file";
            return Err(Error::text(why.into()));
        }
        let changed = DIRECTIVES
            .iter()
            .filter(|directive| directive.access == Access::Open);
        let lines = changed.map(|directive| (directive, self.value_of(directive)));
        let differs = lines.filter(|(directive, value)| directive.default != value);
        let lines = differs
            .map(|(directive, value)| (directive.name, value))
            .collect();
        self.effects.push(Effect::Configuration(Box::new(lines)));
        Ok(())
    }
}
