//! The command line of `pygraph-bench`.

use std::{path::PathBuf, str::FromStr};

use clap::Parser;

use crate::{cuda::options::GpuOptions, host::Loops, knobs::knobs_text, run::Init};

/// Time the steps of a compiled model.
#[derive(Debug, Clone, Parser)]
#[command(name = "pygraph-bench", version, after_help = knobs_text())]
pub struct Options {
    /// An artifact (.pyg)
    pub artifact: PathBuf,

    /// Device to run on: host, cuda, cuda:N, or auto: a GPU that the artifact has code for, else the host
    #[arg(long, default_value = "auto", value_name = "DEVICE")]
    pub device: String,

    /// Program to run; `main`, or the only one, if not given
    #[arg(long, value_name = "NAME")]
    pub entry: Option<String>,

    /// Arguments by key: arg0, arg1, … or their names; bf16 as uint16 under KEY__bf16
    #[arg(long, value_name = "FILE.npz")]
    pub inputs: Option<PathBuf>,

    /// Values by argument name, for arguments that --inputs leaves out
    #[arg(long, value_name = "FILE.safetensors|FILE.npz")]
    pub weights: Option<PathBuf>,

    /// Random values for all arguments that are left: small floats, integers 0 or 1
    #[arg(long, value_name = "random:SEED")]
    pub init: Option<Init>,

    /// Steps that are timed, once each waited for and once given to the device one behind the other
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub steps: u32,

    /// Steps before those
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub warmup: u32,

    /// An integer argument, by argN or name, that grows by 1 a step: a position; from START, or 0. Can be given several times
    #[arg(long, value_name = "ARG[=START]")]
    pub advance: Vec<Advance>,

    /// Copies of each `step` argument on the device, of which every step takes the next: inputs at other addresses
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub input_sets: u32,

    /// Begin with empty caches, which grow, in place of those among the arguments
    #[arg(long)]
    pub fresh_kv: bool,

    /// Map caches on another thread too, this many handles ahead of need
    #[arg(long, value_name = "HANDLES", default_value_t = 0)]
    pub kv_ahead: u64,

    /// What is chosen about a GPU.
    #[command(flatten)]
    pub gpu: GpuOptions,

    /// Time each launch by itself too, in some more steps on a GPU, and show which code takes the time
    #[arg(long)]
    pub launches: bool,

    /// Time the ways in which a library can compute each product first, and note the fastest in the tuning cache
    #[arg(long)]
    pub tune: bool,

    /// Interpret every loop nest on the host device, whatever native code the artifact holds
    #[arg(long)]
    pub interpret: bool,

    /// Write the results of the last step, but for state: out0, out1, …
    #[arg(long, value_name = "FILE.npz")]
    pub outputs: Option<PathBuf>,

    /// Write what was measured as JSON too; times are in microseconds
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

impl Options {
    /// How loop nests run.
    pub fn loops(&self) -> Loops {
        if self.interpret { Loops::Interpreted } else { Loops::Native }
    }
}

/// An argument that grows from step to step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advance {
    /// `argN`, or its name.
    pub argument: String,
    /// Its value in the first step.
    pub start: i64,
}

impl FromStr for Advance {
    type Err = String;

    fn from_str(text: &str) -> Result<Advance, String> {
        let (argument, start) = text.split_once('=').unwrap_or((text, "0"));
        let start = start.parse().map_err(|_| format!("`{start}` is no integer to start from, like arg3=128"))?;
        Ok(Advance { argument: argument.to_string(), start })
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_table_of_options_is_sound() {
        Options::command().debug_assert();
    }

    #[test]
    fn arguments_advance_from_a_start() {
        let advance = |text: &str| text.parse::<Advance>().map(|advance| (advance.argument, advance.start));
        assert_eq!(advance("arg3"), Ok(("arg3".to_string(), 0)));
        assert_eq!(advance("pos=128"), Ok(("pos".to_string(), 128)));
        assert_eq!(advance("pos=x"), Err("`x` is no integer to start from, like arg3=128".to_string()));
    }
}
