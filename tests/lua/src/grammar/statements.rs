//! Statements: they bind names, loop, call, fail and catch.

use std::fmt::Write as _;

use super::{Kind, Writer};

impl Writer {
    pub(super) fn statements(&mut self, count: usize) {
        for _ in 0..count {
            self.statement();
        }
    }

    fn statement(&mut self) {
        if self.depth > 4 {
            return self.says();
        }
        if self.depth == 0 && self.chance(60) {
            return self.protected();
        }
        match self.below(34) {
            0..5 => self.local(),
            5..8 => self.assigns(),
            8..14 => self.says(),
            14..16 => self.branch(),
            16..19 => self.repeated(),
            19..21 => self.function_named(),
            21..26 => self.protected(),
            26..28 => self.changes_list(),
            28 => self.changes_map(),
            29..31 => self.coroutine(),
            31 => self.fails(),
            32 => self.block(),
            _ => self.object(),
        }
    }

    fn line(&mut self, text: &str) {
        self.put(text);
        self.put("\n");
    }

    fn local(&mut self) {
        let kind = self.kind();
        if self.chance(20) {
            let (one, other) = (self.new_name(), self.new_name());
            let (first, second) = (self.of(kind), self.of(Kind::Any));
            let line = match self.below(3) {
                0 => format!("local {one}, {other} = {first}"),
                1 => format!("local {one}, {other} = {first}, {second}"),
                _ => format!("local {one}, {other} = {first}, {second}, {first}"),
            };
            self.line(&line);
            self.locals.push((one, kind, true));
            self.locals.push((other, Kind::Any, true));
            return;
        }
        let name = self.new_name();
        let value = self.of(kind);
        self.line(&format!("local {name} = {value}"));
        self.locals.push((name, kind, true));
    }

    fn assigns(&mut self) {
        let free: Vec<(String, Kind)> = self
            .locals
            .iter()
            .filter(|(_, _, may_change)| *may_change)
            .map(|(name, kind, _)| (name.clone(), *kind))
            .collect();
        if free.is_empty() || self.chance(25) {
            let name = self.pick(&["shared", "total", "other"]);
            let kind = self.kind();
            let value = self.of(kind);
            return self.line(&format!("{name} = {value}"));
        }
        let (name, kind) = free[self.below(free.len() as u32) as usize].clone();
        let value = self.of(kind);
        if self.chance(15) {
            let (second, of) = free[self.below(free.len() as u32) as usize].clone();
            let other = self.of(of);
            return self.line(&format!("{name}, {second} = {value}, {other}"));
        }
        self.line(&format!("{name} = {value}"));
    }

    fn says(&mut self) {
        let kinds = [
            Kind::Number,
            Kind::Text,
            Kind::Any,
            Kind::List,
            Kind::Map,
            Kind::Truth,
        ];
        let count = self.below(3) + 1;
        let mut all: Vec<String> = Vec::new();
        for _ in 0..count {
            let kind = self.pick(&kinds);
            all.push(self.of(kind));
        }
        if self.chance(10) {
            let name = self.pick(&["shared", "total", "other"]);
            all.push(name.to_owned());
        }
        self.line(&format!("say({})", all.join(", ")));
    }

    fn body(&mut self, count: usize) {
        self.within(|writer| writer.statements(count));
    }

    fn branch(&mut self) {
        let truth = self.of(Kind::Truth);
        self.line(&format!("if {truth} then"));
        self.body(2);
        if self.chance(30) {
            let truth = self.of(Kind::Any);
            self.line(&format!("elseif {truth} then"));
            self.body(1);
        }
        if self.chance(50) {
            self.line("else");
            self.body(1);
        }
        self.line("end");
    }

