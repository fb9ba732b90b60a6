//! The heap that the vendor's compiler works on, so that what it makes is a function of what it is given.
//!
//! HTP lays constants out in tiles of 32 channels and copies 64 bytes of a row however few channels there are. What lies behind a
//! constant in the heap, pointers and freed memory included, would become part of the context binary: of no influence on
//! numbers, but other bytes in every process, and a look into the memory of the machine that built it. The copy is also done in
//! another way where a row begins in the second half of a page (measured with QNN 2.51: blocks at 2048 and at 0 of a page
//! give different bytes, blocks within one half do not). So blocks that may hold constants are zeroed, have zeros behind them, and
//! begin at the same place of a page in every process: they lie within the first half of one, or begin with one.
//! Blocks too small for a constant fill the second halves. Large blocks have address space of their own, of which the system takes the
//! memory back when they are freed and gives zeros for it when they are used again, so that nobody zeroes what is never touched.
//!
//! The allocation functions of the C library are replaced in every program that links this crate, and hand requests on to the C
//! library until [`begin`] is called. A block that grows by `realloc` and is not of the pool stays the C library's: no constant is in
//! one. `malloc_usable_size` is not replaced; neither the vendor's libraries nor ONNX Runtime know it.

#![expect(unsafe_code, reason = "replaces the C library's allocation functions")]

use std::cell::UnsafeCell;
use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

const PAGE: usize = 4096;
const HALF: usize = PAGE / 2;
/// Zeros behind a block that may hold a constant: twice what is copied at once.
const PAD: usize = 128;
/// The library's smallest copy of a constant.
const SMALLEST_CONSTANT: usize = 128;
/// What the C library aligns blocks to.
const ALIGN: usize = 16;
/// Address space for blocks up to [`LARGEST`], and as much again for larger ones, tried in this order: some systems limit it.
const RESERVES: [usize; 3] = [1 << 36, 1 << 34, 1 << 32];

/// Sizes of slots, their padding included: those in the first half of a page, then those of whole pages. Their number fits in four bits
/// ([`division`]).
const SLOTS: [usize; 15] = [
    256,
    384,
    512,
    672,
    1024,
    HALF,
    PAGE,
    2 * PAGE,
    3 * PAGE,
    4 * PAGE,
    6 * PAGE,
    8 * PAGE,
    16 * PAGE,
    32 * PAGE,
    64 * PAGE,
];
/// The largest.
const LARGEST: usize = SLOTS[SLOTS.len() - 1];
/// Sizes of slots for larger blocks are this, twice this, and so on.
const LARGE: usize = 2 * LARGEST;
/// Their number: up to 4 GiB.
const LARGES: usize = 14;
/// Sizes of slots in the second half are multiples of [`ALIGN`] up to this.
const SMALL: usize = SMALLEST_CONSTANT;
/// Their number.
const SMALLS: usize = SMALL / ALIGN;
/// The first class of whole pages.
const WHOLE: usize = 6;

unsafe extern "C" {
    fn __libc_malloc(size: usize) -> *mut c_void;
    fn __libc_calloc(count: usize, size: usize) -> *mut c_void;
    fn __libc_realloc(block: *mut c_void, size: usize) -> *mut c_void;
    fn __libc_memalign(align: usize, size: usize) -> *mut c_void;
    fn __libc_free(block: *mut c_void);
    fn madvise(at: *mut c_void, len: usize, advice: c_int) -> c_int;
    fn malloc_trim(keep: usize) -> c_int;
    fn mmap(at: *mut c_void, len: usize, prot: c_int, flags: c_int, fd: c_int, offset: i64) -> *mut c_void;
}

/// Where the pages begin; 0 until [`begin`].
static BASE: AtomicUsize = AtomicUsize::new(0);
/// How long the pages are, and how long the space for large blocks is that follows.
static LEN: AtomicUsize = AtomicUsize::new(0);
static POOL: Pool = Pool { busy: AtomicBool::new(false), inside: UnsafeCell::new(Inside::new()) };

