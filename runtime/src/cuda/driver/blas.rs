//! cuBLASLt: products of matrices by NVIDIA's library, where it is installed.
//!
//! It is loaded when the first product is prepared, and by its own names, since the driver's bindings would end the process if a function
//! were missing. Numbers of types and attributes are those of `cublasLt.h`, which are the same in CUDA 12 and 13.

use std::{
    ffi::{CStr, c_char, c_void},
    ptr,
    sync::Arc,
};

use cudarc::driver::sys::CUstream;
use libloading::Library;
use pygraph_artifact::{
    dtype::DType,
    library::{Product, Side},
};

use super::{
    context::Context,
    error::CudaError,
    stream::{Event, Stream},
};
use crate::knobs::CUBLASLT;

/// Where it is looked for if the environment names no file.
const NAMES: [&str; 3] = ["libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so"];

/// What every address that it is given is a multiple of, in bytes.
pub const ALIGNMENT: u64 = 16;

const COMPUTE_32F: i32 = 68;
const TYPE_32F: i32 = 0;
const DESC_TRANSA: i32 = 3;
const DESC_TRANSB: i32 = 4;
const LAYOUT_BATCH_COUNT: i32 = 5;
const LAYOUT_BATCH_OFFSET: i32 = 6;
const PREFERENCE_WORKSPACE: i32 = 1;
const PREFERENCE_REDUCTIONS: i32 = 3;
const PREFERENCE_ALIGNMENTS: [i32; 4] = [5, 6, 7, 8];

type Status = i32;
type Opaque = *mut c_void;

/// How a product is computed: the library's own description, which says nothing to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(C)]
pub struct Algorithm(pub [u64; 8]);

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Found {
    algorithm: Algorithm,
    workspace: usize,
    state: Status,
    waves: f32,
    reserved: [i32; 4],
}

/// Declares the functions that are used, and loads them.
macro_rules! functions {
    ($($field:ident $name:literal ($($of:ty),*);)*) => {
        struct Functions { $($field: unsafe extern "C" fn($($of),*) -> Status,)* }
        impl Functions {
            fn load(library: &Library) -> Result<Functions, libloading::Error> {
                // SAFETY: the types are those of `cublasLt.h`.
                unsafe { Ok(Functions { $($field: *library.get(concat!($name, "\0").as_bytes())?,)* }) }
            }
        }
    };
}
functions! {
    create "cublasLtCreate" (*mut Opaque);
    destroy "cublasLtDestroy" (Opaque);
    desc_create "cublasLtMatmulDescCreate" (*mut Opaque, i32, i32);
    desc_set "cublasLtMatmulDescSetAttribute" (Opaque, i32, *const c_void, usize);
    desc_destroy "cublasLtMatmulDescDestroy" (Opaque);
    layout_create "cublasLtMatrixLayoutCreate" (*mut Opaque, i32, u64, u64, i64);
    layout_set "cublasLtMatrixLayoutSetAttribute" (Opaque, i32, *const c_void, usize);
    layout_destroy "cublasLtMatrixLayoutDestroy" (Opaque);
    preference_create "cublasLtMatmulPreferenceCreate" (*mut Opaque);
    preference_set "cublasLtMatmulPreferenceSetAttribute" (Opaque, i32, *const c_void, usize);
    preference_destroy "cublasLtMatmulPreferenceDestroy" (Opaque);
    heuristic "cublasLtMatmulAlgoGetHeuristic"
        (Opaque, Opaque, Opaque, Opaque, Opaque, Opaque, Opaque, i32, *mut Found, *mut i32);
    algorithm_check "cublasLtMatmulAlgoCheck"
        (Opaque, Opaque, Opaque, Opaque, Opaque, Opaque, *const Algorithm, *mut Found);
    matmul "cublasLtMatmul"
        (Opaque, Opaque, *const c_void, *const c_void, Opaque, *const c_void, Opaque, *const c_void, *const c_void, Opaque,
         *mut c_void, Opaque, *const Algorithm, *mut c_void, usize, CUstream);
}

/// The library, ready for one GPU.
pub struct Blas {
    context: Arc<Context>,
    functions: Functions,
    handle: Opaque,
    version: usize,
    status_name: unsafe extern "C" fn(Status) -> *const c_char,
    // Last: functions go before the library.
    _library: Library,
}

// SAFETY: a handle of cuBLASLt may be used from several threads at a time.
unsafe impl Send for Blas {}
// SAFETY: as above.
unsafe impl Sync for Blas {}

