//! Streams, and events on them.

use std::{ffi::c_void, sync::Arc, time::Duration};

use cudarc::driver::sys::{self, CUevent, CUevent_flags, CUgraph, CUresult, CUstream, CUstream_flags};

use super::{
    context::Context,
    error::{CudaError, check},
    memory::{DeviceBytes, PinnedBytes},
};

/// Work that a GPU does in order. It does not wait for the default stream.
#[derive(Debug)]
pub struct Stream {
    context: Arc<Context>,
    raw: CUstream,
}

// SAFETY: a stream may be used from any thread; the driver orders calls.
unsafe impl Send for Stream {}
// SAFETY: as above.
unsafe impl Sync for Stream {}

impl Stream {
    /// A new stream.
    pub fn new(context: &Arc<Context>) -> Result<Stream, CudaError> {
        context.bind()?;
        let mut raw = std::ptr::null_mut();
        let flags = CUstream_flags::CU_STREAM_NON_BLOCKING as u32;
        // SAFETY: the place is valid.
        check("cuStreamCreate", unsafe { sys::cuStreamCreate(&mut raw, flags) })?;
        Ok(Stream { context: context.clone(), raw })
    }

    /// The context.
    pub fn context(&self) -> &Arc<Context> {
        &self.context
    }

    /// Waits until all its work is done.
    pub fn synchronize(&self) -> Result<(), CudaError> {
        self.context.bind()?;
        // SAFETY: the stream is alive.
        check("cuStreamSynchronize", unsafe { sys::cuStreamSynchronize(self.raw) })
    }

    /// What `work` gives to the stream, recorded and not done.
    pub(super) fn capture(&self, work: impl FnOnce(&Stream) -> Result<(), CudaError>) -> Result<CUgraph, CudaError> {
        self.context.bind()?;
        // Libraries load code while they record, which a relaxed capture allows.
        let mode = sys::CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_RELAXED;
        // SAFETY: the stream is alive.
        check("cuStreamBeginCapture", unsafe { sys::cuStreamBeginCapture_v2(self.raw, mode) })?;
        let worked = work(self);
        let mut graph = std::ptr::null_mut();
        // SAFETY: the place is valid.
        let ended = check("cuStreamEndCapture", unsafe { sys::cuStreamEndCapture(self.raw, &mut graph) });
        worked.and(ended).map(|()| graph)
    }

    /// Later work waits for an event.
    pub fn wait_for(&self, event: &Event) -> Result<(), CudaError> {
        self.context.bind()?;
        // SAFETY: both are alive.
        check("cuStreamWaitEvent", unsafe { sys::cuStreamWaitEvent(self.raw, event.raw, 0) })
    }

    /// Later work waits until the first four bytes of pinned memory are no longer 0.
    pub fn wait_until_set(&self, flag: &PinnedBytes) -> Result<(), CudaError> {
        self.context.bind()?;
        let (address, at_least) =
            (flag.part(0, 4) as u64, sys::CUstreamWaitValue_flags::CU_STREAM_WAIT_VALUE_GEQ as u32);
        // SAFETY: the memory is pinned, and its owner waits for the GPU before it gives it back.
        check("cuStreamWaitValue32", unsafe { sys::cuStreamWaitValue32_v2(self.raw, address, 1, at_least) })
    }

    /// Copies pinned memory to the GPU. Nobody may write there until an event after it.
    pub fn upload(
        &self,
        from: &PinnedBytes,
        from_at: u64,
        to: &DeviceBytes,
        to_at: u64,
        bytes: u64,
    ) -> Result<(), CudaError> {
        let (from, to) = (from.part(from_at, bytes), to.part(to_at, bytes));
        if bytes == 0 {
            return Ok(());
        }
        self.context.bind()?;
        // SAFETY: both parts were checked, and their owners wait for the GPU before they give them back.
        let copied = unsafe { sys::cuMemcpyHtoDAsync_v2(to, from.cast(), bytes as usize, self.raw) };
        check("cuMemcpyHtoDAsync", copied)
    }

