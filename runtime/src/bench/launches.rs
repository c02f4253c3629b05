//! Where the time of a step goes: its launches one by one, gathered by the code that they run.

use std::{collections::BTreeMap, fmt, time::Duration};

use serde_json::{Value, json};

use super::report::us;
use crate::{knobs::time_text, session::LaunchTime};

/// Median times of launches over several steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launches {
    /// In the order of the plan; each with its median time.
    pub launches: Vec<LaunchTime>,
}

/// Launches that run the same code, as those of a model's layers do.
struct Group<'a> {
    first: &'a LaunchTime,
    launches: u32,
    kernels: u32,
    time: Duration,
}

impl Launches {
    /// Of the same launches in several steps; none of none.
    pub fn of(steps: &[Vec<LaunchTime>]) -> Option<Launches> {
        let launches = steps.first()?.iter().enumerate().map(|(number, launch)| {
            let mut times: Vec<Duration> = steps.iter().map(|step| step[number].time).collect();
            times.sort_unstable();
            LaunchTime { time: times[times.len() / 2], ..launch.clone() }
        });
        Some(Launches { launches: launches.collect() })
    }

    /// Those with the same code together, the longest first.
    fn groups(&self) -> Vec<Group<'_>> {
        let mut groups: BTreeMap<(&str, &[u32]), Group> = BTreeMap::new();
        for launch in &self.launches {
            let key = (launch.segment.as_str(), launch.code.as_slice());
            let new = Group { first: launch, launches: 0, kernels: 0, time: Duration::ZERO };
            let group = groups.entry(key).or_insert(new);
            group.launches += 1;
            group.kernels += launch.kernels;
            group.time += launch.time;
        }
        let mut groups: Vec<Group> = groups.into_values().collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.time));
        groups
    }

    fn total(&self) -> Duration {
        self.launches.iter().map(|launch| launch.time).sum()
    }

    fn empty(&self) -> Duration {
        self.launches.first().map_or(Duration::ZERO, |launch| launch.empty)
    }

    /// Each launch, in the order of the plan; times in microseconds.
    pub fn json(&self) -> Value {
        let one = |launch: &LaunchTime| {
            let LaunchTime { segment, name, location, code, kernels, time, .. } = launch;
            json!({
                "segment": segment, "name": name, "location": location, "code": code, "kernels": kernels, "us": us(*time),
            })
        };
        json!({ "empty_us": us(self.empty()), "launches": self.launches.iter().map(one).collect::<Vec<_>>() })
    }
}

impl fmt::Display for Launches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (total, empty) = (self.total(), time_text(self.empty()));
        writeln!(f, "launches one by one: {} a step; no kernel at all reads as {empty}", time_text(total))?;
        writeln!(f, "{:>10}{:>7}{:>9}{:>9}{:>11}  launch", "a step", "part", "launches", "kernels", "each")?;
        for Group { first, launches, kernels, time } in self.groups() {
            let part = 100.0 * time.as_secs_f64() / total.as_secs_f64().max(f64::MIN_POSITIVE);
            let (time_of_all, each) = (time_text(time), time_text(time / launches));
            let (name, location) = (&first.name, &first.location);
            let others = if launches > 1 { ", …" } else { "" };
            writeln!(
                f,
                "{time_of_all:>10}{part:>6.1}%{launches:>9}{kernels:>9}{each:>11}  {name} at {location}{others}"
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launch(name: &str, code: u32, location: &str, microseconds: u64) -> LaunchTime {
        LaunchTime {
            segment: "s0".to_string(),
            name: name.to_string(),
            location: location.to_string(),
            code: vec![code],
            kernels: 1,
            time: Duration::from_micros(microseconds),
            empty: Duration::from_micros(1),
        }
    }

    #[test]
    fn launches_of_one_code_are_one_line_and_the_longest_is_first() {
        let step = |add| {
            vec![launch("add", 0, "m:1:1", add), launch("dot_1", 1, "m:2:1", 30), launch("dot_2", 1, "m:3:1", 50)]
        };
        let launches = Launches::of(&[step(9), step(2), step(20)]).expect("three steps");
        let text = launches.to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "launches one by one: 89.0 us a step; no kernel at all reads as 1.0 us");
        assert_eq!(lines[2], "   80.0 us  89.9%        2        2    40.0 us  dot_1 at m:2:1, …");
        assert_eq!(lines[3], "    9.0 us  10.1%        1        1     9.0 us  add at m:1:1");
        assert_eq!(launches.json()["launches"][2]["us"], 50.0);
        assert_eq!(Launches::of(&[]), None);
    }
}
