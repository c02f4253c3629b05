//! Named ranges for profilers (NVTX 3): what the host gives to the GPU within one is shown under its name.
//!
//! NVTX 3 is no library. A profiler names one of its own in `NVTX_INJECTION64_PATH`; a program loads that and hands it tables of places, into
//! which the profiler puts those of its functions that it wants to have called (nvtxInit.h and nvtxTypes.h of <https://github.com/NVIDIA/NVTX>).

use std::{
    env,
    ffi::{CString, c_char, c_int, c_void},
    ptr,
    sync::{
        OnceLock,
        atomic::{AtomicPtr, Ordering},
    },
};

use libloading::Library;

/// A range of this thread, which ends when it is dropped. Ranges lie within each other.
#[derive(Debug)]
pub struct Range {
    profiler: Option<&'static Profiler>,
}

impl Range {
    /// Begins a range, if a profiler is attached that wants to hear of it.
    pub fn begin(name: &str) -> Range {
        static ATTACHED: OnceLock<Option<Profiler>> = OnceLock::new();
        let profiler = ATTACHED.get_or_init(attached).as_ref();
        if let Some(profiler) = profiler {
            profiler.begin(name);
        }
        Range { profiler }
    }
}

impl Drop for Range {
    fn drop(&mut self) {
        if let Some(profiler) = self.profiler {
            (profiler.pop)();
        }
    }
}

/// A profiler that hears of ranges.
#[derive(Debug)]
struct Profiler {
    /// Takes the name, ending in a null byte, as long as the call lasts.
    push: extern "C" fn(*const c_char) -> c_int,
    pop: extern "C" fn() -> c_int,
    /// What the functions lie in; none if that is this program.
    _library: Option<Library>,
}

impl Profiler {
    fn begin(&self, name: &str) {
        let name = CString::new(name.replace('\0', " ")).expect("null bytes were just taken out");
        (self.push)(name.as_ptr());
    }
}

/// What a profiler's library is asked for first: it gets the function that gives tables, and gives 0 if it does not go on.
type Initialize = unsafe extern "C" fn(extern "C" fn(u32) -> *const c_void) -> c_int;

/// The profiler that the environment names. One that is there and cannot be told of ranges is told of on standard error: whoever attached it would miss them.
fn attached() -> Option<Profiler> {
    let path = env::var_os("NVTX_INJECTION64_PATH")?;
    let load = || -> Result<Option<Profiler>, libloading::Error> {
        // SAFETY: loading the library runs its constructors, which is what whoever named it wants; the function is NVTX 3's entry.
        unsafe {
            let library = Library::new(&path)?;
            let initialize = *library.get::<Initialize>(b"InitializeInjectionNvtx2\0")?;
            Ok(connect(initialize, Some(library)))
        }
    };
    load().unwrap_or_else(|error| {
        eprintln!("pygraph: a profiler hears of no ranges: {error}");
        None
    })
}

/// Has a profiler fill the tables. None if it wants to hear of no ranges.
///
/// # Safety
/// The function is a profiler's entry, and lies in the library, if there is one.
unsafe fn connect(initialize: Initialize, library: Option<Library>) -> Option<Profiler> {
    // SAFETY: the caller's promise.
    if unsafe { initialize(export_table) } == 0 {
        return None;
    }
    let function = |number: usize| Some(CORE[number].load(Ordering::Acquire)).filter(|function| !function.is_null());
    let (push, pop) = (function(RANGE_PUSH)?, function(RANGE_POP)?);
    // SAFETY: what a profiler puts in these places are functions of these types.
    unsafe {
        Some(Profiler {
            push: std::mem::transmute::<*mut c_void, extern "C" fn(*const c_char) -> c_int>(push),
            pop: std::mem::transmute::<*mut c_void, extern "C" fn() -> c_int>(pop),
            _library: library,
        })
    }
}

/// Where a profiler puts a function.
type Place = AtomicPtr<c_void>;
/// Functions of a module, at most; number 0 is none.
const FUNCTIONS: usize = 16;
/// Numbers of functions of the module `CORE`: a range begins, named in ASCII or UTF-8, and ends.
const RANGE_PUSH: usize = 9;
const RANGE_POP: usize = 11;

/// The module of ranges without a domain, by number. Profilers want to fill the tables of all modules, but nothing is called of the others.
const MODULE_CORE: u32 = 1;
const OTHER_MODULES: std::ops::RangeInclusive<u32> = 2..=6;
static CORE: [Place; FUNCTIONS] = [const { AtomicPtr::new(ptr::null_mut()) }; FUNCTIONS];
static OTHERS: [Place; FUNCTIONS] = [const { AtomicPtr::new(ptr::null_mut()) }; FUNCTIONS];
static CORE_TABLE: Table = table(&CORE);
static OTHERS_TABLE: Table = table(&OTHERS);

