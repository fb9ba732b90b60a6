//! From the graph to QNN ops. To add an operator, write a function in the file of its family and add a row to
//! [`table::ROWS`].

mod activation;
mod arg;
mod broadcast;
mod builder;
mod conv;
mod convert;
mod einsum;
mod elementwise;
mod fixed;
mod floats;
mod gather;
mod interpolate;
mod logic;
mod lowering;
mod mask;
mod matmul;
mod missing;
mod norm;
mod ops;
mod pad;
mod pixel;
mod pool;
mod reduce;
mod resize;
mod rotary;
mod scatter;
mod shape;
mod slice;
mod softmax;
mod spatial;
mod spread;
pub mod table;
mod tidy;
mod unary;
mod views;
mod weight;
mod window;

pub use builder::OpBuilder;
pub use fixed::integer_operators;
pub use lowering::{Lower, MAX_RANK, lower};
pub(crate) use missing::with_unsupported;
