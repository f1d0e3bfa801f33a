//! Whole scripts, each run in one slice, and again cut after every few instructions.

mod bounds;
mod like_c;

use alloc::string::String;
use alloc::vec::Vec;

use super::*;

/// The results of a script as text between spaces, or its error behind a `!`.
fn outcome_of(source: &str, slice: u64) -> (String, u64) {
    let chunk = match compile(source.as_bytes(), "script") {
        Ok(chunk) => chunk,
        Err(error) => return (String::from_utf8_lossy(&error.message).into_owned(), 0),
    };
    let mut machine = Machine::new(ScriptLimits::default(), 7);
    let double = machine.host_function(1);
    let globals = machine.globals();
    machine.set_field(globals, "double", double);
    let function = machine.load(&chunk);
    machine.start(function, &[]);
    let mut out = Vec::new();
    loop {
        match machine.run(slice) {
            Stop::Paused => assert!(machine.used() < 10_000_000, "{source}"),
            Stop::Call { function } => {
                assert_eq!(function, 1);
                if let [Value::Number(number), ..] = machine.arguments() {
                    machine.answer(&[Value::Number(number * 2.0)]);
                } else {
                    let error = machine.string(b"no number");
                    machine.throw(error);
                }
            }
            Stop::Failed(error) => {
                out.push(b'!');
                show(&machine, error, &mut out);
                break;
            }
            Stop::Done => {
                for (at, value) in machine.results().iter().enumerate() {
                    if at > 0 {
                        out.push(b' ');
                    }
                    show(&machine, *value, &mut out);
                }
                break;
            }
        }
    }
    (String::from_utf8_lossy(&out).into_owned(), machine.used())
}

fn show(machine: &Machine, value: Value, out: &mut Vec<u8>) {
    if !machine.text(value, out) {
        let name = match value {
            Value::Nil => "nil",
            Value::Boolean(true) => "true",
            Value::Boolean(false) => "false",
            _ => machine.type_name(value),
        };
        out.extend_from_slice(name.as_bytes());
    }
}

/// Checks what scripts give, and that it does not depend on how they are sliced.
#[track_caller]
fn check(scripts: &[(&str, &str)]) {
    for (source, expected) in scripts {
        let whole = outcome_of(source, u64::MAX);
        assert_eq!(whole.0, *expected, "{source}");
        for slice in [1, 7] {
            assert_eq!(
                outcome_of(source, slice),
                whole,
                "in slices of {slice}: {source}"
            );
        }
    }
}

#[test]
fn expressions_give_what_lua_gives() {
    check(&[
        (
            "return 1 + 2 * 3 ^ 2 % 5, 10 / 4, -7 % 3, 7 % -3",
            "4 2.5 2 -2",
        ),
        ("return 'a' .. 1 .. 2.5, #'abc', '10' + 5", "a12.5 3 15"),
        (
            "return 1 and 2, nil or 3, false and 1, nil == false, not 0",
            "2 3 false false false",
        ),
        ("local a = {1, 2, nil, 4} return #a, a[4]", "4 4"),
        (
            "local a = {[1] = 'x', 'y'; n = 1, f = {g = 2}} return a[1], a.n, a.f.g",
            "y 1 2",
        ),
        (
            "local a <const> = 1",
            "script:1: unexpected symbol near '<'",
        ),
        (
            "return [[a\nb]], [==[]]]==], '\\65\\n\\\"'",
            "a\nb ]] A\n\"",
        ),
        ("return 0x10, 1e2, .5, 3.", "16 100 0.5 3"),
        (
            "return 2^53, 1e15, 0.1, 1/0, -1/0, 100",
            "9.007199254741e+15 1e+15 0.1 inf -inf 100",
        ),
    ]);
}

