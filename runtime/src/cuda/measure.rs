//! Times of the parts of steps on the GPU's own clock: of launches one by one, or of whole segments in one of their forms.
//!
//! A launch is timed between two events on the stream, with nothing else on the GPU. Events and kernels are queued behind a wait that the
//! host releases when a batch of them is there, so that the time of giving them to the GPU is not in the numbers. What is: reading memory that
//! the launches before have left in the cache or not, as in a step; the start and the end of each kernel (see [`LaunchProbe::empty`]). What is
//! not: that kernels of a graph overlap.

use std::{sync::atomic::Ordering, time::Duration};

use pygraph_artifact::{
    deployment::Deployment,
    plan::{Node, Segment, Step, launches},
};

use super::{
    driver::{CudaError, Event, PinnedBytes, Stream},
    program::CudaProgram,
};
use crate::session::Measure;

/// Kernels that are queued before the host lets the GPU begin. The driver holds a few times as many, and blocks beyond.
const QUEUED_MAX: usize = 128;

/// What is measured in every step, and what was in the last.
#[derive(Debug)]
pub(super) enum Measuring {
    /// Every launch; one probe a segment.
    Launches(Vec<LaunchProbe>),
    /// Segments that have the form, with one pair of events a segment.
    Segments { form: Deployment, events: Vec<[Event; 2]> },
}

impl Measuring {
    pub(super) fn new(stream: &Stream, segments: &[Segment], what: Measure) -> Result<Measuring, CudaError> {
        let context = stream.context();
        Ok(match what {
            Measure::Launches => {
                Measuring::Launches(segments.iter().map(|_| LaunchProbe::new(stream)).collect::<Result<_, _>>()?)
            }
            Measure::Segments(form) => {
                let pair = |_| Ok([Event::timed(context)?, Event::timed(context)?]);
                Measuring::Segments { form, events: segments.iter().map(pair).collect::<Result<_, CudaError>>()? }
            }
        })
    }

    /// The form in which a segment runs while this is measured.
    pub(super) fn form_of(&self, segment: &Segment) -> Deployment {
        match self {
            Measuring::Launches(_) => Deployment::Stream,
            Measuring::Segments { form, .. } if forms(segment).contains(form) => *form,
            Measuring::Segments { .. } => segment.deploy,
        }
    }
}

/// The forms that a segment has on a GPU. Here a graph whose library calls are given copies is a graph like any other.
pub fn forms(segment: &Segment) -> &'static [Deployment] {
    fn has_loop(nodes: &[Node]) -> bool {
        let is_loop = |node: &Node| matches!(node.step, Step::While { .. });
        nodes.iter().any(|node| is_loop(node) || node.step.inside().into_iter().any(has_loop))
    }
    if has_loop(&segment.nodes) {
        &[Deployment::Stream, Deployment::HostLoop, Deployment::DeviceLoop]
    } else {
        &[Deployment::Stream, Deployment::Graph]
    }
}

/// Notes what is to be measured of a segment before it runs: its beginning, or, with a probe, each of its kernels.
pub(super) fn begin_segment<'m>(
    program: &CudaProgram,
    number: usize,
    measuring: &'m mut Option<Measuring>,
) -> Result<Option<&'m mut LaunchProbe>, CudaError> {
    match measuring {
        Some(Measuring::Segments { events, .. }) => events[number][0].record(program.gpu().stream()).map(|()| None),
        Some(Measuring::Launches(probes)) => {
            probes[number].begin(launches(&program.program().segments[number].nodes).len());
            Ok(Some(&mut probes[number]))
        }
        None => Ok(None),
    }
}

/// The same when the segment has run, or was given to the GPU.
pub(super) fn end_segment(stream: &Stream, number: usize, measuring: &mut Option<Measuring>) -> Result<(), CudaError> {
    match measuring {
        Some(Measuring::Segments { events, .. }) => events[number][1].record(stream),
        Some(Measuring::Launches(probes)) => probes[number].flush(),
        None => Ok(()),
    }
}

/// Times the launches of a segment in one step after the other.
#[derive(Debug)]
pub(super) struct LaunchProbe {
    /// The first is before a batch, the others each behind one kernel of it; but there is nothing between the first two.
    events: Vec<Event>,
    /// What the GPU waits for before it begins a batch.
    release: PinnedBytes,
    /// Of which launch each kernel of the batch is.
    queued: Vec<usize>,
    /// By launch, in the last step: how many kernels ran, and how long they took.
    pub(super) launches: Vec<(u32, Duration)>,
    /// The time between two events with nothing between them, the last time.
    pub(super) empty: Duration,
}

impl LaunchProbe {
    fn new(stream: &Stream) -> Result<LaunchProbe, CudaError> {
        let context = stream.context();
        let events = (0..QUEUED_MAX + 2).map(|_| Event::timed(context)).collect::<Result<_, _>>()?;
        let release = PinnedBytes::zeroed(context, 8)?;
        Ok(LaunchProbe { events, release, queued: Vec::new(), launches: Vec::new(), empty: Duration::ZERO })
    }

    /// Begins a step of a segment of so many launches.
    pub(super) fn begin(&mut self, launches: usize) {
        self.launches.clear();
        self.launches.resize(launches, (0, Duration::ZERO));
    }

    /// Before a kernel of that launch.
    pub(super) fn before(&mut self, stream: &Stream, launch: usize) -> Result<(), CudaError> {
        if self.queued.is_empty() {
            self.release.word(0).store(0, Ordering::Release);
            stream.wait_until_set(&self.release)?;
            self.events[0].record(stream)?;
            self.events[1].record(stream)?;
        }
        self.queued.push(launch);
        Ok(())
    }

    /// Behind that kernel.
    pub(super) fn behind(&mut self, stream: &Stream) -> Result<(), CudaError> {
        self.events[self.queued.len() + 1].record(stream)?;
        if self.queued.len() == QUEUED_MAX { self.flush() } else { Ok(()) }
    }

    /// Lets what is queued run, waits for it, and adds its times.
    pub(super) fn flush(&mut self) -> Result<(), CudaError> {
        self.release.word(0).store(1, Ordering::Release);
        let Some(last) = self.queued.len().checked_sub(1) else { return Ok(()) };
        self.events[last + 2].synchronize()?;
        self.empty = self.events[1].since(&self.events[0])?;
        for (number, launch) in self.queued.drain(..).enumerate() {
            let (count, time) = &mut self.launches[launch];
            *count += 1;
            *time += self.events[number + 2].since(&self.events[number + 1])?;
        }
        Ok(())
    }
}

impl Drop for LaunchProbe {
    fn drop(&mut self) {
        // Whatever went wrong, the GPU must not wait for ever.
        self.release.word(0).store(1, Ordering::Release);
    }
}