/// Gives blocks a fixed place and clean surroundings from now on. Returns whether the system lets it.
pub(crate) fn begin() -> bool {
    // The linker takes the replacements from this object only if something in it is used.
    let replaced: [*const (); 7] = [
        malloc as *const (),
        calloc as *const (),
        realloc as *const (),
        free as *const (),
        memalign as *const (),
        aligned_alloc as *const (),
        posix_memalign as *const (),
    ];
    std::hint::black_box(replaced);
    // Threads that begin at the same time get the same pages.
    static BEGUN: OnceLock<bool> = OnceLock::new();
    *BEGUN.get_or_init(|| {
        for len in RESERVES {
            // Behind both, one byte a page says how the page is divided, and one for each place of a large block which size it has.
            let Some(base) = reserve(2 * len + len / PAGE + len / LARGE) else { continue };
            LEN.store(len, Ordering::Relaxed);
            BASE.store(base, Ordering::Release);
            // What was freed until now is of no use to the pool.
            // SAFETY: gives free memory back to the system.
            unsafe { malloc_trim(0) };
            return true;
        }
        false
    })
}

/// Fresh address space, of which memory is used as it is touched.
fn reserve(len: usize) -> Option<usize> {
    const READ_WRITE: c_int = 0x1 | 0x2;
    const PRIVATE_ANONYMOUS_NORESERVE: c_int = 0x02 | 0x20 | 0x4000;
    // SAFETY: a new mapping at an address that the system chooses touches no other memory.
    let at = unsafe { mmap(ptr::null_mut(), len, READ_WRITE, PRIVATE_ANONYMOUS_NORESERVE, -1, 0) };
    (at as isize != -1 && (at as usize).is_multiple_of(PAGE)).then_some(at as usize)
}

/// The pages, locked by spinning: the library compiles on one thread, and a lock of the system may allocate.
struct Pool {
    busy: AtomicBool,
    inside: UnsafeCell<Inside>,
}

// SAFETY: `inside` is reached only between `lock` and `unlock`.
unsafe impl Sync for Pool {}

/// Lists of free slots, each of which holds the address of the next; 0 ends a list.
struct Inside {
    /// Pages that were handed out.
    pages: usize,
    slots: [usize; SLOTS.len()],
    smalls: [usize; SMALLS],
    /// Bytes of the space for large blocks that were handed out.
    large: usize,
    /// Free large blocks, by size.
    larges: [usize; LARGES],
    /// Halves of pages whose other half is in use.
    first_halves: usize,
    second_halves: usize,
}

impl Inside {
    const fn new() -> Self {
        Self {
            pages: 0,
            slots: [0; SLOTS.len()],
            smalls: [0; SMALLS],
            large: 0,
            larges: [0; LARGES],
            first_halves: 0,
            second_halves: 0,
        }
    }

    /// So many pages that were never used.
    fn pages(&mut self, count: usize) -> Option<usize> {
        let at = self.pages * PAGE;
        self.pages += count;
        let is_there = self.pages * PAGE <= LEN.load(Ordering::Relaxed);
        is_there.then(|| BASE.load(Ordering::Relaxed) + at)
    }

    /// A slot for `size` bytes with its padding.
    fn slot(&mut self, class: usize) -> Option<usize> {
        if let Some(slot) = pop(&mut self.slots[class]) {
            return Some(slot);
        }
        let page = if class >= WHOLE {
            self.pages(SLOTS[class] / PAGE)?
        } else if let Some(half) = pop(&mut self.first_halves) {
            half
        } else {
            let page = self.pages(1)?;
            push(&mut self.second_halves, page + HALF);
            page
        };
        let division = division(page);
        // SAFETY: the byte belongs to this page, and no one else writes it while the pool is locked.
        unsafe { *division = (*division & 0xf0) | (class as u8 + 1) };
        if class >= WHOLE {
            return Some(page);
        }
        let size = SLOTS[class];
        (1..HALF / size).for_each(|i| push(&mut self.slots[class], page + i * size));
        Some(page)
    }

    /// A large block; all of it is zero.
    fn large(&mut self, class: usize) -> Option<usize> {
        if let Some(block) = pop(&mut self.larges[class]) {
            // SAFETY: the block is free; the address of the next one was in it.
            unsafe { *(block as *mut usize) = 0 };
            return Some(block);
        }
        let (base, len) = (BASE.load(Ordering::Relaxed), LEN.load(Ordering::Relaxed));
        let end = self.large + (LARGE << class);
        if end > len {
            return None;
        }
        let block = base + len + self.large;
        self.large = end;
        // SAFETY: as in `slot`.
        unsafe { *large_class(block) = class as u8 };
        Some(block)
    }

