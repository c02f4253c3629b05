//! Where the values of arguments come from: `--inputs`, then `--weights`, then `--seed` for states of random generators and `--init`
//! for others.

use std::path::Path;

use pygraph_artifact::plan::{Param, Program};

use super::{Init, RunError, steps::parse_key};
use crate::{init, npz::NpzFile, random_state::initial_value, tensor::Tensor, weights::Weights};

/// The seed of a program that draws random numbers, unless another is given.
const DEFAULT_SEED: u64 = 0;

/// The open sources.
#[derive(Debug)]
pub struct Sources {
    inputs: Option<NpzFile>,
    weights: Option<Weights>,
    init: Option<Init>,
    seed: Option<u64>,
}

impl Sources {
    /// Opens the files of `--inputs` and `--weights`, if they are given.
    pub fn open(
        inputs: Option<&Path>,
        weights: Option<&Path>,
        init: Option<Init>,
        seed: Option<u64>,
    ) -> Result<Sources, RunError> {
        Ok(Sources {
            inputs: inputs.map(NpzFile::open).transpose()?,
            weights: weights.map(Weights::open).transpose()?,
            init,
            seed,
        })
    }

    /// The values of all arguments for which there is one. A session reports the others together.
    pub fn values(&mut self, program: &Program) -> Result<Vec<(usize, Tensor)>, RunError> {
        self.report_surplus(program);
        self.report_seed(program);
        let mut values = Vec::new();
        for (index, param) in program.params.iter().enumerate() {
            if let Some(value) = self.value(index, param)? {
                values.push((index, value));
            }
        }
        Ok(values)
    }

    fn value(&mut self, index: usize, param: &Param) -> Result<Option<Tensor>, RunError> {
        let by_index = format!("arg{index}");
        if let Some(file) = &mut self.inputs {
            for key in [by_index.as_str(), param.name.as_str()] {
                if file.contains(key) {
                    return Ok(Some(file.read(key, param.dtype, &param.shape)?));
                }
            }
        }
        if let Some(file) = &mut self.weights
            && file.contains(&param.name)
        {
            return Ok(Some(file.read(&param.name, param.dtype, &param.shape)?));
        }
        if let Some(initial) = param.initial {
            let seed = self.seed.unwrap_or(DEFAULT_SEED);
            let advice = if self.seed.is_none() { "; --seed gives another" } else { "" };
            eprintln!(
                "note: arg{index} `{}`, the state of random numbers, begins with seed {seed} and offset 0{advice}",
                param.name
            );
            return Ok(Some(initial_value(initial, seed)?));
        }
        match self.init {
            Some(Init::Random { seed }) => Ok(Some(init::random(param.dtype, &param.shape, seed, index as u64)?)),
            None => Ok(None),
        }
    }

    /// Says that a seed is given for nothing.
    fn report_seed(&self, program: &Program) {
        if self.seed.is_some() && program.params.iter().all(|param| param.initial.is_none()) {
            eprintln!("note: `{}` draws no random numbers, so --seed changes nothing", program.name);
        }
    }

    /// Says which numbered arguments of the inputs the program does not take: likely the file of another model.
    fn report_surplus(&self, program: &Program) {
        let Some(file) = &self.inputs else { return };
        let count = program.params.len();
        let numbered = |key: &&str| matches!(parse_key(key, "arg"), Some((0, index)) if index >= count);
        let mut surplus: Vec<&str> = file.keys().filter(numbered).collect();
        surplus.sort_unstable();
        if !surplus.is_empty() {
            let (path, keys) = (file.path().display(), surplus.join(", "));
            eprintln!("note: {path} has {keys}, which the program, with {count} arguments, does not take");
        }
    }
}
