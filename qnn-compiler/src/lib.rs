//! Compiles ONNX and DLC models into QNN HTP context binaries.
