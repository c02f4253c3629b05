//! `--expect`: comparison of results with those of a file, as they are computed.

use std::{io::Write, path::PathBuf};

use pygraph_artifact::plan::Program;

use super::{
    RunError,
    steps::{parse_key, result_key},
};
use crate::{
    compare::{Tolerance, difference},
    npz::NpzFile,
    tensor::TensorView,
};

/// Files of expected values, and what was found so far.
#[derive(Debug)]
pub struct Expectations {
    files: Vec<NpzFile>,
    tolerance: Tolerance,
    names: Vec<String>,
    compared: usize,
    differences: Vec<String>,
}

impl Expectations {
    /// Opens the files, and refuses one that expects nothing or more than will be computed.
    pub fn open(
        paths: &[PathBuf],
        tolerance: Tolerance,
        program: &Program,
        last_step: u32,
    ) -> Result<Expectations, RunError> {
        let files: Vec<NpzFile> = paths.iter().map(|path| NpzFile::open(path)).collect::<Result<_, _>>()?;
        let results = program.results.len();
        for (file, path) in files.iter().zip(paths) {
            let mut found = 0;
            for key in file.keys() {
                let Some((step, index)) = parse_key(key, "out") else { continue };
                if step > last_step || index >= results {
                    return Err(RunError::NotComputed { path: path.clone(), key: key.to_string(), last_step, results });
                }
                found += 1;
            }
            if found == 0 {
                return Err(RunError::NothingExpected { path: path.clone() });
            }
        }
        let names = program.results.iter().map(|result| result.name.clone()).collect();
        Ok(Expectations { files, tolerance, names, compared: 0, differences: Vec::new() })
    }

    /// Compares one result with every file that expects it.
    pub fn compare(&mut self, step: u32, index: usize, got: TensorView) -> Result<(), RunError> {
        let key = result_key(step, index);
        for file in self.files.iter_mut().filter(|file| file.contains(&key)) {
            let expected = file.read(&key, got.dtype, got.shape)?;
            self.compared += 1;
            if let Some(found) = difference(got, expected.view(), self.tolerance) {
                self.differences.push(format!("{key} `{}`: {found}", self.names[index]));
            }
        }
        Ok(())
    }

    /// Says that all is well, or returns what differs.
    pub fn finish(self, out: &mut impl Write) -> Result<(), RunError> {
        if !self.differences.is_empty() {
            return Err(RunError::Differs { differences: self.differences, compared: self.compared });
        }
        if self.compared > 0 {
            writeln!(out, "{} results are as expected", self.compared).map_err(RunError::Print)?;
        }
        Ok(())
    }
}
