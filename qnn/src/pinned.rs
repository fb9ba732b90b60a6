//! Memory that stays where it is while its owner moves.

use std::ffi::{CString, c_char};
use std::ptr::NonNull;

/// A list on the heap whose address is handed to the vendor's structs, and which lives as long as its owner.
///
/// A `Box` or a `CString` would not do: moving one asserts that nobody else points to its memory, and a pointer that was taken before
/// must not be used any more. This owns its memory by a raw pointer, which moves without such a claim.
pub(crate) struct Pinned<T> {
    items: NonNull<[T]>,
}

// SAFETY: this owns its items as a `Box` does; pointers to them are used in `unsafe` code only, which answers for itself.
#[expect(unsafe_code, reason = "owns memory by a raw pointer")]
unsafe impl<T: Send> Send for Pinned<T> {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "owns memory by a raw pointer")]
unsafe impl<T: Sync> Sync for Pinned<T> {}

impl<T> Pinned<T> {
    /// Takes the items of a list.
    pub(crate) fn new(items: impl Into<Box<[T]>>) -> Self {
        let items = Box::into_raw(items.into());
        // A box is never null, so that nothing is lost here.
        Self { items: NonNull::new(items).unwrap_or(NonNull::slice_from_raw_parts(NonNull::dangling(), 0)) }
    }

    /// Address of the first item; what it points to lives as long as `self`, wherever that is moved.
    pub(crate) fn as_ptr(&self) -> *mut T {
        self.items.cast::<T>().as_ptr()
    }

    /// Number of items.
    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }
}

impl Pinned<c_char> {
    /// Takes a C string.
    pub(crate) fn string(text: CString) -> Self {
        Self::new(text.into_bytes_with_nul().into_iter().map(|byte| byte as c_char).collect::<Vec<_>>())
    }
}

impl<T> Drop for Pinned<T> {
    #[expect(unsafe_code, reason = "owns memory by a raw pointer")]
    fn drop(&mut self) {
        // SAFETY: the pointer came from a box, which nobody has freed.
        drop(unsafe { Box::from_raw(self.items.as_ptr()) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(unsafe_code, reason = "reads what a struct of the vendor's would point to")]
    fn a_pointer_stays_good_while_the_owner_moves() {
        let owner = Pinned::new(vec![1u32, 2, 3]);
        let name = Pinned::string(c"x".to_owned());
        let (items, text) = (owner.as_ptr(), name.as_ptr());
        let moved = std::thread::spawn(move || (Box::new(owner), vec![name])).join().expect("joined");
        // SAFETY: the owners are alive.
        unsafe {
            assert_eq!(std::slice::from_raw_parts(items, moved.0.len()), [1, 2, 3]);
            assert_eq!(std::ffi::CStr::from_ptr(text), c"x");
        }
        assert_eq!(Pinned::<u64>::new(Vec::new()).len(), 0);
    }
}
