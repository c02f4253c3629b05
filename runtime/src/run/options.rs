//! The command line of `pygraph-run`.

use std::{path::PathBuf, str::FromStr, time::Duration};

use clap::Parser;

use crate::{
    caches::CacheOptions,
    compare::Tolerance,
    cuda::options::GpuOptions,
    host::{Loops, Order},
    knobs::knobs_text,
};

/// Run a compiled model, or compile and run one.
#[derive(Debug, Clone, Parser)]
#[command(name = "pygraph-run", version, after_help = knobs_text())]
pub struct Options {
    /// An artifact (.pyg), or MLIR text to compile first; `-` is MLIR text on standard input
    #[arg(required_unless_present = "devices")]
    pub model: Option<PathBuf>,

    /// Device to run on: host, cuda, cuda:N, or auto: a GPU that the artifact has code for, else the host
    #[arg(long, default_value = "auto", value_name = "DEVICE")]
    pub device: String,

    /// List the devices and exit
    #[arg(long)]
    pub devices: bool,

    /// Program to run; `main`, or the only one, if not given
    #[arg(long, value_name = "NAME")]
    pub entry: Option<String>,

    /// Arguments by key: arg0, arg1, … or their names; bf16 as uint16 under KEY__bf16
    #[arg(long, value_name = "FILE.npz")]
    pub inputs: Option<PathBuf>,

    /// Arguments that change in steps 1, 2, …: step1_arg0, …; state is carried from step to step
    #[arg(long, value_name = "FILE.npz")]
    pub steps: Option<PathBuf>,

    /// Values by argument name, for arguments that --inputs leaves out
    #[arg(long, value_name = "FILE.safetensors|FILE.npz")]
    pub weights: Option<PathBuf>,

    /// Random values for all arguments that are left: small floats, integers 0 or 1
    #[arg(long, value_name = "random:SEED")]
    pub init: Option<Init>,

    /// Seed of a program that draws random numbers, if --inputs gives no state of its generator; 0 if not given
    #[arg(long, value_name = "SEED")]
    pub seed: Option<u64>,

    /// Write the results: out0, out1, …, and step1_out0, … with --steps
    #[arg(long, value_name = "FILE.npz")]
    pub outputs: Option<PathBuf>,

    /// Compare the results with out0, … and step1_out0, … of this file; can be given several times
    #[arg(long, value_name = "FILE.npz")]
    pub expect: Vec<PathBuf>,

    /// With --expect: error allowed, as a part of the largest expected value; by element type if not given
    #[arg(long, value_name = "X", requires = "expect")]
    pub tolerance: Option<f64>,

    /// With --expect: allow an error of this part of each expected value, plus --atol
    #[arg(long, value_name = "X", requires = "expect", conflicts_with = "tolerance")]
    pub rtol: Option<f64>,

    /// With --expect: allow this error of each value, plus --rtol
    #[arg(long, value_name = "X", requires = "expect", conflicts_with = "tolerance")]
    pub atol: Option<f64>,

    /// Run the last step N times more and print its time
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub repeat: u32,

    /// Run the last step some times more with each segment in each of its forms, and write what they take on the GPU, for pygraph-compile --profile
    #[arg(long, value_name = "FILE.json", conflicts_with = "split_input_file")]
    pub profile: Option<PathBuf>,

    /// Compile and run every chunk between `// -----` lines by itself
    #[arg(long)]
    pub split_input_file: bool,

    /// Print the plan and exit
    #[arg(long)]
    pub describe: bool,

    /// Print after each step what was moved: parameter block, copies, and what a scheme with static buffers would have copied
    #[arg(long)]
    pub moved: bool,

    /// Order in which the host device runs what a graph leaves open: plan, or random:SEED
    #[arg(long, default_value = "random:0", value_name = "ORDER", value_parser = parse_order)]
    pub order: Order,

    /// Begin with empty caches, which grow, in place of those among the arguments
    #[arg(long)]
    pub fresh_kv: bool,

    /// The most physical memory that caches may have, in bytes
    #[arg(long, value_name = "BYTES")]
    pub kv_limit_bytes: Option<u64>,

    /// What is chosen about a GPU.
    #[command(flatten)]
    pub gpu: GpuOptions,

    /// Map caches on another thread too, this many handles ahead of need
    #[arg(long, value_name = "HANDLES", default_value_t = 0)]
    pub kv_ahead: u64,

    /// The mapping thread waits so long before each handle, to see what a loop does that comes too soon
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub kv_delay_ms: u64,

    /// In a loop on the device, wait for the mapping thread, but not longer than this, in place of mapping; on a GPU the loop is then left, and goes on when the host has mapped
    #[arg(long, value_name = "MS")]
    pub kv_patience_ms: Option<u64>,

    /// Fill mapped rows of caches that no step has reached, or that were retired, with bytes that are no numbers
    #[arg(long)]
    pub kv_poison: bool,