    /// A slot of a multiple of [`ALIGN`] bytes without padding.
    fn small(&mut self, class: usize) -> Option<usize> {
        if let Some(slot) = pop(&mut self.smalls[class]) {
            return Some(slot);
        }
        let half = match pop(&mut self.second_halves) {
            Some(half) => half,
            None => {
                let page = self.pages(1)?;
                push(&mut self.first_halves, page);
                page + HALF
            }
        };
        let division = division(half);
        // SAFETY: as in `slot`.
        unsafe { *division = (*division & 0x0f) | ((class as u8 + 1) << 4) };
        let size = (class + 1) * ALIGN;
        (1..HALF / size).for_each(|i| push(&mut self.smalls[class], half + i * size));
        Some(half)
    }
}

fn pop(list: &mut usize) -> Option<usize> {
    let first = *list;
    if first == 0 {
        return None;
    }
    // SAFETY: a free slot is memory of the pool, and holds the address of the next one.
    *list = unsafe { *(first as *const usize) };
    Some(first)
}

fn push(list: &mut usize, slot: usize) {
    // SAFETY: the slot is memory of the pool that nobody uses.
    unsafe { *(slot as *mut usize) = *list };
    *list = slot;
}

/// The byte that says how the page of an address is divided: in its low half the class of its first half, one more than its
/// index, and in its high half that of its second half.
fn division(at: usize) -> *mut u8 {
    let base = BASE.load(Ordering::Relaxed);
    (base + 2 * LEN.load(Ordering::Relaxed) + (at - base) / PAGE) as *mut u8
}

/// The byte that has the size of the large block at an address.
fn large_class(at: usize) -> *mut u8 {
    let (base, len) = (BASE.load(Ordering::Relaxed), LEN.load(Ordering::Relaxed));
    (base + 2 * len + len / PAGE + (at - base - len) / LARGE) as *mut u8
}

/// What a slot is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Slot {
    Small(usize),
    Padded(usize),
    Large(usize),
}

impl Slot {
    /// The bytes that its user may use.
    fn room(self) -> usize {
        match self {
            Slot::Small(class) => (class + 1) * ALIGN,
            Slot::Padded(class) => SLOTS[class] - PAD,
            Slot::Large(class) => (LARGE << class) - PAD,
        }
    }

    /// The slot for a request; `None` for one that is larger.
    fn of(align: usize, size: usize) -> Option<Self> {
        if align <= ALIGN && size < SMALLEST_CONSTANT {
            return Some(Slot::Small(size.saturating_sub(1) / ALIGN));
        }
        if align > PAGE {
            return None;
        }
        if size > LARGEST - PAD {
            let found = (0..LARGES).find(|&class| size <= (LARGE << class) - PAD);
            return found.map(Slot::Large);
        }
        let least = if align > ALIGN { WHOLE } else { 0 };
        (least..SLOTS.len()).find(|&class| size + PAD <= SLOTS[class]).map(Slot::Padded)
    }
}

/// The slot that a block is; `None` for a block of the C library.
fn slot_of(block: *mut c_void) -> Option<Slot> {
    let base = BASE.load(Ordering::Relaxed);
    let at = block as usize;
    let len = LEN.load(Ordering::Relaxed);
    if base == 0 || at < base || at - base >= 2 * len {
        return None;
    }
    if at - base >= len {
        // SAFETY: the block is in use, so that its size stands there.
        return Some(Slot::Large(unsafe { *large_class(at) } as usize));
    }
    // SAFETY: the block is in use, so that its page is divided and stays so.
    let divided = unsafe { *division(at) };
    let first = (divided & 0x0f) as usize;
    Some(if first > WHOLE || at % PAGE < HALF {
        Slot::Padded(first - 1)
    } else {
        Slot::Small((divided >> 4) as usize - 1)
    })
}

impl Pool {
    fn with<T>(&self, work: impl FnOnce(&mut Inside) -> T) -> T {
        while self.busy.swap(true, Ordering::Acquire) {
            std::hint::spin_loop();
        }
        // SAFETY: `busy` was false, so that no other thread is in here.
        let done = work(unsafe { &mut *self.inside.get() });
        self.busy.store(false, Ordering::Release);
        done
    }
}

