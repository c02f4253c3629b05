//! The runtime's knobs: every environment variable that it reads, in one table.

use std::{env, time::Duration};

/// One environment variable.
#[derive(Debug)]
pub struct Knob {
    /// Its name.
    pub name: &'static str,
    /// Its values and what they do, one line each.
    pub values: &'static [(&'static str, &'static str)],
}

/// All of them. `pygraph-run --help` prints this.
pub static KNOBS: &[&Knob] = &[&DEBUG, &CUBLASLT];

static DEBUG: Knob = Knob {
    name: "PYGRAPH_DEBUG",
    values: &[
        (
            "1",
            "say on standard error which devices there are and which is used, what a session allocates, and what libraries compute",
        ),
        ("2", "and how long loading and every step takes, and how many bytes were copied"),
        ("3", "and every launch, with its location and time"),
        ("4", "and the first elements of what every launch writes"),
    ],
};

/// Where cuBLASLt lies.
pub static CUBLASLT: Knob = Knob {
    name: "PYGRAPH_CUBLASLT",
    values: &[("FILE", "load cuBLASLt from there, in place of libcublasLt.so.13 or .12 from where the system looks")],
};

/// The table as text.
pub fn knobs_text() -> String {
    let mut text = String::from("Environment:\n");
    for knob in KNOBS {
        for (value, meaning) in knob.values {
            text.push_str(&format!("  {}={value}  {meaning}\n", knob.name));
        }
    }
    text
}

/// How much the runtime says on standard error: the value of `PYGRAPH_DEBUG`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct DebugLevel(pub u8);

impl DebugLevel {
    /// Devices.
    pub const DEVICES: DebugLevel = DebugLevel(1);
    /// Timings.
    pub const TIMINGS: DebugLevel = DebugLevel(2);
    /// Launches.
    pub const LAUNCHES: DebugLevel = DebugLevel(3);
    /// Values.
    pub const VALUES: DebugLevel = DebugLevel(4);

    /// Reads the environment. What is no number counts as 0.
    pub fn from_environment() -> DebugLevel {
        let value = env::var(DEBUG.name).unwrap_or_default();
        DebugLevel(value.trim().parse().unwrap_or(0))
    }

    /// Prints a line if this level asks for it.
    pub fn say(self, level: DebugLevel, line: impl FnOnce() -> String) {
        if self >= level {
            eprintln!("pygraph: {}", line());
        }
    }
}

/// A time as a person reads it: `1.25 ms`.
pub fn time_text(time: Duration) -> String {
    let microseconds = time.as_secs_f64() * 1e6;
    match microseconds {
        t if t < 1e3 => format!("{t:.1} us"),
        t if t < 1e6 => format!("{:.2} ms", t / 1e3),
        t => format!("{:.2} s", t / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_is_documented() {
        let documented: Vec<&str> = KNOBS[0].values.iter().map(|(value, _)| *value).collect();
        assert_eq!(documented, ["1", "2", "3", "4"]);
        assert!(knobs_text().contains("PYGRAPH_DEBUG=4  and the first elements"));
    }

    #[test]
    fn times_have_three_digits_or_so() {
        let text = |seconds| time_text(Duration::from_secs_f64(seconds));
        assert_eq!([text(12e-6), text(1.25e-3), text(2.5)], ["12.0 us", "1.25 ms", "2.50 s"]);
    }
}