    /// Copies from the GPU to pinned memory, which is there after an event after it.
    pub fn download(
        &self,
        from: &DeviceBytes,
        from_at: u64,
        to: &PinnedBytes,
        to_at: u64,
        bytes: u64,
    ) -> Result<(), CudaError> {
        let (from, to) = (from.part(from_at, bytes), to.part(to_at, bytes));
        if bytes == 0 {
            return Ok(());
        }
        self.context.bind()?;
        // SAFETY: both parts were checked, and their owners wait for the GPU before they give them back.
        let copied = unsafe { sys::cuMemcpyDtoHAsync_v2(to.cast(), from, bytes as usize, self.raw) };
        check("cuMemcpyDtoHAsync", copied)
    }

    /// Copies bytes to the GPU, after the work before it, and waits for that.
    ///
    /// # Safety
    /// So many bytes lie at `to`.
    pub unsafe fn upload_now(&self, from: &[u8], to: u64) -> Result<(), CudaError> {
        if from.is_empty() {
            return Ok(());
        }
        self.context.bind()?;
        // SAFETY: the caller's promise; `from` is borrowed until the copy is done.
        let copied = unsafe { sys::cuMemcpyHtoDAsync_v2(to, from.as_ptr().cast(), from.len(), self.raw) };
        check("cuMemcpyHtoDAsync", copied)?;
        self.synchronize()
    }

    /// Copies bytes from the GPU, after the work before it, and waits for that.
    ///
    /// # Safety
    /// So many bytes lie at `from`.
    pub unsafe fn download_now(&self, from: u64, to: &mut [u8]) -> Result<(), CudaError> {
        if to.is_empty() {
            return Ok(());
        }
        self.context.bind()?;
        // SAFETY: the caller's promise; `to` is borrowed until the copy is done.
        let copied = unsafe { sys::cuMemcpyDtoHAsync_v2(to.as_mut_ptr().cast(), from, to.len(), self.raw) };
        check("cuMemcpyDtoHAsync", copied)?;
        self.synchronize()
    }

    /// Copies rows of `width` bytes, `height` of them, each so far from the one before, to the GPU, and waits for that.
    ///
    /// # Safety
    /// All rows lie at `to`, which is the GPU's.
    pub unsafe fn upload_rows_now(&self, from: &[u8], to: u64, rows: Rows) -> Result<(), CudaError> {
        assert!(from.len() as u64 >= rows.span(rows.host_pitch), "rows should lie within the array");
        let mut copy = rows.copy();
        copy.srcMemoryType = sys::CUmemorytype::CU_MEMORYTYPE_HOST;
        copy.srcHost = from.as_ptr().cast();
        copy.srcPitch = rows.host_pitch as usize;
        copy.dstMemoryType = sys::CUmemorytype::CU_MEMORYTYPE_DEVICE;
        copy.dstDevice = to;
        copy.dstPitch = rows.device_pitch as usize;
        // SAFETY: the caller's promise, and the check above; `from` is borrowed until the copy is done.
        unsafe { self.copy_rows_now(&copy) }
    }

    /// The same from the GPU.
    ///
    /// # Safety
    /// All rows lie at `from`, which is the GPU's.
    pub unsafe fn download_rows_now(&self, from: u64, to: &mut [u8], rows: Rows) -> Result<(), CudaError> {
        assert!(to.len() as u64 >= rows.span(rows.host_pitch), "rows should lie within the array");
        let mut copy = rows.copy();
        copy.srcMemoryType = sys::CUmemorytype::CU_MEMORYTYPE_DEVICE;
        copy.srcDevice = from;
        copy.srcPitch = rows.device_pitch as usize;
        copy.dstMemoryType = sys::CUmemorytype::CU_MEMORYTYPE_HOST;
        copy.dstHost = to.as_mut_ptr().cast();
        copy.dstPitch = rows.host_pitch as usize;
        // SAFETY: the caller's promise, and the check above; `to` is borrowed until the copy is done.
        unsafe { self.copy_rows_now(&copy) }
    }

