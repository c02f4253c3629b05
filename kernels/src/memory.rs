//! The bytes that launches read and write: the one module with `unsafe` code.
//!
//! A plan places buffers at fixed offsets of one arena, and a launch may write where it reads. So a [`Buffer`] is a
//! region that may overlap others; its bytes are only ever copied in and out, and never borrowed, except for a
//! kernel call, after a check that no output of the call overlaps anything else of it.
//! Buffers cannot be sent to other threads: whoever holds them runs one launch at a time.

use std::{marker::PhantomData, ops::Range, ptr};

use bytemuck::Pod;

/// Owned bytes, aligned to 16.
#[derive(Debug, Clone, Default)]
pub struct Bytes {
    words: Vec<u128>,
    size_bytes: usize,
}

impl Bytes {
    /// That many zero bytes.
    pub fn zeroed(size_bytes: usize) -> Bytes {
        Bytes { words: vec![0; size_bytes.div_ceil(16)], size_bytes }
    }

    /// A copy.
    pub fn copy_of(bytes: &[u8]) -> Bytes {
        let mut copy = Bytes::zeroed(bytes.len());
        copy.as_mut_slice().copy_from_slice(bytes);
        copy
    }

    /// All of them.
    pub fn as_slice(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[..self.size_bytes]
    }

    /// All of them, to write.
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        &mut bytemuck::cast_slice_mut(&mut self.words)[..self.size_bytes]
    }
}

/// A writable region whose buffers may overlap.
#[derive(Debug)]
pub struct Arena<'a> {
    start: *mut u8,
    size_bytes: usize,
    bytes: PhantomData<&'a mut [u8]>,
}

impl<'a> Arena<'a> {
    /// Takes over these bytes.
    pub fn new(bytes: &'a mut [u8]) -> Arena<'a> {
        Arena { start: bytes.as_mut_ptr(), size_bytes: bytes.len(), bytes: PhantomData }
    }

    /// The buffer at an offset; none where it does not fit in.
    pub fn buffer(&self, offset: u64, size_bytes: usize) -> Option<Buffer<'a>> {
        let offset = usize::try_from(offset).ok()?;
        if offset.checked_add(size_bytes)? > self.size_bytes {
            return None;
        }
        // SAFETY: offset is at most the region's size, which was just checked.
        let start = unsafe { self.start.add(offset) };
        Some(Buffer { start, size_bytes, writable: true, bytes: PhantomData })
    }
}

/// The bytes of one buffer. Copies of it and other buffers may overlap it.
#[derive(Debug, Clone, Copy)]
pub struct Buffer<'a> {
    start: *mut u8,
    size_bytes: usize,
    writable: bool,
    bytes: PhantomData<&'a mut [u8]>,
}

