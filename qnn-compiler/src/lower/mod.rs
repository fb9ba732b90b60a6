//! From the graph to QNN ops. To add an operator, write a function in the file of its family and add a row to
//! [`table::ROWS`].

mod activation;
mod arg;
mod broadcast;
mod builder;
mod conv;
mod convert;
mod elementwise;
mod gather;
mod logic;
mod lowering;
mod matmul;
mod ops;
mod pad;
mod pool;
mod reduce;
mod scatter;
mod shape;
mod slice;
mod spread;
pub mod table;
mod unary;

pub use builder::OpBuilder;
pub use lowering::{Lower, lower};
