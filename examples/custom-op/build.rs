fn main() {
    qnn_build::compile().unwrap_or_exit();
}