    fn repeated(&mut self) {
        if self.loops >= 2 {
            return self.says();
        }
        self.loops += 1;
        let name = self.new_name();
        match self.below(6) {
            0..2 => {
                let (from, to) = (self.below(4), self.below(6));
                let step = self.pick(&["", "", ", 2", ", -1", ", 0.5"]);
                self.line(&format!("for {name} = {from}, {to}{step} do"));
                self.in_loop(&[(&name, Kind::Number)]);
                self.line("end");
            }
            2 => {
                let value = self.new_name();
                let list = self.of(Kind::List);
                self.line(&format!("for {name}, {value} in ipairs({list}) do"));
                self.in_loop(&[(&name, Kind::Number), (&value, Kind::Any)]);
                self.line("end");
            }
            3 => {
                let (text, pattern) = (self.of(Kind::Text), self.pattern());
                let count = self.new_name();
                self.line(&format!("local {count} = 0"));
                self.line(&format!(
                    "for {name} in string.gmatch({text}, {pattern}) do"
                ));
                self.line(&format!(
                    "{count} = {count} + 1 if {count} > 5 then break end"
                ));
                self.in_loop(&[(&name, Kind::Text)]);
                self.line("end");
            }
            4 => {
                let truth = self.of(Kind::Truth);
                self.line(&format!("local {name} = 0"));
                self.line(&format!(
                    "while {name} < 4 and ({truth}) do {name} = {name} + 1"
                ));
                self.in_loop(&[(&name, Kind::Number)]);
                self.line("end");
            }
            _ => {
                let inner = self.new_name();
                let value = self.of(Kind::Number);
                self.line(&format!("local {name} = 0"));
                self.line(&format!(
                    "repeat local {inner} = {value} {name} = {name} + 1"
                ));
                self.in_loop(&[(&name, Kind::Number), (&inner, Kind::Any)]);
                self.line(&format!("until {name} > 3 or {inner} == {name}"));
            }
        }
        self.loops -= 1;
    }

    fn in_loop(&mut self, names: &[(&str, Kind)]) {
        self.within(|writer| {
            for (name, kind) in names {
                writer.locals.push(((*name).to_owned(), *kind, false));
            }
            writer.statements(2);
            if writer.chance(12) {
                writer.line("do break end");
            }
        });
    }

    fn function_named(&mut self) {
        let name = self.new_name();
        let (loops, kind) = (self.loops, self.kind());
        self.loops = 1;
        self.within(|writer| {
            let (one, other) = (writer.new_name(), writer.new_name());
            writer.is_variadic = writer.chance(25);
            let dots = if writer.is_variadic { ", ..." } else { "" };
            writer.line(&format!("local function {name}({one}, {other}{dots})"));
            writer.locals.push((one, Kind::Any, true));
            writer.locals.push((other, Kind::Any, true));
            writer.statements(2);
            let value = writer.of(kind);
            let more = if writer.is_variadic { ", ..." } else { "" };
            match writer.below(4) {
                0 => {}
                1 => {
                    let call = writer.call();
                    writer.line(&format!("return {call}"));
                }
                _ => writer.line(&format!("return {value}{more}")),
            }
            writer.line("end");
        });
        self.loops = loops;
        self.locals.push((name, Kind::Function, false));
    }

    fn protected(&mut self) {
        let was_variadic = self.is_variadic;
        self.is_variadic = false;
        let loops = self.loops;
        self.loops = 1;
        if self.chance(20) {
            self.line("say(xpcall(function()");
        } else {
            self.line("say(pcall(function()");
        }
        let is_handled = self.text.ends_with("xpcall(function()\n");
        self.body(2);
        if self.chance(50) {
            let value = self.of(Kind::Any);
            self.line(&format!("return {value}"));
        }
        self.loops = loops;
        self.is_variadic = was_variadic;
        if is_handled {
            let handler = self.pick(&[
                "function(e) return e, 1 end",
                "text",
                "function(e) error(e) end",
                "nil",
            ]);
            self.line(&format!("end, {handler}))"));
        } else {
            self.line("end))");
        }
    }