    unsafe fn copy_rows_now(&self, copy: &sys::CUDA_MEMCPY2D) -> Result<(), CudaError> {
        self.context.bind()?;
        // SAFETY: the caller's promise.
        check("cuMemcpy2DAsync", unsafe { sys::cuMemcpy2DAsync_v2(copy, self.raw) })?;
        self.synchronize()
    }

    /// Copies within the GPU.
    ///
    /// # Safety
    /// So many bytes lie at both addresses until the copy is done, and do not overlap.
    pub unsafe fn copy(&self, from: u64, to: u64, bytes: u64) -> Result<(), CudaError> {
        if bytes == 0 {
            return Ok(());
        }
        self.context.bind()?;
        // SAFETY: the caller's promise.
        check("cuMemcpyDtoDAsync", unsafe { sys::cuMemcpyDtoDAsync_v2(to, from, bytes as usize, self.raw) })
    }

    /// Sets bytes.
    ///
    /// # Safety
    /// So many bytes lie at the address until that is done.
    pub unsafe fn fill(&self, address: u64, value: u8, bytes: u64) -> Result<(), CudaError> {
        if bytes == 0 {
            return Ok(());
        }
        self.context.bind()?;
        // SAFETY: the caller's promise.
        check("cuMemsetD8Async", unsafe { sys::cuMemsetD8Async(address, value, bytes as usize, self.raw) })
    }

    /// The same stream as somebody else's, which must not be used when this has been dropped.
    pub fn as_raw(&self) -> *mut c_void {
        self.raw.cast()
    }

    pub(super) fn raw(&self) -> CUstream {
        self.raw
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if self.context.bind().is_ok() {
            // SAFETY: nobody else has it. The driver lets work that was given to it end.
            let _ = unsafe { sys::cuStreamDestroy_v2(self.raw) };
        }
    }
}

/// A stream that somebody else made and keeps, on a GPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForeignStream {
    raw: CUstream,
}

// SAFETY: a stream may be used from any thread; the driver orders calls.
unsafe impl Send for ForeignStream {}
// SAFETY: as above.
unsafe impl Sync for ForeignStream {}

impl ForeignStream {
    /// The stream behind a `CUstream` or `cudaStream_t`; null is the default stream.
    ///
    /// # Safety
    /// It is a stream of the GPU's primary context, which the CUDA runtime, PyTorch and JAX have too, and is there as long as this is used.
    pub unsafe fn from_raw(raw: *mut c_void) -> ForeignStream {
        ForeignStream { raw: raw.cast() }
    }

    /// Later work of the stream waits for an event.
    pub(in crate::cuda) fn wait_for(self, event: &Event) -> Result<(), CudaError> {
        event.context.bind()?;
        // SAFETY: the event is alive, and so is the stream by the promise with which this was made.
        check("cuStreamWaitEvent", unsafe { sys::cuStreamWaitEvent(self.raw, event.raw, 0) })
    }
}

/// Rows of equal size, at equal distances, on both sides of a copy. In bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rows {
    /// Size of a row.
    pub width: u64,
    /// How many.
    pub height: u64,
    /// From a row to the next on the host.
    pub host_pitch: u64,
    /// From a row to the next on the GPU.
    pub device_pitch: u64,
}

impl Rows {
    fn span(&self, pitch: u64) -> u64 {
        self.height.saturating_sub(1) * pitch + self.width
    }