#[test]
fn statements_do_what_lua_does() {
    check(&[
        ("local s = 0 for i = 1, 10 do s = s + i end return s", "55"),
        (
            "local s = 0 for i = 10, 1, -3 do s = s + i end return s",
            "22",
        ),
        (
            "local s = '' for k, v in pairs({5, 6, x = 7}) do s = s .. k .. v end return s",
            "1526x7",
        ),
        (
            "local i = 0 while true do i = i + 1 if i > 4 then break end end return i",
            "5",
        ),
        (
            "local i = 0 repeat local j = i i = i + 1 until j >= 3 return i",
            "4",
        ),
        (
            "local a, b, c = (function() return 1, 2 end)() return a, b, c",
            "1 2 nil",
        ),
        (
            "local t = {} function t.f.g() end",
            "!script:1: attempt to index field 'f' (a nil value)",
        ),
        (
            "local function f(...) return select('#', ...), ... end return f(1, nil)",
            "2 1 nil",
        ),
        (
            "local function f(n) if n == 0 then return 'end' end return f(n - 1) end
              return f(50000)",
            "end",
        ),
        (
            "function f(...) return arg.n, arg[2] end return f(4, 5)",
            "2 5",
        ),
        (
            "local f = {} for i = 1, 3 do f[i] = function() i = i + 1 return i end end
          return f[1](), f[1](), f[2]()",
            "2 3 3",
        ),
        ("local a, b = 1, 2 a, b = b, a return a, b", "2 1"),
        (
            "local function f(...) return arg, select('#', ...) end return f(1, 2)",
            "nil 2",
        ),
        ("return double(4), pcall(double, 'x')", "8 false no number"),
    ]);
}

#[test]
fn errors_name_place_and_variable() {
    check(&[
        (
            "local x\nx.y = 1",
            "!script:2: attempt to index local 'x' (a nil value)",
        ),
        ("f()", "!script:1: attempt to call global 'f' (a nil value)"),
        (
            "return {} < {}",
            "!script:1: attempt to compare two table values",
        ),
        (
            "return 1 < 'x'",
            "!script:1: attempt to compare number with string",
        ),
        (
            "return 1 + {}",
            "!script:1: attempt to perform arithmetic on a table value",
        ),
        (
            "local a = {} return 'x' .. a.b",
            "!script:1: attempt to concatenate field 'b' (a nil value)",
        ),
        ("error('no', 0)", "!no"),
        ("error({})", "!table"),
        (
            "rawset(1)",
            "!script:1: bad argument #1 to 'rawset' (table expected, got number)",
        ),
        (
            "return pcall(rawset, 1)",
            "false bad argument #1 to '?' (table expected, got number)",
        ),
        (
            "for i = 1, 'x' do end",
            "!script:1: 'for' limit must be a number",
        ),
        (
            "local function f() return f() + 1 end f()",
            "!script:1: stack overflow",
        ),
        ("x =", "script:1: unexpected symbol near '<eof>'"),
        (
            "if x then\n\n",
            "script:3: 'end' expected (to close 'if' at line 1) near '<eof>'",
        ),
        ("x = 'abc", "script:1: unfinished string near '<eof>'"),
        ("local 1", "script:1: '<name>' expected near '1'"),
        (
            "return '\\300'",
            "script:1: escape sequence too large near '''",
        ),
        ("break", "script:1: no loop to break near '<eof>'"),
    ]);
}