    fn changes_list(&mut self) {
        let Some(list) = self.known(Kind::List) else {
            return self.local();
        };
        let value = self.of(Kind::Any);
        let line = match self.below(9) {
            0..2 => format!("table.insert({list}, {value} or 1)"),
            2 => format!("table.insert({list}, 1, {value} or 1)"),
            3 => format!("say(table.remove({list}))"),
            4 => format!("say(table.remove({list}, 1))"),
            5 => format!("table.sort({list})"),
            6 => format!("table.sort({list}, function(a, b) return a > b end)"),
            7 => format!("{list}[#{list} + 1] = {value}"),
            _ => format!("say(unpack({list}))"),
        };
        self.line(&line);
    }

    fn changes_map(&mut self) {
        let map = self.bracketed(Kind::Map);
        let map = if map.starts_with('(') {
            "shared".to_owned()
        } else {
            map
        };
        let (value, key) = (self.of(Kind::Any), self.of(Kind::Text));
        let name = self.pick(&["x", "y", "size", "n"]);
        let line = match self.below(4) {
            0 => format!("{map}.{name} = {value}"),
            1 => format!("{map}[ {key}] = {value}"),
            2 => format!("rawset({map}, {key}, {value})"),
            _ => {
                let behind = self.metatable();
                format!("setmetatable({map}, {behind})")
            }
        };
        self.line(&line);
    }

    fn coroutine(&mut self) {
        let name = self.new_name();
        let loops = self.loops;
        self.loops = 1;
        let how = self.pick(&["create", "create", "wrap"]);
        self.line(&format!("local {name} = coroutine.{how}(function(...)"));
        self.within(|writer| {
            writer.is_variadic = true;
            writer.statements(1);
            let value = writer.of(Kind::Any);
            match writer.below(5) {
                0 => writer.line(&format!("say(coroutine.yield({value}, ...))")),
                1 => writer.line(&format!("say(coroutine.yield({value}), {value})")),
                2 => writer.line("for i = 1, 3 do say(coroutine.yield(i)) end"),
                3 => writer.line("say(coroutine.status(coroutine.running()))"),
                _ => writer.fails(),
            }
            writer.statements(1);
            let value = writer.of(Kind::Any);
            writer.line(&format!("return {value}, ..."));
        });
        self.line("end)");
        self.loops = loops;
        for _ in 0..=self.below(3) {
            let value = self.of(Kind::Any);
            let mut line = String::new();
            let _ = if how == "wrap" {
                write!(line, "say(pcall({name}, {value}))")
            } else {
                write!(line, "say(coroutine.resume({name}, {value}))")
            };
            self.line(&line);
        }
        if how == "create" {
            self.line(&format!("say(coroutine.status({name}))"));
        }
    }

    fn fails(&mut self) {
        let value = self.of(Kind::Any);
        let level = self.pick(&["", "", ", 0", ", 1", ", 2"]);
        let line = match self.below(4) {
            0..2 => format!("if {value} then error({value}{level}) end"),
            2 => format!("say(select(2, pcall(error, {value}{level})))"),
            _ => format!("say(pcall(assert, {value}))"),
        };
        self.line(&line);
    }

    fn block(&mut self) {
        self.line("do");
        self.body(3);
        self.line("end");
    }

    /// Something with methods, and closures that share a variable.
    fn object(&mut self) {
        let name = self.new_name();
        let (first, value) = (self.of(Kind::Number), self.of(Kind::Any));
        self.line(&format!("local {name} = {{n = {first}}}"));
        self.line(&format!("{name}.__index = {name}"));
        self.line(&format!(
            "function {name}.new(of) return setmetatable({{x = of}}, {name}) end"
        ));
        self.line(&format!(
            "function {name}:size(by) self.n = self.n + (by or 1) return self.n end"
        ));
        self.locals.push((name.clone(), Kind::Map, false));
        let made = self.new_name();
        self.line(&format!("local {made} = {name}.new({value})"));
        self.locals.push((made.clone(), Kind::Map, false));
        let call = self.of(Kind::Any);
        self.line(&format!("say(pcall({made}.size, {made}, {call}))"));
        let _ = writeln!(self.text, "say({made}.x, {name}.n, rawget({made}, 'n'))");
    }
}