fn allocate(align: usize, size: usize) -> *mut c_void {
    if BASE.load(Ordering::Acquire) == 0 {
        // SAFETY: requests of any size and of the alignments that callers may ask for.
        return unsafe { if align > ALIGN { __libc_memalign(align, size) } else { __libc_malloc(size) } };
    }
    let found = match Slot::of(align, size) {
        Some(Slot::Small(class)) => match POOL.with(|pool| pool.small(class)) {
            Some(at) => return at as *mut c_void,
            None => 0,
        },
        Some(Slot::Large(class)) => match POOL.with(|pool| pool.large(class)) {
            Some(at) => return at as *mut c_void,
            None => 0,
        },
        Some(Slot::Padded(class)) => POOL.with(|pool| pool.slot(class)).unwrap_or(0),
        None => 0,
    };
    let Some(padded) = size.checked_add(PAD) else { return ptr::null_mut() };
    let block = match found {
        // SAFETY: as above.
        0 => unsafe { __libc_memalign(align.max(PAGE), padded) },
        at => at as *mut c_void,
    };
    if !block.is_null() {
        // SAFETY: the block has that many bytes.
        unsafe { ptr::write_bytes(block.cast::<u8>(), 0, padded) };
    }
    block
}

#[unsafe(no_mangle)]
extern "C" fn malloc(size: usize) -> *mut c_void {
    allocate(ALIGN, size)
}

#[unsafe(no_mangle)]
extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
    if BASE.load(Ordering::Acquire) == 0 {
        // SAFETY: any numbers.
        return unsafe { __libc_calloc(count, size) };
    }
    let Some(size) = count.checked_mul(size) else { return ptr::null_mut() };
    let block = allocate(ALIGN, size);
    if !block.is_null() && size < SMALLEST_CONSTANT {
        // SAFETY: the block has that many bytes; larger ones are zero already.
        unsafe { ptr::write_bytes(block.cast::<u8>(), 0, size) };
    }
    block
}

/// # Safety
/// As C says: `block` is one of these functions', not freed, or null.
#[unsafe(no_mangle)]
unsafe extern "C" fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
    if block.is_null() {
        return malloc(size);
    }
    let Some(slot) = slot_of(block) else {
        // SAFETY: a block of the C library.
        return unsafe { __libc_realloc(block, size) };
    };
    let new = malloc(size);
    if !new.is_null() {
        // SAFETY: two blocks of at least that many bytes, of which the new one is nobody's yet.
        unsafe {
            ptr::copy_nonoverlapping(block.cast::<u8>(), new.cast::<u8>(), slot.room().min(size));
            free(block);
        }
    }
    new
}

/// # Safety
/// As C says: `block` is one of these functions', not freed, or null.
#[unsafe(no_mangle)]
unsafe extern "C" fn free(block: *mut c_void) {
    match slot_of(block) {
        // SAFETY: a block of the C library, or null.
        None => unsafe { __libc_free(block) },
        Some(Slot::Small(class)) => POOL.with(|pool| push(&mut pool.smalls[class], block as usize)),
        Some(Slot::Padded(class)) => POOL.with(|pool| push(&mut pool.slots[class], block as usize)),
        Some(Slot::Large(class)) => {
            const MADV_DONTNEED: c_int = 4;
            // SAFETY: the block is nobody's any more; private anonymous memory is zero when it is touched again.
            let given_back = unsafe { madvise(block, LARGE << class, MADV_DONTNEED) } == 0;
            // What could not be given back is not clean: it is lost.
            if given_back {
                POOL.with(|pool| push(&mut pool.larges[class], block as usize));
            }
        }
    }
}

#[unsafe(no_mangle)]
extern "C" fn memalign(align: usize, size: usize) -> *mut c_void {
    allocate(align, size)
}

#[unsafe(no_mangle)]
extern "C" fn aligned_alloc(align: usize, size: usize) -> *mut c_void {
    allocate(align, size)
}