    /// Print after each step how much of each slot of a cache is reached and mapped, and in the end what was mapped by whom
    #[arg(long)]
    pub kv_log: bool,

    /// Interpret every loop nest, whatever native code the artifact holds
    #[arg(long)]
    pub interpret: bool,

    /// Binding class of an argument, handed to the compiler: once, step, state or host; state:N is replaced by result N
    #[arg(long, value_name = "ARG=CLASS")]
    pub bind: Vec<String>,
}

impl Options {
    /// How loop nests run.
    pub fn loops(&self) -> Loops {
        if self.interpret { Loops::Interpreted } else { Loops::Native }
    }

    /// How far results may lie from what is expected.
    pub fn tolerance(&self) -> Tolerance {
        match (self.tolerance, self.rtol, self.atol) {
            (Some(allowed), _, _) => Tolerance::OfLargest(allowed),
            (None, None, None) => Tolerance::PerType,
            (None, relative, absolute) => {
                Tolerance::PerElement { absolute: absolute.unwrap_or(0.0), relative: relative.unwrap_or(0.0) }
            }
        }
    }
}

impl Options {
    /// How caches grow.
    pub fn caches(&self) -> CacheOptions {
        CacheOptions {
            limit_bytes: self.kv_limit_bytes,
            handles_ahead: self.kv_ahead,
            thread_delay: Duration::from_millis(self.kv_delay_ms),
            patience: self.kv_patience_ms.map(Duration::from_millis),
            poison: self.kv_poison,
        }
    }
}

fn parse_order(text: &str) -> Result<Order, String> {
    if text == "plan" {
        return Ok(Order::Plan);
    }
    let seed = text.strip_prefix("random:").and_then(|seed| seed.parse().ok());
    seed.map(|seed| Order::Random { seed }).ok_or_else(|| format!("`{text}` is neither `plan` nor `random:SEED`"))
}

/// How arguments without a value are filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Init {
    /// Random numbers from a seed.
    Random {
        /// The same seed gives the same numbers.
        seed: u64,
    },
}

impl FromStr for Init {
    type Err = String;

    fn from_str(text: &str) -> Result<Init, String> {
        let seed = text.strip_prefix("random:").and_then(|seed| seed.parse().ok());
        seed.map(|seed| Init::Random { seed }).ok_or_else(|| format!("`{text}` is not `random:SEED`, like random:7"))
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(arguments: &[&str]) -> Result<Options, String> {
        let all = ["pygraph-run"].iter().chain(arguments);
        Options::try_parse_from(all).map_err(|error| error.to_string().lines().next().unwrap_or_default().to_string())
    }

    #[test]
    fn the_table_of_options_is_sound() {
        Options::command().debug_assert();
    }

    #[test]
    fn tolerances() {
        let tolerance = |arguments: &[&str]| {
            let all = [&["m.pyg", "--expect", "e.npz"], arguments].concat();
            parse(&all).map(|options| options.tolerance())
        };
        assert_eq!(tolerance(&[]), Ok(Tolerance::PerType));
        assert_eq!(tolerance(&["--tolerance", "1e-3"]), Ok(Tolerance::OfLargest(1e-3)));
        assert_eq!(tolerance(&["--rtol", "1e-3"]), Ok(Tolerance::PerElement { absolute: 0.0, relative: 1e-3 }));
        assert_eq!(
            tolerance(&["--rtol", "1e-3", "--atol", "1"]),
            Ok(Tolerance::PerElement { absolute: 1.0, relative: 1e-3 })
        );
        assert!(tolerance(&["--tolerance", "1", "--atol", "1"]).is_err());
        assert!(parse(&["m.pyg", "--tolerance", "1"]).is_err());
    }

    #[test]
    fn a_model_or_the_devices() {
        assert_eq!(parse(&["-"]).map(|options| options.model), Ok(Some(PathBuf::from("-"))));
        assert!(parse(&["--devices"]).is_ok());
        assert!(parse(&[]).is_err());
    }

    #[test]
    fn orders() {
        let order = |text: &str| parse(&["m.pyg", "--order", text]).map(|options| options.order);
        assert_eq!(order("plan"), Ok(Order::Plan));
        assert_eq!(order("random:7"), Ok(Order::Random { seed: 7 }));
        let message = order("random").expect_err("refused");
        assert!(message.ends_with("`random` is neither `plan` nor `random:SEED`"), "{message}");
    }

    #[test]
    fn seeds() {
        let init = |text: &str| parse(&["m.pyg", "--init", text]).map(|options| options.init);
        assert_eq!(init("random:7"), Ok(Some(Init::Random { seed: 7 })));
        for wrong in ["random", "random:x", "zeros"] {
            let message = init(wrong).expect_err("refused");
            assert!(message.ends_with(&format!("`{wrong}` is not `random:SEED`, like random:7")), "{message}");
        }
    }
}
