//! Addresses without memory, and memory without addresses.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use cudarc::driver::sys::{
    self, CUmemAccess_flags, CUmemAccessDesc, CUmemAllocationGranularity_flags, CUmemAllocationProp,
    CUmemAllocationType, CUmemLocation, CUmemLocationType,
};

use super::{
    context::Context,
    error::{CudaError, check},
};

/// What the sizes of handles are multiples of, in bytes.
pub fn granularity(context: &Context) -> Result<u64, CudaError> {
    context.bind()?;
    let (mut bytes, properties) = (0, properties(context));
    let least = CUmemAllocationGranularity_flags::CU_MEM_ALLOC_GRANULARITY_MINIMUM;
    // SAFETY: both places are valid.
    let asked = unsafe { sys::cuMemGetAllocationGranularity(&mut bytes, &properties, least) };
    check("cuMemGetAllocationGranularity", asked)?;
    Ok(bytes as u64)
}

fn location(context: &Context) -> CUmemLocation {
    CUmemLocation { type_: CUmemLocationType::CU_MEM_LOCATION_TYPE_DEVICE, id: context.device() }
}

/// Memory of the GPU itself, for this process alone.
fn properties(context: &Context) -> CUmemAllocationProp {
    // SAFETY: the driver's struct is plain numbers and pointers; what is not used has to be zero.
    let mut properties: CUmemAllocationProp = unsafe { std::mem::zeroed() };
    properties.type_ = CUmemAllocationType::CU_MEM_ALLOCATION_TYPE_PINNED;
    properties.location = location(context);
    properties
}

/// Memory that can be put behind addresses. It is given back once this is dropped and it is mapped nowhere.
#[derive(Debug)]
pub struct PhysicalHandle {
    context: Arc<Context>,
    raw: u64,
    bytes: u64,
}

impl PhysicalHandle {
    /// Takes `bytes`, a multiple of [`granularity`]; what is in them is not said.
    pub fn create(context: &Arc<Context>, bytes: u64) -> Result<PhysicalHandle, CudaError> {
        context.bind()?;
        let (mut raw, properties) = (0, properties(context));
        context.take_memory("caches", bytes, || {
            // SAFETY: both places are valid.
            check("cuMemCreate", unsafe { sys::cuMemCreate(&mut raw, bytes as usize, &properties, 0) })
        })?;
        Ok(PhysicalHandle { context: context.clone(), raw, bytes })
    }
}

impl Drop for PhysicalHandle {
    fn drop(&mut self) {
        if self.context.bind().is_ok() {
            // SAFETY: it was created once; what maps it keeps the memory.
            let _ = unsafe { sys::cuMemRelease(self.raw) };
        }
        self.context.give_memory(self.bytes);
    }
}

/// Addresses that nothing else gets until this is dropped. Then it waits until the GPU has done what it was given.
#[derive(Debug)]
pub struct AddressRange {
    context: Arc<Context>,
    start: u64,
    bytes: u64,
    /// Where handles are mapped, and how large they are: the driver frees no addresses behind which there is memory.
    mapped: Mutex<BTreeMap<u64, u64>>,
}

impl AddressRange {
    /// Reserves `bytes` addresses, a multiple of [`granularity`].
    pub fn reserve(context: &Arc<Context>, bytes: u64) -> Result<AddressRange, CudaError> {
        context.bind()?;
        let mut start = 0;
        // SAFETY: the place is valid; the driver chooses the addresses.
        check("cuMemAddressReserve", unsafe { sys::cuMemAddressReserve(&mut start, bytes as usize, 0, 0, 0) })?;
        Ok(AddressRange { context: context.clone(), start, bytes, mapped: Mutex::default() })
    }

    /// The first.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// How many.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Puts a whole handle behind addresses from `offset` on, to be read and written. If access is refused nothing is mapped.
    pub fn map(&self, offset: u64, handle: &PhysicalHandle) -> Result<(), CudaError> {
        self.context.bind()?;
        let (address, bytes) = (self.at(offset, handle.bytes), handle.bytes as usize);
        // SAFETY: the addresses are within the reservation; the driver refuses those behind which something is mapped.
        check("cuMemMap", unsafe { sys::cuMemMap(address, bytes, 0, handle.raw, 0) })?;
        let access = CUmemAccessDesc {
            location: location(&self.context),
            flags: CUmemAccess_flags::CU_MEM_ACCESS_FLAGS_PROT_READWRITE,
        };
        // SAFETY: the range was just mapped, and the place is valid.
        let opened = check("cuMemSetAccess", unsafe { sys::cuMemSetAccess(address, bytes, &access, 1) });
        if opened.is_err() {
            // SAFETY: it was just mapped, and nobody has touched it.
            let _ = unsafe { sys::cuMemUnmap(address, bytes) };
        } else {
            self.mapped.lock().expect(UNSHAKEN).insert(offset, handle.bytes);
        }
        opened
    }

    /// Takes away what was mapped at `offset`, of so many bytes, once the GPU has done what it was given.
    pub fn unmap(&self, offset: u64, bytes: u64) -> Result<(), CudaError> {
        self.context.synchronize()?;
        self.unmap_unused(offset, bytes)
    }

    /// The same at once: everything that touches what was mapped there must have ended, and nothing may touch it again.
    pub fn unmap_unused(&self, offset: u64, bytes: u64) -> Result<(), CudaError> {
        let address = self.at(offset, bytes);
        self.context.bind()?;
        // SAFETY: the addresses are within the reservation; a kernel that touched them all the same would end with an error, on the GPU alone.
        check("cuMemUnmap", unsafe { sys::cuMemUnmap(address, bytes as usize) })?;
        self.mapped.lock().expect(UNSHAKEN).remove(&offset);
        Ok(())
    }

    fn at(&self, offset: u64, bytes: u64) -> u64 {
        let within = offset.checked_add(bytes).is_some_and(|end| end <= self.bytes);
        assert!(within, "{bytes} bytes at {offset} should lie within {} addresses", self.bytes);
        self.start + offset
    }
}

impl Drop for AddressRange {
    fn drop(&mut self) {
        if self.context.synchronize().is_ok() {
            for (offset, bytes) in std::mem::take(self.mapped.get_mut().expect(UNSHAKEN)) {
                // SAFETY: it was mapped, and nothing that the GPU has to do touches it.
                let _ = unsafe { sys::cuMemUnmap(self.start + offset, bytes as usize) };
            }
            // SAFETY: it was reserved once, and nothing is mapped there any more.
            let _ = unsafe { sys::cuMemAddressFree(self.start, self.bytes as usize) };
        }
    }
}

const UNSHAKEN: &str = "nothing should panic while it holds what is mapped";