impl<'a> Buffer<'a> {
    /// A buffer that launches only read.
    pub fn read_only(bytes: &'a [u8]) -> Buffer<'a> {
        Buffer { start: bytes.as_ptr().cast_mut(), size_bytes: bytes.len(), writable: false, bytes: PhantomData }
    }

    /// A buffer that launches read and write.
    pub fn writable(bytes: &'a mut [u8]) -> Buffer<'a> {
        Buffer { start: bytes.as_mut_ptr(), size_bytes: bytes.len(), writable: true, bytes: PhantomData }
    }

    /// The buffer at an address that was written down.
    ///
    /// # Safety
    /// That many bytes lie there for as long as the buffer is used, as with [`Buffer::read_only`] or [`Buffer::writable`].
    pub unsafe fn at_address(address: u64, size_bytes: usize, writable: bool) -> Buffer<'a> {
        Buffer { start: address as usize as *mut u8, size_bytes, writable, bytes: PhantomData }
    }

    /// Where it begins, to be written down.
    pub fn address(&self) -> u64 {
        self.start as usize as u64
    }

    /// Its size.
    pub fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    /// True if launches may write it.
    pub fn is_writable(&self) -> bool {
        self.writable
    }

    /// A copy of its bytes.
    pub fn to_bytes(&self) -> Bytes {
        let mut bytes = Bytes::zeroed(self.size_bytes);
        self.read_into(bytes.as_mut_slice());
        bytes
    }

    /// Copies its bytes out; the slice must be as long.
    pub fn read_into(&self, out: &mut [u8]) {
        assert_eq!(out.len(), self.size_bytes, "a buffer should be read whole");
        // SAFETY: both are valid for that many bytes; `ptr::copy` allows overlap.
        unsafe { ptr::copy(self.start, out.as_mut_ptr(), self.size_bytes) }
    }

    /// Copies bytes in; the slice must be as long, the buffer writable.
    pub fn write_from(&self, bytes: &[u8]) {
        assert!(self.writable, "a buffer that is written should be writable");
        assert_eq!(bytes.len(), self.size_bytes, "a buffer should be written whole");
        // SAFETY: both are valid for that many bytes, this one for writing; `ptr::copy` allows overlap.
        unsafe { ptr::copy(bytes.as_ptr(), self.start, self.size_bytes) }
    }

    /// The addresses it covers.
    pub(crate) fn addresses(&self) -> Range<usize> {
        let start = self.start as usize;
        start..start + self.size_bytes
    }

    /// Its bytes, for the time of one call.
    ///
    /// # Safety
    /// Nothing writes them while the slice lives.
    pub(crate) unsafe fn as_slice(&self) -> &'a [u8] {
        // SAFETY: the region is valid for its lifetime; the caller promises that nobody writes it.
        unsafe { std::slice::from_raw_parts(self.start, self.size_bytes) }
    }

    /// Its bytes to write, for the time of one call.
    ///
    /// # Safety
    /// The buffer is writable, and nothing else reads or writes its bytes while the slice lives.
    pub(crate) unsafe fn as_mut_slice(&self) -> &'a mut [u8] {
        debug_assert!(self.writable, "a buffer that is written should be writable");
        // SAFETY: the region is valid for its lifetime; the caller promises that nobody else uses it.
        unsafe { std::slice::from_raw_parts_mut(self.start, self.size_bytes) }
    }
}

/// A buffer as the threads of one launch see it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SharedBuffer<'a> {
    buffer: Buffer<'a>,
    /// The number of the first element in the region: the elements before it are elsewhere.
    first: i64,
}

// SAFETY: the constructor's caller promises that threads never write what another thread uses.
unsafe impl Send for SharedBuffer<'_> {}
// SAFETY: as above.
unsafe impl Sync for SharedBuffer<'_> {}

impl<'a> SharedBuffer<'a> {
    /// Lets several threads use the buffer.
    ///
    /// # Safety
    /// As long as several threads use it, no two of them use the same byte unless all only read it.
    pub(crate) unsafe fn new(buffer: Buffer<'a>) -> SharedBuffer<'a> {
        SharedBuffer { buffer, first: 0 }
    }

    /// The same region as a part of something larger: element `first` of that is its first.
    pub(crate) fn starting_at(self, first: i64) -> SharedBuffer<'a> {
        SharedBuffer { first, ..self }
    }

    /// The address of an element, which need not lie in the region.
    pub(crate) fn address_of(&self, element: i64, element_bytes: usize) -> *mut u8 {
        self.buffer.start.wrapping_offset((element - self.first) as isize * element_bytes as isize)
    }

    /// Reads `out.len()` elements: the first at element `first`, each next `stride` elements on.
    pub(crate) fn read_run<T: Pod>(&self, first: i64, stride: i64, out: &mut [T]) {
        let Some(start) = self.run_start::<T>(first, stride, out.len()) else { return };
        // SAFETY: `run_start` checked that every element of the run lies in the region; reads need no alignment.
        unsafe {
            match stride {
                1 => ptr::copy(start.cast::<u8>(), out.as_mut_ptr().cast::<u8>(), size_of_val(out)),
                0 => out.fill(start.read_unaligned()),
                _ => {
                    for (idx, element) in out.iter_mut().enumerate() {
                        *element = start.wrapping_offset(stride as isize * idx as isize).read_unaligned();
                    }
                }
            }
        }
    }

