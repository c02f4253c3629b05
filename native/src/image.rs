//! From an object file to an image that runs wherever it lies.
//!
//! Sections of code and of constants are laid out one after the other, and what refers from one to another is filled in: all of it
//! is relative. What would need a loader (an address, a function from outside) is refused.

use std::collections::HashMap;

use object::{
    Object, ObjectSection, ObjectSymbol, RelocationFlags, RelocationTarget, SectionIndex, SectionKind, elf,
    read::elf::ElfFile64,
};

/// The image, and where each of its functions begins.
pub struct Image {
    pub bytes: Vec<u8>,
    pub functions: HashMap<String, u64>,
}

/// Lays out an object file of this machine's architecture.
pub fn link(object: &[u8]) -> Result<Image, String> {
    let file = ElfFile64::<object::Endianness>::parse(object).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    let mut places: HashMap<SectionIndex, u64> = HashMap::new();
    let is_loaded = |section: &object::read::elf::ElfSection64<'_, '_>| {
        let is_unwinding = section.name().is_ok_and(|name| name.starts_with(".eh_frame"));
        matches!(section.kind(), SectionKind::Text | SectionKind::ReadOnlyData | SectionKind::ReadOnlyString)
            && !is_unwinding
    };
    for section in file.sections().filter(is_loaded) {
        let start = bytes.len().next_multiple_of(section.align().max(1) as usize);
        bytes.resize(start, 0);
        bytes.extend_from_slice(section.data().map_err(|error| error.to_string())?);
        places.insert(section.index(), start as u64);
    }
    for section in file.sections().filter(is_loaded) {
        for (offset, relocation) in section.relocations() {
            let RelocationTarget::Symbol(symbol) = relocation.target() else {
                return Err("the object refers to something that is no symbol".to_string());
            };
            let symbol = file.symbol_by_index(symbol).map_err(|error| error.to_string())?;
            let place = symbol.section_index().and_then(|index| places.get(&index));
            let Some(place) = place else {
                return Err(format!("the code refers to `{}` outside of it", symbol.name().unwrap_or_default()));
            };
            let at = places[&section.index()] + offset;
            let target = (place + symbol.address()) as i64 + relocation.addend();
            apply(&mut bytes, relocation.flags(), at as usize, target - at as i64)?;
        }
    }
    let mut functions = HashMap::new();
    for symbol in file.symbols().filter(|symbol| symbol.is_global() && symbol.is_definition()) {
        if let (Ok(name), Some(place)) = (symbol.name(), symbol.section_index().and_then(|index| places.get(&index))) {
            functions.insert(name.to_string(), place + symbol.address());
        }
    }
    Ok(Image { bytes, functions })
}

/// Writes a distance where the code expects it.
fn apply(bytes: &mut [u8], flags: RelocationFlags, at: usize, distance: i64) -> Result<(), String> {
    let too_far = || format!("the code refers {distance} bytes away");
    match flags {
        RelocationFlags::Elf { r_type: elf::R_X86_64_PC32 | elf::R_X86_64_PLT32 } => {
            let distance = i32::try_from(distance).map_err(|_| too_far())?;
            bytes.get_mut(at..at + 4).ok_or_else(too_far)?.copy_from_slice(&distance.to_le_bytes());
        }
        RelocationFlags::Elf { r_type: elf::R_X86_64_PC64 } => {
            bytes.get_mut(at..at + 8).ok_or_else(too_far)?.copy_from_slice(&distance.to_le_bytes());
        }
        other => return Err(format!("the object has a relocation that is not relative: {other:?}")),
    }
    Ok(())
}
