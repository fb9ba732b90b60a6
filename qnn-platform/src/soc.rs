//! The Snapdragon SoCs whose HTP (Hexagon Tensor Processor) this project compiles for.
