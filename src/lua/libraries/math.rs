//! The library `math`, over functions that give the same bits everywhere.

use rand_chacha::rand_core::Rng;

use super::making::set;
use crate::lua::machine::{Call, Definition, Outcome, State, Thrown};
use crate::lua::number::arithmetic;
use crate::lua::value::{TableRef, Value};
use crate::rng;

type Result<T = Outcome> = core::result::Result<T, Thrown>;

/// The stream of draws for `math.random`.
const STREAM: u64 = 0x6d61_7468;

pub(super) const FUNCTIONS: &[Definition] = &[
    Definition::new("abs", |state, call| unary(state, call, libm::fabs)),
    Definition::new("acos", |state, call| unary(state, call, libm::acos)),
    Definition::new("asin", |state, call| unary(state, call, libm::asin)),
    Definition::new("atan", |state, call| unary(state, call, libm::atan)),
    Definition::new("atan2", |state, call| binary(state, call, libm::atan2)),
    Definition::new("ceil", |state, call| unary(state, call, libm::ceil)),
    Definition::new("cos", |state, call| unary(state, call, libm::cos)),
    Definition::new("cosh", |state, call| unary(state, call, libm::cosh)),
    Definition::new("deg", |state, call| {
        unary(state, call, |x| x / RADIANS_PER_DEGREE)
    }),
    Definition::new("exp", |state, call| unary(state, call, libm::exp)),
    Definition::new("floor", |state, call| unary(state, call, libm::floor)),
    Definition::new("fmod", |state, call| binary(state, call, libm::fmod)),
    Definition::new("frexp", split),
    Definition::new("ldexp", scale),
    Definition::new("log", |state, call| unary(state, call, libm::log)),
    Definition::new("log10", |state, call| unary(state, call, libm::log10)),
    Definition::new("max", |state, call| {
        extreme(state, call, |one, best| one > best)
    }),
    Definition::new("min", |state, call| {
        extreme(state, call, |one, best| one < best)
    }),
    Definition::new("mod", |state, call| binary(state, call, libm::fmod)),
    Definition::new("modf", parts),
    Definition::new("pow", |state, call| binary(state, call, arithmetic::power)),
    Definition::new("rad", |state, call| {
        unary(state, call, |x| x * RADIANS_PER_DEGREE)
    }),
    Definition::new("random", random),
    Definition::new("randomseed", seed),
    Definition::new("sin", |state, call| unary(state, call, libm::sin)),
    Definition::new("sinh", |state, call| unary(state, call, libm::sinh)),
    Definition::new("sqrt", |state, call| unary(state, call, libm::sqrt)),
    Definition::new("tan", |state, call| unary(state, call, libm::tan)),
    Definition::new("tanh", |state, call| unary(state, call, libm::tanh)),
];

const RADIANS_PER_DEGREE: f64 = core::f64::consts::PI / 180.0;

pub(super) fn install_numbers(state: &mut State, math: TableRef) {
    set(state, math, "pi", Value::Number(core::f64::consts::PI));
    set(state, math, "huge", Value::Number(f64::INFINITY));
}

fn unary(state: &mut State, call: Call, function: fn(f64) -> f64) -> Result {
    Ok(Outcome::One(Value::Number(function(
        state.number_argument(call, 0)?,
    ))))
}

fn binary(state: &mut State, call: Call, function: fn(f64, f64) -> f64) -> Result {
    // The second is looked at first, as compilers of C have it.
    let other = state.number_argument(call, 1)?;
    let one = state.number_argument(call, 0)?;
    Ok(Outcome::One(Value::Number(function(one, other))))
}

fn split(state: &mut State, call: Call) -> Result {
    let (fraction, exponent) = libm::frexp(state.number_argument(call, 0)?);
    Ok(Outcome::Two(
        Value::Number(fraction),
        Value::Number(f64::from(exponent)),
    ))
}

fn scale(state: &mut State, call: Call) -> Result {
    let exponent = state.int_argument(call, 1)?.clamp(-10_000, 10_000);
    let number = state.number_argument(call, 0)?;
    Ok(Outcome::One(Value::Number(libm::scalbn(
        number,
        exponent as i32,
    ))))
}

fn parts(state: &mut State, call: Call) -> Result {
    let number = state.number_argument(call, 0)?;
    let whole = libm::trunc(number);
    let fraction = if number.is_infinite() {
        0.0
    } else {
        number - whole
    };
    let fraction = libm::copysign(fraction, number);
    Ok(Outcome::Two(Value::Number(whole), Value::Number(fraction)))
}

fn extreme(state: &mut State, call: Call, is_better: fn(f64, f64) -> bool) -> Result {
    let mut best = state.number_argument(call, 0)?;
    for at in 1..call.count {
        let number = state.number_argument(call, at)?;
        if is_better(number, best) {
            best = number;
        }
    }
    Ok(Outcome::One(Value::Number(best)))
}

/// A number from 0 to before 1.
fn draw(state: &mut State) -> f64 {
    let seed = state.seed;
    let dice = state
        .dice
        .get_or_insert_with(|| rng::keyed(seed, STREAM, 0, 0));
    (dice.next_u64() >> 11) as f64 / 9_007_199_254_740_992.0
}

fn random(state: &mut State, call: Call) -> Result {
    let (low, high) = match call.count {
        0 => return Ok(Outcome::One(Value::Number(draw(state)))),
        1 => (1, state.int_argument(call, 0)?),
        2 => (state.int_argument(call, 0)?, state.int_argument(call, 1)?),
        _ => return Err(state.error("wrong number of arguments")),
    };
    if low > high {
        return Err(state.argument_error(call.count - 1, "interval is empty"));
    }
    let span = high as f64 - low as f64 + 1.0;
    let number = libm::floor(draw(state) * span) + low as f64;
    Ok(Outcome::One(Value::Number(number)))
}

fn seed(state: &mut State, call: Call) -> Result {
    state.seed = arithmetic::bits(state.number_argument(call, 0)?);
    state.dice = None;
    Ok(Outcome::Nothing)
}
