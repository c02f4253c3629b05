//! The npz convention for several steps: `step{k}_arg{i}` in, `step{k}_out{i}` out; step 0 has no prefix.

use std::{collections::HashSet, path::Path};

use pygraph_artifact::plan::{Bind, Program, ResultSlot};

use crate::{
    npz::{NpzError, NpzFile, plain_key},
    tensor::Tensor,
};

/// The key of a result.
pub fn result_key(step: u32, index: usize) -> String {
    if step == 0 { format!("out{index}") } else { format!("step{step}_out{index}") }
}

/// Step and index of a key like `out3` or `step2_out3`, where `kind` is `out`; likewise for `arg`.
pub fn parse_key(key: &str, kind: &str) -> Option<(u32, usize)> {
    let key = plain_key(key);
    let (step, rest) = match key.strip_prefix("step") {
        Some(rest) => {
            let (step, rest) = rest.split_once('_')?;
            (parse_number(step).filter(|step| *step > 0)?, rest)
        }
        None => (0, key),
    };
    Some((step, parse_number(rest.strip_prefix(kind)?)? as usize))
}

/// Digits only: `+1` and `01` are other keys.
fn parse_number(text: &str) -> Option<u32> {
    let number: u32 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// What changes after step 0.
#[derive(Debug)]
pub struct StepInputs {
    file: Option<NpzFile>,
    count: u32,
}

impl StepInputs {
    /// Opens the file, if there is one; there are as many steps as its keys name.
    pub fn open(path: Option<&Path>) -> Result<StepInputs, NpzError> {
        let file = path.map(NpzFile::open).transpose()?;
        let steps = file.iter().flat_map(|file| file.keys()).filter_map(|key| {
            let (step, _) = parse_key(key, "arg").or_else(|| parse_key(key, "out"))?;
            Some(step)
        });
        let count = steps.max().unwrap_or(0);
        Ok(StepInputs { file, count })
    }

    /// How many steps follow step 0.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Arguments of which nothing says what becomes of them from step to step: where no argument is state, those that are
    /// given once although they are not weights, and have the type of a result. Each with the result.
    pub fn undecided(&self, program: &Program) -> Vec<(usize, usize)> {
        let Some(file) = self.file.as_ref().filter(|_| self.count > 0) else { return Vec::new() };
        // The state of a generator says nothing of what the program's author had in mind.
        if program.params.iter().any(|param| param.bind == Bind::State && param.initial.is_none()) {
            return Vec::new();
        }
        let given: HashSet<usize> = file.keys().filter_map(|key| Some(parse_key(key, "arg")?.1)).collect();
        let left = program
            .params
            .iter()
            .enumerate()
            .filter(|(index, param)| param.bind == Bind::Step && !given.contains(index));
        left.filter_map(|(index, param)| {
            let fits = |result: &ResultSlot| (result.dtype, &result.shape) == (param.dtype, &param.shape);
            Some((index, program.results.iter().position(fits)?))
        })
        .collect()
    }

    /// The arguments that are replaced before `step`.
    pub fn values(&mut self, step: u32, program: &Program) -> Result<Vec<(usize, Tensor)>, NpzError> {
        let Some(file) = self.file.as_mut().filter(|_| step > 0) else { return Ok(Vec::new()) };
        let mut values = Vec::new();
        for (index, param) in program.params.iter().enumerate() {
            let key = format!("step{step}_arg{index}");
            if file.contains(&key) {
                values.push((index, file.read(&key, param.dtype, &param.shape)?));
            }
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys() {
        let check = |key, kind, expected| assert_eq!(parse_key(key, kind), expected, "{key}");
        check("out0", "out", Some((0, 0)));
        check("out12__bf16", "out", Some((0, 12)));
        check("step3_out1", "out", Some((3, 1)));
        check("out2__f8E4M3FN", "out", Some((0, 2)));
        check("step10_arg2__bf16", "arg", Some((10, 2)));
        check("step3_arg1", "out", None);
        check("step0_out1", "out", None);
        check("step_out1", "out", None);
        check("out", "out", None);
        check("out+1", "out", None);
        check("out01", "out", None);
        check("output", "out", None);
        assert_eq!((result_key(0, 2), result_key(4, 2)), ("out2".to_string(), "step4_out2".to_string()));
    }
}
