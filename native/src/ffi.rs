//! The one module with `unsafe` code: LLVM's C interface, and the parts of MLIR's that melior does not have.

use std::{
    ffi::{CStr, c_char, c_int, c_uint, c_void},
    ptr, slice,
};

use melior::{
    Context,
    dialect::{DialectHandle, DialectRegistry},
    ir::{Block, BlockLike, BlockRef, Module, Region, RegionLike, Value, ValueLike, block::BlockArgument},
};

/// A context with the dialects that generated modules consist of, and no others.
pub fn create_context() -> Context {
    let registry = DialectRegistry::new();
    // SAFETY: a handle is a pointer to a static table.
    let handles = unsafe {
        [
            DialectHandle::from_raw(mlir_sys::mlirGetDialectHandle__arith__()),
            DialectHandle::from_raw(mlir_sys::mlirGetDialectHandle__math__()),
            DialectHandle::scf(),
            DialectHandle::cf(),
            DialectHandle::llvm(),
        ]
    };
    handles.iter().for_each(|handle| handle.insert_dialect(&registry));
    let context = Context::new_with_registry(&registry, false);
    context.load_all_available_dialects();
    // SAFETY: the argument is C++'s reference to the context, which lives.
    unsafe {
        register_builtin_translation(context.to_raw().ptr);
        register_llvm_translation(context.to_raw().ptr);
    }
    context
}

/// The block as a place to insert operations, for as long as the module is under construction.
pub fn lasting_block<'c>(region: &Region<'c>, block: Block<'c>) -> BlockRef<'c, 'c> {
    let block = region.append_block(block);
    // SAFETY: the region owns the block and becomes part of the module. Builders never erase anything, and end before the module
    // is lowered.
    unsafe { BlockRef::from_raw(block.to_raw()) }
}

/// The value without the lifetime of its block's borrow.
pub fn lasting_value<'c>(value: Value<'c, '_>) -> Value<'c, 'c> {
    // SAFETY: as for `lasting_block`.
    unsafe { Value::from_raw(value.to_raw()) }
}

/// An argument of a block, as [`lasting_value`].
pub fn lasting_argument<'c>(argument: BlockArgument<'c, '_>) -> Value<'c, 'c> {
    lasting_value(argument.into())
}

/// Translates a module of the LLVM dialect, optimises it with these passes and generates an object file for the processor.
pub fn generate_object(module: &Module<'_>, triple: &CStr, cpu: &CStr, passes: &CStr) -> Result<Vec<u8>, String> {
    let target = TargetMachine::new(triple, cpu)?;
    // SAFETY: each object is used while its owner lives and disposed of once; strings end with a zero. Every function that is
    // called takes what is passed to it and reports failure by the value that is checked.
    unsafe {
        let context = LLVMContextCreate();
        let result = (|| {
            let translated = mlir_sys::mlirTranslateModuleToLLVMIR(module.as_operation().to_raw(), context.cast());
            if translated.is_null() {
                return Err("the module does not translate to LLVM's IR".to_string());
            }
            let module: *mut c_void = translated.cast();
            let result = target.compile(module, triple, passes);
            LLVMDisposeModule(module);
            result
        })();
        LLVMContextDispose(context);
        result
    }
}

struct TargetMachine(*mut c_void);

impl TargetMachine {
    fn new(triple: &CStr, cpu: &CStr) -> Result<TargetMachine, String> {
        initialize_target();
        // SAFETY: as in `generate_object`.
        unsafe {
            let (mut target, mut message) = (ptr::null_mut(), ptr::null_mut());
            if LLVMGetTargetFromTriple(triple.as_ptr(), &mut target, &mut message) != 0 {
                return Err(take_message(message));
            }
            let machine = LLVMCreateTargetMachine(
                target,
                triple.as_ptr(),
                cpu.as_ptr(),
                c"".as_ptr(),
                OPTIMIZE_DEFAULT,
                RELOCATE_PIC,
                CODE_MODEL_SMALL,
            );
            if machine.is_null() { Err("no such target machine".to_string()) } else { Ok(TargetMachine(machine)) }
        }
    }