/// # Safety
/// `out` can be written.
#[unsafe(no_mangle)]
unsafe extern "C" fn posix_memalign(out: *mut *mut c_void, align: usize, size: usize) -> c_int {
    const ENOMEM: c_int = 12;
    let block = allocate(align, size);
    if block.is_null() {
        return ENOMEM;
    }
    // SAFETY: the caller says so.
    unsafe { *out = block };
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A block of these functions with the byte `fill` in all of its bytes.
    fn filled(size: usize, fill: u8) -> *mut u8 {
        let block = malloc(size).cast::<u8>();
        assert!(!block.is_null() && (block as usize).is_multiple_of(ALIGN));
        // SAFETY: the block has that many bytes.
        unsafe { ptr::write_bytes(block, fill, size) };
        block
    }

    #[test]
    fn blocks_of_constants_are_zero_have_zeros_behind_them_and_lie_in_the_first_half_of_a_page() {
        assert!(begin());
        for round in 0..3 {
            let large = [20_000, 70_000, LARGEST - PAD, LARGEST, 1 << 20];
            for size in (SMALLEST_CONSTANT..9000).step_by(37).chain(large) {
                let block = malloc(size).cast::<u8>();
                let place = block as usize % PAGE;
                // SAFETY: padding belongs to the block.
                let bytes = unsafe { std::slice::from_raw_parts(block, size + PAD) };
                assert!(bytes.iter().all(|&b| b == 0), "{size} bytes, round {round}");
                assert!(place == 0 || place + size + PAD <= HALF, "{size} bytes at {place} of a page");
                // What the next user of the slot must not see.
                // SAFETY: the block is this test's.
                unsafe {
                    ptr::write_bytes(block, 0xff, size + PAD);
                    free(block.cast());
                }
            }
        }
    }

    #[test]
    fn blocks_do_not_overlap_and_keep_what_is_in_them_on_several_threads() {
        assert!(begin());
        let work = |seed: usize| {
            let mut kept: Vec<(*mut u8, usize, u8)> = Vec::new();
            let mut state = seed;
            for i in 0..20_000usize {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let size = 1 + (state >> 33) % [16, 120, 700, 5000, 90_000][i % 5];
                let fill = (state >> 20) as u8;
                kept.push((filled(size, fill), size, fill));
                if kept.len() > 200 {
                    let (block, size, fill) = kept.swap_remove((state >> 40) % 200);
                    // SAFETY: the block is this test's, and has that many bytes; so has the one that it becomes.
                    unsafe {
                        assert!(std::slice::from_raw_parts(block, size).iter().all(|&b| b == fill));
                        let larger = size * 2;
                        let block = realloc(block.cast(), larger).cast::<u8>();
                        assert!(std::slice::from_raw_parts(block, size).iter().all(|&b| b == fill));
                        free(block.cast());
                    }
                }
            }
            for (block, size, fill) in kept {
                // SAFETY: as above.
                unsafe {
                    assert!(std::slice::from_raw_parts(block, size).iter().all(|&b| b == fill));
                    free(block.cast());
                }
            }
        };
        std::thread::scope(|scope| {
            for seed in 1..4 {
                scope.spawn(move || work(seed));
            }
        });
    }

    #[test]
    fn alignments_are_kept_and_zeroed_memory_is_zero() {
        assert!(begin());
        for align in [32, 64, 256, PAGE, 1 << 16] {
            for size in [1, 100, 3000, 100_000] {
                let mut block = ptr::null_mut();
                // SAFETY: `block` can be written; what comes is freed once.
                unsafe {
                    assert_eq!(posix_memalign(&mut block, align, size), 0);
                    assert!((block as usize).is_multiple_of(align), "{size} bytes to {align}");
                    free(block);
                }
            }
        }
        for size in [1, 40, 127, 128, 2000, 5000] {
            // SAFETY: freed once.
            unsafe { free(filled(size, 0xff).cast()) };
            let block = calloc(size, 1).cast::<u8>();
            // SAFETY: the block has that many bytes and is freed once.
            unsafe {
                assert!(std::slice::from_raw_parts(block, size).iter().all(|&b| b == 0));
                free(block.cast());
            }
        }
        // An optimizer that knows the C library takes an unused block for had.
        let none = std::hint::black_box(calloc(std::hint::black_box(usize::MAX), 2));
        assert!(none.is_null());
    }
}
