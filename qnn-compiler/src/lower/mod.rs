//! From the graph to QNN ops. To add an operator, write a function in the file of its family and add a row to
//! [`table::ROWS`].

mod activation;
mod builder;
mod conv;
mod elementwise;
mod lowering;
mod matmul;
mod pool;
mod shape;
pub mod table;

pub use builder::OpBuilder;
pub use lowering::{Lower, lower};