    /// # Safety
    /// `module` is a module of LLVM's.
    unsafe fn compile(&self, module: *mut c_void, triple: &CStr, passes: &CStr) -> Result<Vec<u8>, String> {
        // SAFETY: as in `generate_object`.
        unsafe {
            LLVMSetTarget(module, triple.as_ptr());
            let layout = LLVMCreateTargetDataLayout(self.0);
            LLVMSetModuleDataLayout(module, layout);
            LLVMDisposeTargetData(layout);
            let options = LLVMCreatePassBuilderOptions();
            let error = LLVMRunPasses(module, passes.as_ptr(), self.0, options);
            LLVMDisposePassBuilderOptions(options);
            if !error.is_null() {
                let text = LLVMGetErrorMessage(error);
                let owned = CStr::from_ptr(text).to_string_lossy().into_owned();
                LLVMDisposeErrorMessage(text);
                return Err(owned);
            }
            let (mut message, mut buffer) = (ptr::null_mut(), ptr::null_mut());
            if LLVMTargetMachineEmitToMemoryBuffer(self.0, module, OBJECT_FILE, &mut message, &mut buffer) != 0 {
                return Err(take_message(message));
            }
            let bytes = slice::from_raw_parts(LLVMGetBufferStart(buffer).cast::<u8>(), LLVMGetBufferSize(buffer));
            let object = bytes.to_vec();
            LLVMDisposeMemoryBuffer(buffer);
            Ok(object)
        }
    }
}

impl Drop for TargetMachine {
    fn drop(&mut self) {
        // SAFETY: it was created and is disposed of once.
        unsafe { LLVMDisposeTargetMachine(self.0) }
    }
}

/// # Safety
/// `message` is one that LLVM gave to its caller.
unsafe fn take_message(message: *mut c_char) -> String {
    // SAFETY: the caller's promise.
    unsafe {
        let text = CStr::from_ptr(message).to_string_lossy().into_owned();
        LLVMDisposeMessage(message);
        text
    }
}

#[cfg(target_arch = "x86_64")]
fn initialize_target() {
    // SAFETY: LLVM takes a registration that is repeated as the first one.
    unsafe {
        LLVMInitializeX86TargetInfo();
        LLVMInitializeX86Target();
        LLVMInitializeX86TargetMC();
        LLVMInitializeX86AsmPrinter();
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn initialize_target() {}

const OPTIMIZE_DEFAULT: c_uint = 2;
const RELOCATE_PIC: c_uint = 2;
const CODE_MODEL_SMALL: c_uint = 3;
const OBJECT_FILE: c_uint = 1;

// Declared here, since no crate of bindings for this LLVM links it as mlir-sys does.
unsafe extern "C" {
    // MLIR's C interface can only register every translation there is, which would link every dialect.
    #[link_name = "_ZN4mlir33registerBuiltinDialectTranslationERNS_11MLIRContextE"]
    fn register_builtin_translation(context: *mut c_void);
    #[link_name = "_ZN4mlir30registerLLVMDialectTranslationERNS_11MLIRContextE"]
    fn register_llvm_translation(context: *mut c_void);

    fn LLVMContextCreate() -> *mut c_void;
    fn LLVMContextDispose(context: *mut c_void);
    fn LLVMDisposeModule(module: *mut c_void);
    fn LLVMSetTarget(module: *mut c_void, triple: *const c_char);
    fn LLVMSetModuleDataLayout(module: *mut c_void, layout: *mut c_void);
    fn LLVMGetTargetFromTriple(triple: *const c_char, target: *mut *mut c_void, message: *mut *mut c_char) -> c_int;
    fn LLVMCreateTargetMachine(
        target: *mut c_void,
        triple: *const c_char,
        cpu: *const c_char,
        features: *const c_char,
        level: c_uint,
        relocation: c_uint,
        code_model: c_uint,
    ) -> *mut c_void;
    fn LLVMDisposeTargetMachine(machine: *mut c_void);
    fn LLVMCreateTargetDataLayout(machine: *mut c_void) -> *mut c_void;
    fn LLVMDisposeTargetData(layout: *mut c_void);
    fn LLVMCreatePassBuilderOptions() -> *mut c_void;
    fn LLVMDisposePassBuilderOptions(options: *mut c_void);
    fn LLVMRunPasses(
        module: *mut c_void,
        passes: *const c_char,
        machine: *mut c_void,
        options: *mut c_void,
    ) -> *mut c_void;
    fn LLVMGetErrorMessage(error: *mut c_void) -> *mut c_char;
    fn LLVMDisposeErrorMessage(message: *mut c_char);
    fn LLVMDisposeMessage(message: *mut c_char);
    fn LLVMTargetMachineEmitToMemoryBuffer(
        machine: *mut c_void,
        module: *mut c_void,
        file_type: c_uint,
        message: *mut *mut c_char,
        buffer: *mut *mut c_void,
    ) -> c_int;
    fn LLVMGetBufferStart(buffer: *mut c_void) -> *const c_char;
    fn LLVMGetBufferSize(buffer: *mut c_void) -> usize;
    fn LLVMDisposeMemoryBuffer(buffer: *mut c_void);
}

#[cfg(target_arch = "x86_64")]
unsafe extern "C" {
    fn LLVMInitializeX86TargetInfo();
    fn LLVMInitializeX86Target();
    fn LLVMInitializeX86TargetMC();
    fn LLVMInitializeX86AsmPrinter();
}