impl Blas {
    /// Loads the library; the error says in which files it was not found.
    pub fn open(context: &Arc<Context>) -> Result<Arc<Blas>, CudaError> {
        let missing = |reason: String| CudaError::NoLibrary { reason: reason.into() };
        let named = std::env::var(CUBLASLT.name).ok();
        let names: Vec<&str> = named.as_deref().map_or_else(|| NAMES.to_vec(), |name| vec![name]);
        // SAFETY: loading it runs its constructors, which is what it is for.
        let found = names.iter().find_map(|name| unsafe { Library::new(*name) }.ok());
        let library = found.ok_or_else(|| missing(format!("none of {} could be loaded", names.join(", "))))?;
        let functions = Functions::load(&library).map_err(|error| missing(error.to_string()))?;
        // SAFETY: the types are those of `cublasLt.h`.
        let (version, status_name) = unsafe {
            let version = library.get::<unsafe extern "C" fn() -> usize>(b"cublasLtGetVersion\0");
            let status_name = library.get::<unsafe extern "C" fn(Status) -> *const c_char>(b"cublasLtGetStatusName\0");
            let (version, status_name) = version
                .and_then(|version| Ok((*version, *status_name?)))
                .map_err(|error: libloading::Error| missing(error.to_string()))?;
            (version(), status_name)
        };
        context.bind()?;
        let mut blas = Blas {
            context: context.clone(),
            functions,
            handle: ptr::null_mut(),
            version,
            status_name,
            _library: library,
        };
        // SAFETY: the place is valid, and the context is current.
        let created = unsafe { (blas.functions.create)(&mut blas.handle) };
        blas.check("cublasLtCreate", created)?;
        Ok(Arc::new(blas))
    }

    /// Its version, as it says it itself: 130100 for 13.1.
    pub fn version(&self) -> usize {
        self.version
    }

    fn check(&self, operation: &'static str, status: Status) -> Result<(), CudaError> {
        if status == 0 {
            return Ok(());
        }
        // SAFETY: the library gives a text that ends with a null byte and lives as long as it.
        let name = unsafe { CStr::from_ptr((self.status_name)(status)) }.to_string_lossy().into();
        Err(CudaError::Call { operation, name, advice: "cuBLASLt refused: --libraries=off does without it" })
    }

    /// Descriptions of a product's matrices.
    pub fn describe(self: &Arc<Blas>, product: &Product) -> Result<Matrices, CudaError> {
        let Product { dtype, output, batches, rows, columns, terms, left, right } = *product;
        let mut matrices = Matrices { blas: self.clone(), desc: ptr::null_mut(), layouts: [ptr::null_mut(); 3] };
        // SAFETY: the place is valid.
        let made = unsafe { (self.functions.desc_create)(&mut matrices.desc, COMPUTE_32F, TYPE_32F) };
        self.check("cublasLtMatmulDescCreate", made)?;
        // The library counts columns first: its first matrix is our right one, and its result our rows.
        for (attribute, is_turned) in [(DESC_TRANSA, !right.is_across), (DESC_TRANSB, left.is_across)] {
            let value = i32::from(is_turned);
            // SAFETY: the description takes four bytes for these.
            let set = unsafe { (self.functions.desc_set)(matrices.desc, attribute, ptr::from_ref(&value).cast(), 4) };
            self.check("cublasLtMatmulDescSetAttribute", set)?;
        }
        let lines = |side: Side, count: u64| if side.is_across { (count, terms) } else { (terms, count) };
        let dense = Side { is_across: false, line: columns, batch: rows * columns };
        let all =
            [(dtype, lines(right, columns), right), (dtype, lines(left, rows), left), (output, (columns, rows), dense)];
        for (layout, (dtype, (inner, count), side)) in matrices.layouts.iter_mut().zip(all) {
            // SAFETY: the place is valid.
            let made =
                unsafe { (self.functions.layout_create)(layout, type_number(dtype), inner, count, side.line as i64) };
            self.check("cublasLtMatrixLayoutCreate", made)?;
            let (batches, offset) = (batches as i32, side.batch as i64);
            // SAFETY: a layout takes four bytes for the first and eight for the second.
            let set = unsafe {
                let first = (self.functions.layout_set)(*layout, LAYOUT_BATCH_COUNT, ptr::from_ref(&batches).cast(), 4);
                let second =
                    (self.functions.layout_set)(*layout, LAYOUT_BATCH_OFFSET, ptr::from_ref(&offset).cast(), 8);
                if first == 0 { second } else { first }
            };
            self.check("cublasLtMatrixLayoutSetAttribute", set)?;
        }
        Ok(matrices)
    }
}

impl Drop for Blas {
    fn drop(&mut self) {
        if !self.handle.is_null() && self.context.synchronize().is_ok() {
            // SAFETY: nobody else has it, and nothing of it runs.
            let _ = unsafe { (self.functions.destroy)(self.handle) };
        }
    }
}

impl std::fmt::Debug for Blas {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Blas({})", self.version)
    }
}

fn type_number(dtype: DType) -> i32 {
    match dtype {
        DType::F16 => 2,
        DType::Bf16 => 14,
        _ => TYPE_32F,
    }
}

/// How the matrices of a product lie, as the library describes it.
#[derive(Debug)]
pub struct Matrices {
    blas: Arc<Blas>,
    desc: Opaque,
    /// Right, left, output.
    layouts: [Opaque; 3],
}

// SAFETY: descriptions are only read once they are made.
unsafe impl Send for Matrices {}
// SAFETY: as above.
unsafe impl Sync for Matrices {}

impl Matrices {
    /// The library.
    pub fn blas(&self) -> &Arc<Blas> {
        &self.blas
    }