/// The places of a module's functions, and nothing behind the last.
type Table = [Option<&'static Place>; FUNCTIONS + 1];

const fn table(places: &'static [Place; FUNCTIONS]) -> Table {
    let mut table: Table = [None; FUNCTIONS + 1];
    let mut number = 1;
    while number < FUNCTIONS {
        table[number] = Some(&places[number]);
        number += 1;
    }
    table
}

/// Gives the table of a module and its size; 0 if there is none.
extern "C" fn module_table(module: u32, table: *mut *const Option<&'static Place>, size: *mut u32) -> c_int {
    let found = match module {
        MODULE_CORE => &CORE_TABLE,
        module if OTHER_MODULES.contains(&module) => &OTHERS_TABLE,
        _ => return 0,
    };
    // SAFETY: a profiler gives places for both answers, or none for one that it does not want.
    unsafe {
        if let Some(size) = size.as_mut() {
            *size = FUNCTIONS as u32;
        }
        if let Some(table) = table.as_mut() {
            *table = found.as_ptr();
        }
    }
    1
}

/// What a profiler gets of the first sort of tables: how to ask for those of modules.
#[repr(C)]
struct Callbacks {
    bytes: usize,
    module_table: extern "C" fn(u32, *mut *const Option<&'static Place>, *mut u32) -> c_int,
}
static CALLBACKS: Callbacks = Callbacks { bytes: size_of::<Callbacks>(), module_table };

/// And of the second: which version of NVTX this is. It may say which it is itself.
#[repr(C)]
struct Version {
    bytes: usize,
    version: u32,
    reserved: u32,
    set_version: extern "C" fn(u32),
}
extern "C" fn set_version(_: u32) {}
static VERSION: Version = Version { bytes: size_of::<Version>(), version: 3, reserved: 0, set_version };

/// Gives the tables of a sort: 1 is how to ask for modules', 3 the version.
extern "C" fn export_table(sort: u32) -> *const c_void {
    match sort {
        1 => ptr::from_ref(&CALLBACKS).cast(),
        3 => ptr::from_ref(&VERSION).cast(),
        _ => ptr::null(),
    }
}

#[cfg(test)]
mod tests {
    use std::{ffi::CStr, sync::Mutex};

    use super::*;

    static HEARD: Mutex<Vec<String>> = Mutex::new(Vec::new());

    extern "C" fn push(name: *const c_char) -> c_int {
        // SAFETY: a range's name ends in a null byte.
        let name = unsafe { CStr::from_ptr(name) };
        HEARD.lock().expect("not poisoned").push(name.to_string_lossy().into_owned());
        0
    }
    extern "C" fn pop() -> c_int {
        HEARD.lock().expect("not poisoned").push("end".to_string());
        0
    }

    unsafe extern "C" fn refuses(_: extern "C" fn(u32) -> *const c_void) -> c_int {
        0
    }

    /// A profiler's entry, as NVIDIA's do it.
    unsafe extern "C" fn initialize(tables: extern "C" fn(u32) -> *const c_void) -> c_int {
        assert!(tables(0).is_null() && tables(2).is_null());
        // SAFETY: these are the types of the tables, and places take functions.
        unsafe {
            let version = &*tables(3).cast::<Version>();
            assert_eq!((version.bytes, version.version), (24, 3));
            (version.set_version)(3);
            let callbacks = &*tables(1).cast::<Callbacks>();
            assert_eq!(callbacks.bytes, 16);
            let (mut table, mut size) = (ptr::null(), 0);
            for module in [0, 7] {
                assert_eq!((callbacks.module_table)(module, &mut table, &mut size), 0, "there is no module {module}");
            }
            // As CUPTI does, which gives up where a module is missing.
            for module in [5, 6, MODULE_CORE] {
                assert_eq!((callbacks.module_table)(module, &mut table, &mut size), 1);
                assert_eq!(size, 16);
                assert!((*table).is_none() && (*table.add(16)).is_none());
            }
            let place = |number: usize| (*table.add(number)).expect("every function should have a place");
            place(RANGE_PUSH).store(push as *mut c_void, Ordering::Release);
            place(RANGE_POP).store(pop as *mut c_void, Ordering::Release);
        }
        1
    }

    #[test]
    fn a_profiler_hears_of_ranges() {
        // SAFETY: both are what a profiler's entry is.
        unsafe {
            assert!(connect(refuses, None).is_none());
            let profiler: &'static Profiler = Box::leak(Box::new(connect(initialize, None).expect("it wants ranges")));
            profiler.begin("a\0b");
            drop(Range { profiler: Some(profiler) });
        }
        assert_eq!(*HEARD.lock().expect("not poisoned"), ["a b", "end"]);
    }
}
