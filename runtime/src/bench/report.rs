//! What was measured, as a table and as JSON.

use std::{fmt, time::Duration};

use serde_json::{Value, json};

use super::launches::Launches;
use crate::{cuda::libraries::LibraryReport, host::Copies, knobs::time_text, session::StepCounts};

/// Times of many steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// The one in the middle.
    pub median: Duration,
    /// A tenth of all are shorter.
    pub p10: Duration,
    /// A tenth of all are longer.
    pub p90: Duration,
    /// Their sum by their number.
    pub mean: Duration,
}

impl Summary {
    /// Of times in any order; none of none.
    pub fn of(times: &[Duration]) -> Option<Summary> {
        let mut sorted = times.to_vec();
        sorted.sort_unstable();
        let last = sorted.len().checked_sub(1)?;
        let at = |part: usize| sorted[last * part / 100];
        let mean = sorted.iter().sum::<Duration>() / sorted.len() as u32;
        Some(Summary { median: at(50), p10: at(10), p90: at(90), mean })
    }

    fn json(self) -> Value {
        let Summary { median, p10, p90, mean } = self;
        json!({ "median": us(median), "p10": us(p10), "p90": us(p90), "mean": us(mean) })
    }
}

pub(super) fn us(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// What a run of the harness has measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The artifact's path.
    pub artifact: String,
    /// The program.
    pub program: String,
    /// The device, in a line.
    pub device: String,
    /// Loading code and weights, and making the session.
    pub load: Duration,
    /// The first step.
    pub first: Duration,
    /// Steps that were timed, and steps before.
    pub steps: u32,
    /// Steps before those.
    pub warmup: u32,
    /// From the call to the end of the step, each waited for.
    pub synchronised: Summary,
    /// From the call to its return, each waited for.
    pub host: Summary,
    /// On the device's own clock; none on the host device.
    pub gpu: Option<Summary>,
    /// From the first call to the end of the last step, by their number, when nobody waits between.
    pub pipelined: Duration,
    /// From the call to its return, when nobody waits between.
    pub pipelined_host: Summary,
    /// What all timed steps moved.
    pub copies: Copies,
    /// What a step gives to the device.
    pub counts: StepCounts,
    /// What libraries compute of it; none on the host device.
    pub libraries: Option<LibraryReport>,
    /// The most memory of the GPU that was in use, in bytes; none on the host device.
    pub device_memory_peak: Option<u64>,
    /// How often memory of the GPU was taken in the timed steps.
    pub device_allocations: Option<u64>,
    /// Physical memory of caches in use, in bytes.
    pub cache_bytes: u64,
    /// Times of launches, if they were asked for.
    pub launches: Option<Launches>,
}

impl Report {
    /// All of it; times in microseconds.
    pub fn json(&self) -> Value {
        let Copies { count, bytes, imported_bytes, block_bytes } = self.copies;
        json!({
            "artifact": self.artifact,
            "program": self.program,
            "device": self.device,
            "steps": self.steps,
            "warmup": self.warmup,
            "load_us": us(self.load),
            "first_step_us": us(self.first),
            "synchronised_us": self.synchronised.json(),
            "host_us": self.host.json(),
            "device_us": self.gpu.map(Summary::json),
            "pipelined_us": us(self.pipelined),
            "pipelined_host_us": self.pipelined_host.json(),
            "copies": count,
            "copied_bytes": bytes,
            "imported_bytes": imported_bytes,
            "block_bytes": block_bytes,
            "graphs": self.counts.graphs,
            "graph_nodes": self.counts.nodes,
            "stream_segments": self.counts.streams,
            "library": self.libraries.as_ref().and_then(|report| report.library.clone()),
            "library_products": self.libraries.as_ref().map(|report| report.taken),
            "library_products_tuned": self.libraries.as_ref().map(|report| report.tuned),
            "own_products": self.libraries.as_ref().map(|report| report.left.clone()),
            "device_memory_peak_bytes": self.device_memory_peak,
            "device_allocations": self.device_allocations,
            "cache_bytes": self.cache_bytes,
            "launch_times": self.launches.as_ref().map(Launches::json),
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} `{}` on {}", self.artifact, self.program, self.device)?;
        writeln!(f, "load {}, first step {}", time_text(self.load), time_text(self.first))?;
        writeln!(f, "{:<24}{:>12}{:>12}{:>12}{:>12}", "a step", "median", "p10", "p90", "mean")?;
        let mut row = |name: &str, summary: Summary| {
            let Summary { median, p10, p90, mean } = summary;
            let [median, p10, p90, mean] = [median, p10, p90, mean].map(time_text);
            writeln!(f, "{name:<24}{median:>12}{p10:>12}{p90:>12}{mean:>12}")
        };
        row("synchronised", self.synchronised)?;
        row("  of it the call", self.host)?;
        if let Some(gpu) = self.gpu {
            row("  on the GPU", gpu)?;
        }
        row("pipelined, the call", self.pipelined_host)?;
        writeln!(f, "{:<24}{:>48}", "pipelined", time_text(self.pipelined))?;
        let StepCounts { graphs, nodes, streams } = self.counts;
        writeln!(f, "a step launches {graphs} graphs of {nodes} nodes, and {streams} segments kernel by kernel")?;
        if let Some(report) = &self.libraries {
            writeln!(f, "{report}")?;
        }
        let Copies { count, bytes, imported_bytes, block_bytes } = self.copies;
        let all = 2 * self.steps;
        writeln!(
            f,
            "{all} steps: {count} copies of {bytes} bytes, {imported_bytes} bytes imported, blocks of {block_bytes} bytes"
        )?;
        if let (Some(peak), Some(allocations)) = (self.device_memory_peak, self.device_allocations) {
            writeln!(f, "device memory: at most {peak} bytes, taken {allocations} times in these steps")?;
        }
        if self.cache_bytes > 0 {
            writeln!(f, "caches: {} bytes", self.cache_bytes)?;
        }
        if let Some(launches) = &self.launches {
            write!(f, "{launches}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_sorted_times() {
        let times: Vec<Duration> = (0..=100).rev().map(Duration::from_micros).collect();
        let us = Duration::from_micros;
        assert_eq!(Summary::of(&times), Some(Summary { median: us(50), p10: us(10), p90: us(90), mean: us(50) }));
        assert_eq!(
            Summary::of(&times[..1]),
            Some(Summary { median: us(100), p10: us(100), p90: us(100), mean: us(100) })
        );
        assert_eq!(Summary::of(&[]), None);
    }
}