    /// Ways to compute it without other memory and in one order, those that the library thinks fastest first; at most `count`.
    pub fn algorithms(&self, count: usize) -> Result<Vec<Algorithm>, CudaError> {
        let functions = &self.blas.functions;
        self.blas.context.bind()?;
        let mut preference = ptr::null_mut();
        // SAFETY: the place is valid.
        self.blas.check("cublasLtMatmulPreferenceCreate", unsafe { (functions.preference_create)(&mut preference) })?;
        let set = |attribute: i32, value: *const c_void, bytes: usize| {
            // SAFETY: the preference takes so many bytes for it.
            let set = unsafe { (functions.preference_set)(preference, attribute, value, bytes) };
            self.blas.check("cublasLtMatmulPreferenceSetAttribute", set)
        };
        let mut found = vec![Found::default(); count];
        let mut number = 0;
        let searched = (|| {
            // Without another scheme than none, no block adds to what another has written.
            let (workspace, reductions, alignment) = (0_u64, 0_u32, ALIGNMENT as u32);
            set(PREFERENCE_WORKSPACE, ptr::from_ref(&workspace).cast(), 8)?;
            set(PREFERENCE_REDUCTIONS, ptr::from_ref(&reductions).cast(), 4)?;
            for attribute in PREFERENCE_ALIGNMENTS {
                set(attribute, ptr::from_ref(&alignment).cast(), 4)?;
            }
            let [a, b, c] = self.layouts;
            // SAFETY: all are alive, and there are as many places as is said.
            let status = unsafe {
                (functions.heuristic)(
                    self.blas.handle,
                    self.desc,
                    a,
                    b,
                    c,
                    c,
                    preference,
                    count as i32,
                    found.as_mut_ptr(),
                    &mut number,
                )
            };
            self.blas.check("cublasLtMatmulAlgoGetHeuristic", status)
        })();
        // SAFETY: nobody uses it any more.
        let _ = unsafe { (functions.preference_destroy)(preference) };
        searched?;
        found.truncate(number.max(0) as usize);
        let usable = found.iter().filter(|found| found.state == 0 && found.workspace == 0);
        Ok(usable.map(|found| found.algorithm).collect())
    }

    /// True if the library would compute the product so here.
    pub fn takes(&self, algorithm: &Algorithm) -> bool {
        let ([a, b, c], mut found) = (self.layouts, Found::default());
        // SAFETY: all are alive; the library refuses an algorithm that it does not know.
        let status = unsafe {
            (self.blas.functions.algorithm_check)(self.blas.handle, self.desc, a, b, c, c, algorithm, &mut found)
        };
        status == 0 && found.workspace == 0
    }

    /// Gives the product to a stream. `addresses` are those of left side, right side and output.
    ///
    /// # Safety
    /// They are those of matrices as large as they are described, while the product is computed.
    pub unsafe fn enqueue(
        &self,
        algorithm: &Algorithm,
        [left, right, output]: [u64; 3],
        stream: &Stream,
    ) -> Result<(), CudaError> {
        self.blas.context.bind()?;
        let ([a, b, c], one, zero) = (self.layouts, 1.0_f32, 0.0_f32);
        // SAFETY: all descriptions are alive; the rest is the caller's promise.
        let status = unsafe {
            (self.blas.functions.matmul)(
                self.blas.handle,
                self.desc,
                ptr::from_ref(&one).cast(),
                right as *const c_void,
                a,
                left as *const c_void,
                b,
                ptr::from_ref(&zero).cast(),
                output as *const c_void,
                c,
                output as *mut c_void,
                c,
                algorithm,
                ptr::null_mut(),
                0,
                stream.raw(),
            )
        };
        self.blas.check("cublasLtMatmul", status)
    }

    /// The shortest of several times in microseconds, each of as many products as take a while.
    ///
    /// # Safety
    /// As for [`Matrices::enqueue`].
    pub unsafe fn time(&self, algorithm: &Algorithm, addresses: [u64; 3], stream: &Stream) -> Result<f64, CudaError> {
        const RUNS: u32 = 4;
        const PRODUCTS: u32 = 5;
        let events = [Event::timed(&self.blas.context)?, Event::timed(&self.blas.context)?];
        let mut shortest = f64::INFINITY;
        for _ in 0..RUNS {
            events[0].record(stream)?;
            for _ in 0..PRODUCTS {
                // SAFETY: the caller's promise.
                unsafe { self.enqueue(algorithm, addresses, stream) }?;
            }
            events[1].record(stream)?;
            stream.synchronize()?;
            shortest = shortest.min(events[1].since(&events[0])?.as_secs_f64() * 1e6 / f64::from(PRODUCTS));
        }
        Ok(shortest)
    }
}

impl Drop for Matrices {
    fn drop(&mut self) {
        let functions = &self.blas.functions;
        // SAFETY: nobody else has them.
        unsafe {
            self.layouts.iter().filter(|layout| !layout.is_null()).for_each(|layout| {
                let _ = (functions.layout_destroy)(*layout);
            });
            if !self.desc.is_null() {
                let _ = (functions.desc_destroy)(self.desc);
            }
        }
    }
}
