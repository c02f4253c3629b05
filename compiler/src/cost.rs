//! What launches and the ways to start them cost on a device: a model of few constants, which are a file.
//!
//! Times are microseconds. The constants of an H100 are built in ([`Costs::h100`]); `--costs FILE` replaces them, and
//! `--profile FILE` puts measured times of segments in the place of estimates. The compiler never opens a device.

use std::{collections::BTreeMap, path::Path};

use pygraph_artifact::dtype::DType;
use serde::Deserialize;

/// Constants of one device.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Costs {
    /// Which device.
    pub device: String,
    /// Where the constants come from.
    pub source: String,
    /// Bytes that a kernel which only reads or writes moves.
    pub memory_bytes_per_us: f64,
    /// Multiplications with addition in matrix products, by element type; one that is not named goes at the rate of `f32`.
    pub multiply_adds_per_us: BTreeMap<String, f64>,
    /// Operations on single elements.
    pub scalar_ops_per_us: f64,
    /// A launch on a stream, back to back with others.
    pub stream_launch_us: f64,
    /// A node of a graph, in a chain of dependent nodes.
    pub graph_node_us: f64,
    /// Host time to launch a graph of so many nodes: pairs in order of the number, between which it is linear.
    pub graph_launch_us: Vec<(f64, f64)>,
    /// The least that one iteration of a loop on the device takes.
    pub loop_iteration_us: f64,
    /// A launch within a loop on the device.
    pub loop_node_us: f64,
    /// Until the host has read a value that the device computed.
    pub synchronise_us: f64,
    /// A node of a graph that copies, beside its bytes.
    pub copy_node_us: f64,
    /// Bytes that a copy moves.
    pub copy_bytes_per_us: f64,
    /// Changing an address in one node of a graph, on the host.
    pub patch_node_us: f64,
    /// How often a loop is taken to run where nothing is known.
    pub loop_trips: u64,
}

impl Costs {
    /// The constants measured on an H100.
    pub fn h100() -> Costs {
        serde_json::from_str(include_str!("../costs/h100.json"))
            .expect("the constants in the program should be well formed")
    }

    /// Reads constants from a file.
    pub fn read(path: &Path) -> Result<Costs, CostError> {
        let costs: Costs = read_json(path)?;
        let positive = [
            ("memory_bytes_per_us", costs.memory_bytes_per_us),
            ("scalar_ops_per_us", costs.scalar_ops_per_us),
            ("copy_bytes_per_us", costs.copy_bytes_per_us),
        ];
        let rates = costs.multiply_adds_per_us.iter().map(|(name, rate)| (name.as_str(), *rate));
        if let Some((name, value)) = positive.into_iter().chain(rates).find(|(_, value)| *value <= 0.0) {
            return Err(CostError::NotPositive { path: path.to_path_buf(), name: name.to_string(), value });
        }
        Ok(costs)
    }

    /// Time of a launch's own work, on whatever it is started.
    pub fn work_us(&self, work: &WorkSize) -> f64 {
        let moving = work.bytes as f64 / self.memory_bytes_per_us;
        let rate = work.multiply_type.and_then(|dtype| self.multiply_adds_per_us.get(dtype.name()));
        let rate = rate.or_else(|| self.multiply_adds_per_us.get("f32")).copied().unwrap_or(self.scalar_ops_per_us);
        let computing = work.multiply_adds as f64 / rate + work.scalar_ops as f64 / self.scalar_ops_per_us;
        moving.max(computing)
    }

    /// Host time to launch a graph of so many nodes.
    pub fn graph_launch_us(&self, nodes: usize) -> f64 {
        let nodes = nodes as f64;
        let points = &self.graph_launch_us;
        let above = points.iter().position(|(count, _)| *count >= nodes);
        match (above, points.last()) {
            (Some(0), _) => points[0].1,
            (Some(above), _) => {
                let ((low, low_us), (high, high_us)) = (points[above - 1], points[above]);
                low_us + (high_us - low_us) * (nodes - low) / (high - low)
            }
            (None, Some((count, us))) => us * nodes / count.max(1.0),
            (None, None) => 0.0,
        }
    }

    /// A copy within a graph.
    pub fn copy_us(&self, bytes: u64) -> f64 {
        self.copy_node_us + bytes as f64 / self.copy_bytes_per_us
    }
}

/// What a launch moves and computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WorkSize {
    /// Bytes read and written, each once.
    pub bytes: u64,
    /// Multiplications with addition of a matrix product.
    pub multiply_adds: u64,
    /// The type that they are in.
    pub multiply_type: Option<DType>,
    /// Other operations on elements.
    pub scalar_ops: u64,
}

/// Times of segments that were measured, by the form that they ran in.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Which device.
    pub device: String,
    /// By `PROGRAM/SEGMENT`, then by the form's name: microseconds a step.
    pub segments: BTreeMap<String, BTreeMap<String, f64>>,
}

impl Profile {
    /// Reads a profile from a file.
    pub fn read(path: &Path) -> Result<Profile, CostError> {
        read_json(path)
    }
}

fn read_json<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<T, CostError> {
    let text = std::fs::read_to_string(path).map_err(|source| CostError::Read { path: path.to_path_buf(), source })?;
    serde_json::from_str(&text).map_err(|source| CostError::Format { path: path.to_path_buf(), source })
}

/// Why costs or a profile cannot be used.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "each field is named in the message")]
pub enum CostError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read { path: std::path::PathBuf, source: std::io::Error },
    /// The file is not what it should be.
    #[error("{}: {source}", path.display())]
    Format { path: std::path::PathBuf, source: serde_json::Error },
    /// A rate by which times are divided.
    #[error("{}: `{name}` is {value}, which should be above 0", path.display())]
    NotPositive { path: std::path::PathBuf, name: String, value: f64 },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn launching_a_graph_is_linear_between_the_points_that_were_measured() {
        let costs = Costs::h100();
        let launch = |nodes| (costs.graph_launch_us(nodes) * 1000.0).round() / 1000.0;
        assert_eq!([launch(1), launch(10), launch(55), launch(100), launch(2000)], [1.8, 1.8, 1.95, 2.1, 10.2]);
    }

    #[test]
    fn work_takes_as_long_as_the_slower_of_moving_and_computing() {
        let costs = Costs::h100();
        let moving = WorkSize { bytes: 3_110_000, scalar_ops: 10, ..WorkSize::default() };
        assert_eq!(costs.work_us(&moving).round(), 1.0);
        let product =
            WorkSize { bytes: 1, multiply_adds: 692_000_000, multiply_type: Some(DType::Bf16), scalar_ops: 0 };
        assert_eq!(costs.work_us(&product).round(), 2.0);
    }
}