#[test]
fn metatables_and_coroutines_run_in_slices_like_all_else() {
    check(&[
        ("local t = setmetatable({}, {__index = function(t, k) return k .. '!' end})
              return t.a", "a!"),
        ("local t = setmetatable({}, {__newindex = rawset}) t.a = 1 return t.a", "1"),
        ("local m = {__lt = function() return true end, __eq = function() return true end}
          local a, b = setmetatable({}, m), setmetatable({}, m)
          return a < b, a <= b, a == b, a ~= b", "true false true false"),
        ("local m = {__concat = function(a, b) return 'c' end, __call = function(s, x) return x end}
          local a = setmetatable({}, m) return 1 .. a .. 2, a(5)", "1c 5"),
        ("local c = coroutine.wrap(function(a) local b = coroutine.yield(a + 1) return b * 2 end)
          return c(1), c(5)", "2 10"),
        ("local c = coroutine.create(function() error('x') end)
          return coroutine.resume(c)", "false script:1: x"),
        ("local c = coroutine.wrap(function()
              return pcall(function() coroutine.yield(1) error('e', 0) end) end)
          return c(), c()", "1 false e"),
        ("return xpcall(function() error('a', 0) end,
              function(e) return e .. 'b' end)", "false ab"),
        ("return loadstring('return ...', '=n')(7),
              loadstring('x', '@y')", "7 nil y:1: '=' expected near '<eof>'"),
    ]);
}

#[test]
fn strings_are_searched_and_formatted_as_lua_does() {
    check(&[
        (
            "return ('hello world'):find('o w'), ('hello'):find('l+'), ('a.b'):find('.', 1, true)",
            "5 3 2 2",
        ),
        (
            "return ('key = value'):match('^(%w+)%s*=%s*(%w+)$')",
            "key value",
        ),
        (
            "return ('abc'):gsub('%w', '%0%0'), ('abc'):gsub('', '-'),
              ('hello'):gsub('l', {l = 'L'})",
            "aabbcc -a-b-c- heLLo 2",
        ),
        (
            "return ('a b c'):gsub('%a', function(x) return double(#x) end)",
            "2 2 2 3",
        ),
        (
            "local s = '' for k, v in ('a=1, b=2'):gmatch('(%w+)=(%w+)')
              do s = s .. k .. v end return s",
            "a1b2",
        ),
        (
            "return ('f(a(b)c)d'):match('%b()'), ('THE (quick) fox'):find('%((%a+)%)')",
            "(a(b)c) 5 11 quick",
        ),
        (
            "return ('x'):rep(3), ('abc'):reverse(), ('abc'):upper(), ('abc'):byte(1, -1)",
            "xxx cba ABC 97 98 99",
        ),
        (
            "return string.format('%5d|%-5s|%05.1f|%x|%q|%c|%%|%g|%e',
              42, 'ab', 3.14159, 255, 'a\"b', 65, 1e20, 12345.678)",
            "   42|ab   |003.1|ff|\"a\\\"b\"|A|%|1e+20|1.234568e+04",
        ),
        (
            "return ('abc'):sub(-2), ('abc'):sub(2, 10), ('abc'):sub(0), #('abc'):sub(3, 2)",
            "bc bc abc 0",
        ),
        (
            "return tostring(12):rep(2), tonumber('ff', 16), tonumber('0x1p4'), tonumber('z')",
            "1212 255 16 nil",
        ),
        (
            "return ('abc'):match('b\\0x'), ('%c'):format(0), ('abc'):gsub('(a', '-')",
            "b  -bc 1",
        ),
        (
            "return pcall(string.format, '%d')",
            "false bad argument #2 to '?' (no value)",
        ),
        (
            "return ('ababac'):find('abac', 1, true), ('aaaa'):find('aab'), ('xaab'):find('aab')",
            "3 nil 2 4",
        ),
        (
            "local s = ('a'):rep(1e6) return s:find(('a'):rep(5e5) .. 'b', 1, true)",
            "nil",
        ),
        ("return string.rep('x', 1e9)", "!not enough memory"),
        (
            "return ('x'):rep(300000):find(('x*'):rep(20) .. 'y')",
            "!script:1: pattern too complex",
        ),
        (
            "('x'):rep('y')",
            "!script:1: bad argument #1 to 'rep' (number expected, got string)",
        ),
        (
            "('x'):bad()",
            "!script:1: attempt to call method 'bad' (a nil value)",
        ),
    ]);
}

#[test]
fn tables_are_changed_and_sorted_as_lua_does() {
    check(&[
        (
            "local t = {3, 1, 2} table.sort(t) return table.concat(t, ',')",
            "1,2,3",
        ),
        (
            "local t = {'b', 'a', 'c'} table.sort(t, function(a, b) return a > b end)
          return table.concat(t)",
            "cba",
        ),
        (
            "local t = {} for i = 1, 200 do t[i] = i * 7919 % 211 end
          table.sort(t, function(a, b) return double(a) < double(b) end)
          for i = 2, 200 do if t[i - 1] > t[i] then return 'unsorted' end end return #t",
            "200",
        ),
        (
            "local t = {1, 2} table.insert(t, 3) table.insert(t, 1, 0)
              return table.concat(t, ','), #t",
            "0,1,2,3 4",
        ),
        (
            "local t = {1, 2, 3} return table.remove(t), table.remove(t, 1), #t, table.remove({})",
            "3 1 1",
        ),
        (
            "local t = {5, nil, 6} return table.maxn(t), #t, unpack(t)",
            "3 3 5 nil 6",
        ),
        (
            "return pcall(table.sort, {1, 'x'})",
            "false attempt to compare string with number",
        ),
        (
            "return table.foreach({a = 1}, function(k, v) return k .. v end)",
            "a1",
        ),
        (
            "local t = {} t[3] = 3 t[2] = 2 t[1] = 1 return #t, table.concat(t)",
            "3 123",
        ),
        (
            "local t = {10, 20, 30} for k in pairs(t) do t[k] = nil end return next(t), #t",
            "nil 0",
        ),
        (
            "return table.concat({1, {}, 3})",
            "!script:1: invalid value (table) at index 2 in table for 'concat'",
        ),
    ]);
}

#[test]
fn garbage_goes_and_too_much_memory_is_an_error() {
    check(&[
        (
            "for i = 1, 50000 do local t = {i, x = {}} end return 'done'",
            "done",
        ),
        (
            "local s = 'x' for i = 1, 40 do s = s .. s end return #s",
            "!not enough memory",
        ),
        (
            "local t = {} for i = 1, 1e7 do t[i] = {} end",
            "!not enough memory",
        ),
        (
            "local function f(...) return (f(1, ...)) end f()",
            "!script:1: stack overflow",
        ),
        (
            "return pcall(string.rep, 'x', 1e9)",
            "false not enough memory",
        ),
    ]);
}

#[test]
fn garbage_in_a_coroutine_leaves_those_who_wait_for_it() {
    let source = "local t = {'kept'} local f = function() return t[1] .. 'x' end
        local function collect() collectgarbage() coroutine.yield(#('y'):rep(20) .. 'z') end
        local c = coroutine.wrap(function() for i = 1, 3 do collect() end return 'end' end)
        local s = '' for i = 1, 4 do s = s .. c() .. f() end return s";
    let mut machine = Machine::new(ScriptLimits::default(), 1);
    let counter = compile(
        b"local n = {} function count() n[#n + 1] = {} return #n end",
        "p",
    );
    let function = machine.load(&counter.unwrap());
    machine.start(function, &[]);
    assert_eq!(machine.run(1000), Stop::Done);
    machine.seal();
    for _ in 0..3 {
        machine.reset(0);
        let function = machine.load(&compile(source.as_bytes(), "script").unwrap());
        machine.start(function, &[]);
        assert_eq!(machine.run(1_000_000), Stop::Done);
        let result = machine.results()[0];
        assert_eq!(
            machine.bytes(result).unwrap(),
            b"20zkeptx20zkeptx20zkeptxendkeptx"
        );
    }
}

#[test]
fn a_settled_machine_lends_its_tables_until_the_next_reset() {
    let mut machine = Machine::new(ScriptLimits::default(), 1);
    let kept = machine.table();
    machine.seal();
    machine.reset(0);
    let source = "local t, n = {b = 1, a = 2}, 0
        return function(key)
            n, t[key], t[#t + 1] = n + 1, {}, 'x' .. key
            collectgarbage()
            local names = ''
            for name in pairs(t) do names = names .. name .. ' ' end
            return names .. n .. t[#t]
        end";
    let main = machine.load(&compile(source.as_bytes(), "library").unwrap());
    machine.start(main, &[]);
    while machine.run(10) != Stop::Done {}
    let function = machine.results()[0];
    machine.set(kept, Value::Number(1.0), function);
    machine.settle();
    let mut seen = Vec::new();
    for key in ["k", "other", "k"] {
        machine.reset(0);
        let function = machine.get_index(kept, 1);
        let key = machine.string(key.as_bytes());
        machine.start(function, &[key]);
        while machine.run(10) != Stop::Done {}
        let text = machine.bytes(machine.results()[0]).unwrap().to_vec();
        seen.push((text, machine.used(), machine.memory_bytes()));
    }
    assert_eq!(seen[0].0, b"1 b a k 1xk");
    assert_eq!(seen[1].0, b"1 b a other 1xother");
    assert_eq!(seen[0], seen[2], "the third call sees nothing of the first");
}

#[test]
fn a_sealed_machine_is_reset_to_what_it_was() {
    let mut machine = Machine::new(ScriptLimits::default(), 1);
    machine.refuse_unknown_globals("no such global");
    machine.seal();
    let run = |machine: &mut Machine, source: &str| {
        machine.reset(5);
        let keys = machine.table();
        let globals = machine.globals();
        let one = machine.string(b"one");
        machine.set(keys, Value::Number(1.0), one);
        machine.set_field(globals, "KEYS", keys);
        let chunk = compile(source.as_bytes(), "script").unwrap();
        let function = machine.load(&chunk);
        machine.start(function, &[]);
        let mut out = Vec::new();
        match machine.run(1_000_000) {
            Stop::Done => machine
                .results()
                .iter()
                .for_each(|value| show(machine, *value, &mut out)),
            Stop::Failed(error) => show(machine, error, &mut out),
            other => panic!("{other:?}"),
        }
        let used = (machine.used(), machine.memory_bytes());
        (String::from_utf8_lossy(&out).into_owned(), used)
    };
    let first = run(
        &mut machine,
        "return KEYS[1] .. math.random(1000) .. tostring({})",
    );
    run(
        &mut machine,
        "local t = {} for i = 1, 10000 do t[i] = 'k' .. i end return #t",
    );
    let again = run(
        &mut machine,
        "return KEYS[1] .. math.random(1000) .. tostring({})",
    );
    assert_eq!(first, again);
    for (source, error) in [
        ("x = 1", "script:1: Attempt to modify a readonly table"),
        (
            "string.x = 1",
            "script:1: Attempt to modify a readonly table",
        ),
        (
            "setmetatable(_G, {})",
            "script:1: Attempt to modify a readonly table",
        ),
        (
            "getmetatable('').__index = 1",
            "script:1: Attempt to modify a readonly table",
        ),
        (
            "table.insert(math, 1)",
            "script:1: Attempt to modify a readonly table",
        ),
        ("return foo", "script:1: no such global 'foo'"),
    ] {
        assert_eq!(run(&mut machine, source).0, error, "{source}");
    }
}

/// A script that lives on errors must come to the end of its budget all the same.
#[test]
fn work_that_ends_in_an_error_counts() {
    let scripts = [
        "local s = ('a'):rep(30) pcall(string.find, s, ('a?'):rep(30) .. s)",
        "local s = ('a'):rep(20000) pcall(string.gsub, s, '', s)",
        "local s = ('a'):rep(1e7) pcall(error, s)",
    ];
    for source in scripts {
        let (_, used) = outcome_of(source, u64::MAX);
        assert!(used > 500_000, "{source}: {used}");
    }
}

/// A coroutine that is cut off leaves nothing behind for the next script.
#[test]
fn a_script_that_ends_within_a_coroutine_leaves_nothing() {
    let look = "for i = 1, 20000 do local t = {i} end collectgarbage() return 1";
    let run = |machine: &mut Machine, source: &str, budget: u64| {
        machine.reset(5);
        let function = machine.load(&compile(source.as_bytes(), "script").unwrap());
        machine.start(function, &[]);
        let stop = machine.run(budget);
        (stop, machine.used(), machine.memory_bytes())
    };
    let mut fresh = Machine::new(ScriptLimits::default(), 0);
    fresh.seal();
    let expected = run(&mut fresh, look, 10_000_000);
    let mut other = Machine::new(ScriptLimits::default(), 0);
    other.seal();
    let spins = "local t = {} for i = 1, 5000 do t[i] = {} end
        coroutine.wrap(function() while true do t[#t + 1] = {} end end)()";
    assert_eq!(run(&mut other, spins, 100_000).0, Stop::Paused);
    assert_eq!(run(&mut other, look, 10_000_000), expected);
}

/// The bits of a NaN say which processor has made it.
#[test]
fn no_script_sees_the_sign_of_a_nan() {
    for one in ["0 / 0", "-(0 / 0)"] {
        let packed = format!("return struct.pack('>d', {one}) == struct.pack('>d', 0 / 0)");
        let (packed, _) = outcome_of(&packed, u64::MAX);
        let message = format!("return cmsgpack.pack({one}) == cmsgpack.pack(0 / 0)");
        let (message, _) = outcome_of(&message, u64::MAX);
        assert_eq!([packed, message], ["true", "true"], "{one}");
    }
}
