//! `--profile`: the times of a program's segments in each of their forms, as `pygraph-compile --profile` reads them.
//!
//! Steps are run as `--repeat` runs them. A segment's time is the median of what its steps took on the GPU's clock, from when the GPU came to the
//! segment to its end. Steps are waited for, so that the GPU has nothing else to do: what the host takes to start a form is in its time.

use std::{collections::BTreeMap, io::Write, path::Path, time::Duration};

use pygraph_artifact::{atomic::write_atomically, deployment::Deployment};
use serde_json::json;

use super::RunError;
use crate::session::{Measure, Session};

/// Steps that are timed in each form, and steps before.
const STEPS: u32 = 20;
const WARMUP: u32 = 5;

/// Measures every form and writes the file. The session must be on a GPU; `device` says on which.
pub fn write_profile(session: &mut Session, device: &str, path: &Path) -> Result<(), RunError> {
    let program = session.model().program().name.clone();
    let mut segments: BTreeMap<String, BTreeMap<&str, f64>> = BTreeMap::new();
    for form in Deployment::ALL {
        for (segment, time) in measure(session, *form)? {
            let times = segments.entry(format!("{program}/{segment}")).or_default();
            times.insert(form.name(), (time.as_secs_f64() * 1e9).round() / 1e3);
        }
    }
    let text = format!("{:#}\n", json!({ "device": device, "segments": segments }));
    let written = write_atomically(path, |file| file.write_all(text.as_bytes()));
    written.map_err(|source: std::io::Error| RunError::Outputs { path: path.to_path_buf(), source })
}

/// The median time of each segment that has the form.
fn measure(session: &mut Session, form: Deployment) -> Result<Vec<(String, Duration)>, RunError> {
    session.measure(Measure::Segments(form))?;
    let mut times: BTreeMap<String, Vec<Duration>> = BTreeMap::new();
    for step in 0..WARMUP + STEPS {
        session.step()?.wait()?;
        let measured = session.segment_times()?;
        if measured.is_empty() {
            break;
        }
        for segment in measured.into_iter().filter(|_| step >= WARMUP) {
            times.entry(segment.segment).or_default().push(segment.time);
        }
    }
    let median = |(segment, mut times): (String, Vec<Duration>)| {
        times.sort_unstable();
        (segment, times[times.len() / 2])
    };
    Ok(times.into_iter().map(median).collect())
}