    /// Writes the elements: the first at element `first`, each next `stride` elements on.
    pub(crate) fn write_run<T: Pod>(&self, first: i64, stride: i64, elements: &[T]) {
        assert!(self.buffer.writable, "a buffer that is written should be writable");
        let Some(start) = self.run_start::<T>(first, stride, elements.len()) else { return };
        // SAFETY: `run_start` checked that every element of the run lies in the region; writes need no alignment.
        unsafe {
            if stride == 1 {
                ptr::copy(elements.as_ptr().cast::<u8>(), start.cast::<u8>(), size_of_val(elements));
            } else {
                for (idx, element) in elements.iter().enumerate() {
                    start.wrapping_offset(stride as isize * idx as isize).write_unaligned(*element);
                }
            }
        }
    }

    /// Where a run starts; none for an empty one. Panics if it leaves the region: checks come before running.
    fn run_start<T>(&self, first: i64, stride: i64, count: usize) -> Option<*mut T> {
        if count == 0 {
            return None;
        }
        let first = first - self.first;
        let last = i128::from(first) + i128::from(stride) * (count as i128 - 1);
        let elements = (self.buffer.size_bytes / size_of::<T>()) as i128;
        let inside = |element: i128| (0..elements).contains(&element);
        assert!(inside(i128::from(first)) && inside(last), "a run should lie in its buffer");
        Some(self.buffer.start.cast::<T>().wrapping_add(first as usize))
    }
}

/// A matrix in a slice: its element (i, j) is `elements[i * row_stride + j * column_stride]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Matrix<'a, T> {
    /// From the first element on.
    pub elements: &'a [T],
    /// From a row to the next.
    pub row_stride: usize,
    /// From a column to the next.
    pub column_stride: usize,
}

impl<T> Matrix<'_, T> {
    fn holds(&self, rows: usize, columns: usize) -> bool {
        let last = (rows - 1)
            .checked_mul(self.row_stride)
            .zip((columns - 1).checked_mul(self.column_stride))
            .and_then(|(rows, columns)| rows.checked_add(columns));
        last.is_some_and(|last| last < self.elements.len())
    }
}

/// Element types that matrices are multiplied in.
pub(crate) trait MatrixElement: Pod + num_complex::ComplexFloat + Send + Sync {}
impl MatrixElement for f32 {}
impl MatrixElement for f64 {}
impl MatrixElement for num_complex::Complex<f32> {}
impl MatrixElement for num_complex::Complex<f64> {}

/// Writes the product of an `m` by `k` and a `k` by `n` matrix, none of them 0, to rows `out_stride` apart.
pub(crate) fn multiply<T: MatrixElement>(
    [m, n, k]: [usize; 3],
    out: &mut [T],
    out_stride: usize,
    lhs: Matrix<'_, T>,
    rhs: Matrix<'_, T>,
    parallelism: gemm::Parallelism,
) {
    let result = Matrix { elements: &*out, row_stride: out_stride, column_stride: 1 };
    let fits = out_stride >= n && result.holds(m, n) && lhs.holds(m, k) && rhs.holds(k, n);
    assert!(fits, "matrices should lie in their slices");
    // SAFETY: every element of the three matrices was just checked to lie in its slice; `out` is borrowed mutably, so
    // nothing else overlaps it, and its rows do not overlap since they are at least `n` apart.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            out_stride as isize,
            false,
            lhs.elements.as_ptr(),
            lhs.column_stride as isize,
            lhs.row_stride as isize,
            rhs.elements.as_ptr(),
            rhs.column_stride as isize,
            rhs.row_stride as isize,
            T::zero(),
            T::one(),
            false,
            false,
            false,
            parallelism,
        );
    }
}
