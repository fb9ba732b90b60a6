//! What generated code calls and apps do not.

use std::fmt;

use crate::{Element, Error, Result};

/// Elements that [`Preview`] shows of a longer tensor.
const SHOWN: usize = 8;
/// A tensor of at most this many elements is shown whole.
const WHOLE: usize = 32;

/// Shows the beginning of a tensor: an image would fill a terminal for minutes.
pub struct Preview<'a, T>(pub &'a [T]);

impl<T: fmt::Debug> fmt::Debug for Preview<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.len() <= WHOLE {
            return fmt::Debug::fmt(self.0, f);
        }
        let mut list = f.debug_list();
        list.entries(&self.0[..SHOWN]);
        list.entry(&format_args!("… {} elements", self.0.len()));
        list.finish()
    }
}

/// A slice as the array that a tensor is.
///
/// # Errors
/// [`SliceLength`](crate::ErrorKind::SliceLength) with the tensor and both lengths.
pub fn array<'a, T, const N: usize>(graph: &str, tensor: &str, values: &'a [T]) -> Result<&'a [T; N]> {
    values.try_into().map_err(|_| Error::slice_length(graph, tensor, N, values.len()))
}

/// An array of zeros that never was on the stack.
pub fn zeroed<T: Element + Default, const N: usize>() -> Box<[T; N]> {
    let zeros = vec![T::default(); N].into_boxed_slice();
    match zeros.try_into() {
        Ok(zeros) => zeros,
        // An array made here instead would be on the stack.
        Err(_) => unreachable!("a slice of N elements is an array of N elements"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_tensors_are_shown_by_their_beginning() {
        assert_eq!(format!("{:?}", Preview(&[1.5f32, 2.0])), "[1.5, 2.0]");
        let text = format!("{:?}", Preview(&vec![0u8; 3_000_000]));
        assert_eq!(text, "[0, 0, 0, 0, 0, 0, 0, 0, … 3000000 elements]");
    }

    #[test]
    fn a_slice_of_another_length_names_the_tensor_and_both_lengths() {
        assert_eq!(array::<f32, 2>("g", "image", &[1.0, 2.0]).unwrap(), &[1.0, 2.0]);
        let text = array::<f32, 3>("g", "image", &[1.0, 2.0]).unwrap_err().to_string();
        for part in ["`image`", "`g`", "3 elements", "2"] {
            assert!(text.contains(part), "no {part:?} in {text}");
        }
    }

    #[test]
    fn large_arrays_are_made_on_the_heap() {
        let image = zeroed::<f32, { 16 << 20 }>();
        assert_eq!((image.len(), image[1]), (16 << 20, 0.0));
    }
}