    fn copy(&self) -> sys::CUDA_MEMCPY2D {
        sys::CUDA_MEMCPY2D {
            srcXInBytes: 0,
            srcY: 0,
            srcMemoryType: sys::CUmemorytype::CU_MEMORYTYPE_HOST,
            srcHost: std::ptr::null(),
            srcDevice: 0,
            srcArray: std::ptr::null_mut(),
            srcPitch: 0,
            dstXInBytes: 0,
            dstY: 0,
            dstMemoryType: sys::CUmemorytype::CU_MEMORYTYPE_HOST,
            dstHost: std::ptr::null_mut(),
            dstDevice: 0,
            dstArray: std::ptr::null_mut(),
            dstPitch: 0,
            WidthInBytes: self.width as usize,
            Height: self.height as usize,
        }
    }
}

/// A point in the work of a stream.
#[derive(Debug)]
pub struct Event {
    context: Arc<Context>,
    raw: CUevent,
}

// SAFETY: an event may be used from any thread; the driver orders calls.
unsafe impl Send for Event {}
// SAFETY: as above.
unsafe impl Sync for Event {}

impl Event {
    /// An event to wait for. It counts as reached until it is recorded.
    pub fn new(context: &Arc<Context>) -> Result<Event, CudaError> {
        Event::with_flags(context, CUevent_flags::CU_EVENT_DISABLE_TIMING)
    }

    /// An event that also knows when it was reached.
    pub fn timed(context: &Arc<Context>) -> Result<Event, CudaError> {
        Event::with_flags(context, CUevent_flags::CU_EVENT_DEFAULT)
    }

    fn with_flags(context: &Arc<Context>, flags: CUevent_flags) -> Result<Event, CudaError> {
        context.bind()?;
        let mut raw = std::ptr::null_mut();
        // SAFETY: the place is valid.
        check("cuEventCreate", unsafe { sys::cuEventCreate(&mut raw, flags as u32) })?;
        Ok(Event { context: context.clone(), raw })
    }

    /// Puts it behind the work that the stream has now.
    pub fn record(&self, stream: &Stream) -> Result<(), CudaError> {
        self.context.bind()?;
        // SAFETY: both are alive.
        check("cuEventRecord", unsafe { sys::cuEventRecord(self.raw, stream.raw) })
    }

    /// Puts it behind the work that a stream of somebody else has now.
    pub(in crate::cuda) fn record_on(&self, stream: ForeignStream) -> Result<(), CudaError> {
        self.context.bind()?;
        // SAFETY: the event is alive, and so is the stream by the promise with which it was made.
        check("cuEventRecord", unsafe { sys::cuEventRecord(self.raw, stream.raw) })
    }

    /// Waits until it is reached.
    pub fn synchronize(&self) -> Result<(), CudaError> {
        self.context.bind()?;
        // SAFETY: the event is alive.
        check("cuEventSynchronize", unsafe { sys::cuEventSynchronize(self.raw) })
    }

    /// True if it is reached.
    pub fn is_reached(&self) -> Result<bool, CudaError> {
        self.context.bind()?;
        // SAFETY: the event is alive.
        match unsafe { sys::cuEventQuery(self.raw) } {
            CUresult::CUDA_ERROR_NOT_READY => Ok(false),
            result => check("cuEventQuery", result).map(|()| true),
        }
    }

    /// The time from an earlier event to this one. Both are timed, and reached.
    pub fn since(&self, earlier: &Event) -> Result<Duration, CudaError> {
        self.context.bind()?;
        let mut milliseconds = 0.0;
        // SAFETY: the place is valid, and both events are alive.
        let elapsed = unsafe { sys::cuEventElapsedTime_v2(&mut milliseconds, earlier.raw, self.raw) };
        check("cuEventElapsedTime", elapsed)?;
        Ok(Duration::from_secs_f64(f64::from(milliseconds.max(0.0)) / 1e3))
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        if self.context.bind().is_ok() {
            // SAFETY: nobody else has it.
            let _ = unsafe { sys::cuEventDestroy_v2(self.raw) };
        }
    }
}
